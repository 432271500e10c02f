"""A host behind SSH."""

import contextlib
import io
import shlex
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from cluster.errors import CommandFailed, ConnectionFailed, HostError
from cluster.experiment.model import SshHost as SshSpec
from cluster.host.commands import bounded, checked, completed, marked, timed_out
from cluster.host.lines import Lines
from cluster.host.private import PrivateDirectories, new_mark
from cluster.host.protocol import Completed
from cluster.host.ssh import SshChannel, SshConnection

_SEND_TIMEOUT_S = 10
_END_TIMEOUT_S = 15
_FILE_TIMEOUT_S = 60
_SIGNALLED_STATUS = 128


class SshRunning:
    """A command that goes on, on the other side of one channel."""

    def __init__(self, name: str, channel: SshChannel) -> None:
        self._name = name
        self._channel = channel
        self._lines = Lines()
        self._writing = threading.Lock()

    def write(self, data: bytes) -> None:
        """Send to its stdin. Raises ConnectionFailed."""
        with self._writing:
            self._channel.send(data, _SEND_TIMEOUT_S)

    def read_line(self, timeout_s: float) -> str | None:
        """Its next line of stdout; see the protocol."""
        if (line := self._lines.take()) is not None:
            return line
        received = self._channel.receive(timeout_s)
        if received is None:
            return None
        if received == (b"", b""):
            if self._channel.lost():
                raise ConnectionFailed(self._name, "the connection was lost")
            raise EOFError
        self._lines.feed(received[0])
        return self._lines.take()

    def close_stdin(self) -> None:
        """End its stdin."""
        self._channel.end_input()

    def poll(self) -> int | None:
        """Its exit status, or None while it runs. Raises ConnectionFailed."""
        return self.wait(0)

    def wait(self, timeout_s: float) -> int | None:
        """As poll, waiting."""
        status = self._channel.exit_status(timeout_s)
        # SSH tells nothing more of a command that a signal has ended.
        return _SIGNALLED_STATUS if status is None and self._channel.closed else status

    def close(self) -> None:
        """Let go of the channel."""
        self._channel.close()


class SshHost:
    """A `Host` for another machine. Raises ConnectionFailed, with advice, if SSH does not open."""

    is_local = False

    def __init__(self, spec: SshSpec) -> None:
        self._connection = SshConnection(spec)
        self.name = self._connection.name
        self.mark = new_mark()
        self._files = threading.Lock()
        self._running: list[SshRunning] = []
        self._private = PrivateDirectories(self)

    def run(self, argv: Sequence[str], *, timeout_s: float = 10.0, stdin: bytes = b"") -> Completed:
        """Run to the end; see the protocol."""
        # SSH has no words for a command that a signal ended; a shell does: 128 + n.
        command = shlex.join(["sh", "-c", '"$@"; exit $?', "sh", *bounded(argv, timeout_s)])
        deadline = time.monotonic() + timeout_s
        channel = self._connection.execute(command)
        sender = threading.Thread(target=_feed, args=(channel, stdin, timeout_s), daemon=True)
        sender.start()
        try:
            stdout, stderr = self._collect(channel, deadline, argv, timeout_s)
            status = channel.exit_status(max(0.1, deadline - time.monotonic()))
        finally:
            channel.close()
            sender.join(timeout_s)
        if status is None:
            raise HostError(self.name, f"`{' '.join(argv)}` was ended there by a signal")
        return completed(self.name, argv, status, stdout, stderr)

    def start(self, argv: Sequence[str]) -> SshRunning:
        """Start a command that goes on; see the protocol. `close` sees that it ends."""
        command = shlex.join(marked(argv, self.mark))
        running = SshRunning(self.name, self._connection.execute(f"exec {command} 2>/dev/null"))
        self._running.append(running)
        return running

    def put(self, content: bytes, path: str, *, mode: int = 0o600) -> None:
        """Write a file, by SFTP or else through `cat`."""
        with self._files:
            if self._connection.write_file(content, path, mode):
                return
        script = 'umask 077; cat >"$1" && chmod "$2" "$1"'
        argv = ["sh", "-c", script, "sh", path, f"{mode:o}"]
        self._file_command("write", path, argv, content)

    def get(self, path: str, local: Path) -> None:
        """Fetch a file, streaming, by SFTP or else through `cat`."""
        try:
            with local.open("wb") as file, self._files:
                if not self._connection.fetch_file(path, file):
                    self._fetch_by_cat(path, file)
        except OSError as error:
            raise HostError(self.name, f"can't write {local} here: {error.strerror}") from error

    def read(self, path: str) -> bytes:
        """The bytes of a small file."""
        content = io.BytesIO()
        with self._files:
            if not self._connection.fetch_file(path, content):
                self._fetch_by_cat(path, content)
        return content.getvalue()

    def private_directory(self) -> str:
        """Make a 0700 directory that goes with us."""
        return self._private.new()

    def close(self) -> None:
        """End what still runs, remove the private directories, close the connection."""
        try:
            # The guardian of the private directories was started first, so it ends last. Over a
            # lost connection nothing can be said: there, all of them have seen its end.
            with contextlib.suppress(ConnectionFailed):
                while self._running:
                    running = self._running.pop()
                    running.close_stdin()
                    running.wait(_END_TIMEOUT_S)
                self._private.close()
        finally:
            self._connection.close()

    def _collect(
        self, channel: SshChannel, deadline: float, argv: Sequence[str], timeout_s: float
    ) -> tuple[bytes, bytes]:
        stdout, stderr = bytearray(), bytearray()
        while received := channel.receive(max(0.0, deadline - time.monotonic())):
            if received == (b"", b""):
                return bytes(stdout), bytes(stderr)
            stdout += received[0]
            stderr += received[1]
        raise timed_out(self.name, argv, timeout_s)

    def _fetch_by_cat(self, path: str, into: io.BufferedIOBase | io.BytesIO) -> None:
        channel = self._connection.execute(shlex.join(["cat", "--", path]))
        said = bytearray()
        try:
            while (received := channel.receive(_FILE_TIMEOUT_S)) not in (None, (b"", b"")):
                into.write(received[0])
                said += received[1]
            status = channel.exit_status(_SEND_TIMEOUT_S)
        finally:
            channel.close()
        if status != 0:
            reason = said.decode(errors="replace").strip() or "it took too long"
            raise HostError(self.name, f"can't read {path}: {reason}")

    def _file_command(self, verb: str, path: str, argv: Sequence[str], content: bytes) -> None:
        try:
            checked(self, argv, timeout_s=_FILE_TIMEOUT_S, stdin=content)
        except CommandFailed as error:
            raise HostError(self.name, f"can't {verb} {path}: {error.stderr.strip()}") from error


def _feed(channel: SshChannel, data: bytes, timeout_s: float) -> None:
    # A command may well end without reading its input.
    with contextlib.suppress(ConnectionFailed):
        if data:
            channel.send(data, timeout_s)
    channel.end_input()
