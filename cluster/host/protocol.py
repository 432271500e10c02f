"""What every host can do. Implemented by `local.py` (this machine) and `ssh.py` (paramiko)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Completed:
    """A command that ended."""

    argv: tuple[str, ...]
    exit_status: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether it ended with 0."""
        return self.exit_status == 0


class RunningCommand(Protocol):
    """A command that goes on, with a pipe to its stdin and one from its stdout.

    The pipe back is for short answer lines; anything longer goes to files on the host.
    """

    def write(self, data: bytes) -> None:
        """Send to its stdin. Raises ConnectionFailed when the way there is gone."""

    def read_line(self, timeout_s: float) -> str | None:
        """Its next line of stdout, without the newline.

        None when none came in time. Raises EOFError when it has closed its stdout, and
        ConnectionFailed when the way there is gone.
        """

    def close_stdin(self) -> None:
        """End its stdin. Idempotent."""

    def poll(self) -> int | None:
        """Its exit status, or None while it runs. Raises ConnectionFailed."""

    def wait(self, timeout_s: float) -> int | None:
        """As poll, waiting up to `timeout_s`."""

    def close(self) -> None:
        """Let go of both pipes. It does not end the command. Idempotent."""


class Host(Protocol):
    """A machine on which commands run. Commands are argument lists; nothing is a shell string."""

    name: str
    is_local: bool
    mark: str  # in the environment of what `start` starts, and in the names of what is put there

    def run(self, argv: Sequence[str], *, timeout_s: float = 10.0, stdin: bytes = b"") -> Completed:
        """Run to the end. Raises MissingTool, ConnectionFailed, or HostError on a timeout."""

    def start(self, argv: Sequence[str]) -> RunningCommand:
        """Start a command without a PTY; stdin and stdout are pipes, stderr is discarded.

        Whoever starts it must see that it ends: use `Supervised` for anything that works.
        """

    def put(self, content: bytes, path: str, *, mode: int = 0o600) -> None:
        """Write a file on the host."""

    def get(self, path: str, local: Path) -> None:
        """Fetch a file from the host, streaming."""

    def read(self, path: str) -> bytes:
        """The bytes of a (small) file on the host."""

    def private_directory(self) -> str:
        """A new 0700 directory on the host, removed by `close`."""

    def close(self) -> None:
        """Remove what was put there and close the connection. Idempotent."""
