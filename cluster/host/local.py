"""This machine as a host."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from cluster.errors import ConnectionFailed, HostError
from cluster.host.commands import bounded, completed, marked, missing_tool, timed_out
from cluster.host.lines import Lines
from cluster.host.private import PrivateDirectories, new_mark
from cluster.host.protocol import Completed

_END_TIMEOUT_S = 15


class LocalRunning:
    """A command that goes on here, in a session of its own: Ctrl-C does not reach it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._lines = Lines()
        self._stdin = _pipe(process.stdin)
        self._stdout = _pipe(process.stdout)

    def write(self, data: bytes) -> None:
        """Send to its stdin. Raises ConnectionFailed when nobody reads there any more."""
        try:
            self._stdin.write(data)
        except (OSError, ValueError) as error:
            raise ConnectionFailed("local", "the command no longer listens") from error

    def read_line(self, timeout_s: float) -> str | None:
        """Its next line of stdout; see the protocol."""
        if (line := self._lines.take()) is not None:
            return line
        if self._stdout.closed:
            raise EOFError
        # Not select(): it can't take descriptors above 1023, and a load client has thousands.
        ready = select.poll()
        try:
            ready.register(self._stdout, select.POLLIN)
            if not ready.poll(timeout_s * 1000):
                return None
            data = os.read(self._stdout.fileno(), 4096)
        except ValueError:  # another thread has closed it meanwhile
            raise EOFError from None
        if not data:
            raise EOFError
        self._lines.feed(data)
        return self._lines.take()

    def close_stdin(self) -> None:
        """End its stdin."""
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()

    def poll(self) -> int | None:
        """Its exit status, 128 + n after signal n, or None while it runs."""
        return _shell_status(self._process.poll())

    def wait(self, timeout_s: float) -> int | None:
        """As poll, waiting."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)
        return self.poll()

    def close(self) -> None:
        """Let go of both pipes."""
        self.close_stdin()
        self._stdout.close()

    def end(self) -> None:
        """See that it is gone: it gets the end of its stdin, time to finish, and SIGKILL."""
        self.close_stdin()
        if self.wait(_END_TIMEOUT_S) is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self.close()


class LocalHost:
    """A `Host` for the machine we run on."""

    name = "local"
    is_local = True

    def __init__(self) -> None:
        self.mark = new_mark()
        self._running: list[LocalRunning] = []
        self._private = PrivateDirectories(self)

    def run(self, argv: Sequence[str], *, timeout_s: float = 10.0, stdin: bytes = b"") -> Completed:
        """Run to the end; see the protocol."""
        process = self._popen(bounded(argv, timeout_s), stderr=subprocess.PIPE)
        with process:
            try:
                stdout, stderr = process.communicate(stdin, timeout_s)
            except subprocess.TimeoutExpired:
                # `timeout` made a group of its own and passes SIGTERM on to it.
                process.terminate()
                raise timed_out(self.name, argv, timeout_s) from None
            except BaseException:
                process.terminate()
                raise
        return completed(self.name, argv, _shell_status(process.returncode) or 0, stdout, stderr)

    def start(self, argv: Sequence[str]) -> LocalRunning:
        """Start a command that goes on; see the protocol. `close` sees that it ends."""
        self._running = [running for running in self._running if running.poll() is None]
        running = LocalRunning(
            self._popen(marked(argv, self.mark), stderr=subprocess.DEVNULL, bufsize=0)
        )
        self._running.append(running)
        return running

    def put(self, content: bytes, path: str, *, mode: int = 0o600) -> None:
        """Write a file; it never has more permissions than `mode`."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode & 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), mode)
        except OSError as error:
            raise self._file_error("write", path, error) from error

    def get(self, path: str, local: Path) -> None:
        """Copy a file, streaming."""
        try:
            with Path(path).open("rb") as source, local.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        except OSError as error:
            raise self._file_error("fetch", path, error) from error

    def read(self, path: str) -> bytes:
        """The bytes of a small file."""
        try:
            return Path(path).read_bytes()
        except OSError as error:
            raise self._file_error("read", path, error) from error

    def private_directory(self) -> str:
        """Make a 0700 directory that goes with us."""
        return self._private.new()

    def close(self) -> None:
        """End what still runs and remove the private directories."""
        # The guardian of the private directories was started first, so it ends last.
        while self._running:
            self._running.pop().end()
        self._private.close()

    def _popen(
        self, argv: Sequence[str], *, stderr: int, bufsize: int = -1
    ) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
                bufsize=bufsize,
            )
        except FileNotFoundError:
            raise missing_tool(self.name, argv[0]) from None
        except (OSError, ValueError) as error:
            raise HostError(self.name, f"can't start `{argv[0]}`: {error}") from error

    def _file_error(self, verb: str, path: str, error: OSError) -> HostError:
        return HostError(self.name, f"can't {verb} {path}: {error.strerror}")


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the command was started without pipes")
    return pipe


def _shell_status(returncode: int | None) -> int | None:
    """As a shell tells it, and SSH with it: 128 + n after signal n."""
    return 128 - returncode if returncode is not None and returncode < 0 else returncode
