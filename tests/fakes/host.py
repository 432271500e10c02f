"""A host without a machine: commands are answered from a script, files live in a dict."""

from collections.abc import Callable, Sequence
from pathlib import Path

from cluster.errors import HostError, MissingTool
from cluster.host.protocol import Completed

Answer = str | Completed | Callable[[Sequence[str], bytes], Completed | str]


def completed(
    argv: Sequence[str], stdout: str = "", *, status: int = 0, stderr: str = ""
) -> Completed:
    """A command that ended."""
    return Completed(tuple(argv), status, stdout, stderr)


class FakeRunning:
    """A command that goes on: `said` is what it will answer, `heard` what it was told."""

    def __init__(self, argv: Sequence[str], said: Sequence[str] = ()) -> None:
        self.argv = tuple(argv)
        self.said = list(said)
        self.heard = b""
        self.exit_status: int | None = None
        self.stdin_closed = False

    def write(self, data: bytes) -> None:
        self.heard += data

    def read_line(self, timeout_s: float) -> str | None:  # noqa: ARG002 - the protocol has it
        if self.said:
            return self.said.pop(0)
        if self.exit_status is not None:
            raise EOFError
        return None

    def close_stdin(self) -> None:
        self.stdin_closed = True

    def poll(self) -> int | None:
        return self.exit_status

    def wait(self, timeout_s: float) -> int | None:  # noqa: ARG002 - the protocol has it
        return self.exit_status

    def close(self) -> None:
        self.close_stdin()


class FakeHost:
    """A `Host`. `answers` maps how a command line begins to what it answers; longest match wins.

    A command without an answer is a MissingTool, as on a host that does not have it.
    """

    def __init__(
        self,
        answers: dict[str, Answer] | None = None,
        files: dict[str, bytes] | None = None,
        *,
        name: str = "fake",
        is_local: bool = False,
    ) -> None:
        self.name = name
        self.is_local = is_local
        self.mark = "loadcluster-fake"
        self.answers = answers or {}
        self.files = files or {}
        self.modes: dict[str, int] = {}
        self.ran: list[tuple[str, ...]] = []
        self.started: list[FakeRunning] = []
        self.says: list[str] = []  # what the next started command answers
        self.directories: list[str] = []
        self.closed = False

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float = 10.0,  # noqa: ARG002 - the protocol has it
        stdin: bytes = b"",
    ) -> Completed:
        self.ran.append(tuple(argv))
        line = " ".join(argv)
        for beginning in sorted(self.answers, key=len, reverse=True):
            if line.startswith(beginning):
                return self._answer(self.answers[beginning], argv, stdin)
        raise MissingTool(self.name, f"`{argv[0]}` is not there")

    def _answer(self, answer: Answer, argv: Sequence[str], stdin: bytes) -> Completed:
        if callable(answer):
            answer = answer(argv, stdin)
        return completed(argv, answer) if isinstance(answer, str) else answer

    def start(self, argv: Sequence[str]) -> FakeRunning:
        running = FakeRunning(argv, self.says)
        self.started.append(running)
        return running

    def put(self, content: bytes, path: str, *, mode: int = 0o600) -> None:
        self.files[path] = content
        self.modes[path] = mode

    def get(self, path: str, local: Path) -> None:
        local.write_bytes(self.read(path))

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise HostError(self.name, f"can't read {path}: no such file")
        return self.files[path]

    def private_directory(self) -> str:
        self.directories.append(f"/tmp/loadcluster-fake/{len(self.directories)}")
        return self.directories[-1]

    def close(self) -> None:
        self.closed = True
