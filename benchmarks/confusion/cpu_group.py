"""Control groups of the kernel's `cpu` controller, version 1 or 2, that end with this program."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

PERIOD_US: Final = 100_000
PREFIX: Final = "loadcluster-matrix-"
SHARES_MOST: Final = 262_144  # version 1
WEIGHT_MOST: Final = 10_000  # version 2


def hierarchy(mounts: str) -> tuple[Path, int] | None:
    """Where the `cpu` controller is mounted, by the text of /proc/mounts, and its version."""
    fields = [line.split() for line in mounts.splitlines()]
    for _, where, kind, options, *_ in fields:
        if kind == "cgroup" and "cpu" in options.split(","):
            return Path(where), 1
    for _, where, kind, *_ in fields:
        if kind == "cgroup2":
            with suppress(OSError):
                if "cpu" in (Path(where) / "cgroup.controllers").read_text().split():
                    return Path(where), 2
    return None


class CpuGroup:
    """One control group; a context manager that removes it, and those that crashes left."""

    def __init__(self, path: Path, version: int, parent: "CpuGroup | None" = None) -> None:
        self._path = path
        self._version = version
        self._parent = parent
        self._came_from: Path | None = None

    @classmethod
    def first(cls) -> Self:
        """A group for this program and all it starts. Raises OSError where that is forbidden."""
        found = hierarchy(Path("/proc/mounts").read_text())
        if found is None:
            raise OSError("the kernel's cpu controller is not mounted")
        root, version = found
        sweep(root)
        return cls(root / f"{PREFIX}{os.getpid()}", version)

    def inside(self, name: str) -> "CpuGroup":
        """A group for single threads of what is in this one."""
        return CpuGroup(self._path / name, self._version, self)

    def __enter__(self) -> Self:
        self._path.mkdir()
        if self._version == 2 and self._parent is not None:
            self._write("cgroup.type", "threaded")
            self._parent._write("cgroup.subtree_control", "+cpu")  # noqa: SLF001
        return self

    def __exit__(self, *_: object) -> None:
        if self._came_from is not None:
            with suppress(OSError):
                (self._came_from / "cgroup.procs").write_text(str(os.getpid()))
        with suppress(OSError):
            self._path.rmdir()

    def enter(self) -> None:
        """Move this program into it, and with it all that it starts; leaving moves it back."""
        root = self._path.parent
        lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
        for _, controllers, below in lines:
            if ("cpu" in controllers.split(",")) if self._version == 1 else not controllers:
                self._came_from = root / below.lstrip("/")
        self._write("cgroup.procs", str(os.getpid()))

    def put_first(self) -> None:
        """Give it the CPUs before everything outside of it."""
        if self._version == 1:
            self._write("cpu.shares", str(SHARES_MOST))
        else:
            self._write("cpu.weight", str(WEIGHT_MOST))

    def limit(self, ratio: float) -> None:
        """Let its threads run for `ratio` of a CPU in each period."""
        quota_us = max(1_000, round(ratio * PERIOD_US))  # the kernel's least is 1 ms
        if self._version == 1:
            self._write("cpu.cfs_period_us", str(PERIOD_US))
            self._write("cpu.cfs_quota_us", str(quota_us))
        else:
            self._write("cpu.max", f"{quota_us} {PERIOD_US}")

    def add_thread(self, thread_id: int) -> None:
        """Move one thread into it; one that has ended is let go."""
        with suppress(ProcessLookupError):
            self._write("tasks" if self._version == 1 else "cgroup.threads", str(thread_id))

    def throttled(self) -> int:
        """In how many periods its threads had to wait."""
        lines = (self._path / "cpu.stat").read_text().splitlines()
        return int(dict(line.split() for line in lines).get("nr_throttled", 0))

    def _write(self, name: str, value: str) -> None:
        (self._path / name).write_text(value)


def sweep(root: Path) -> None:
    """Remove groups that a killed program left; those in use stay."""
    for left in root.glob(f"{PREFIX}*"):
        for path in (*left.glob("*/"), left):
            with suppress(OSError):
                path.rmdir()
