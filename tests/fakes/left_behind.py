"""Tells whether anything that was started is still there, by a mark that its children inherit."""

import contextlib
import time
from pathlib import Path


class Footprint:
    """A temporary directory of its own: whatever is started with it carries it as TMPDIR.

    So what was left behind shows, whoever else works on this machine: as a process with that
    environment, or as a file in the directory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()
        directory.chmod(0o1777)  # as /tmp: runs of other users use it, too
        self.env = {"TMPDIR": str(directory)}

    def processes(self) -> dict[int, str]:
        """Command lines of the marked processes, by pid."""
        mark = f"TMPDIR={self.directory}".encode()
        found = {}
        for environment in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in environment.read_bytes().split(b"\0"):
                    command = environment.with_name("cmdline").read_bytes()
                    found[int(environment.parent.name)] = command.replace(b"\0", b" ").decode()
        return found

    def of(self, program: str) -> dict[int, str]:
        """The marked processes whose command line begins with that program."""
        return {
            pid: command
            for pid, command in self.processes().items()
            if command.split(" ", 1)[0].rpartition("/")[2] == program
        }

    def assert_gone(self, within_s: float) -> None:
        """Fail unless every marked process and file is gone in time."""
        deadline = time.monotonic() + within_s
        while (left := self._left()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert left == []

    def _left(self) -> list[str]:
        return [*self.processes().values(), *(str(path) for path in self.directory.iterdir())]
