"""Ends what an embedded Ray leaves behind when its driver is killed, and removes its files.

Run as a process of its own, outside the driver's session: `python -I -S keeper.py DIRECTORY…`.
Each line of its stdin names a process, `PID START_TICKS`. When stdin ends (the driver has closed
it, or is dead), those that still are the same process are killed and the directories removed.
Most of Ray ends with its parent; its per-node agents do not when the raylet is killed.
"""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

GRACE_S = 2.0  # what ends by itself may do so in peace
LOOK_S = 0.1
REMOVE_S = 5.0
_START_TICKS = 19  # field of /proc/PID/stat after the name, counted from 0


def start_ticks(pid: int, proc: Path = Path("/proc")) -> int | None:
    """When a process started, in ticks after boot; with the pid, its identity. None: gone."""
    try:
        stat = (proc / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(") ")[2].split()
    return None if state == "Z" else int(fields[_START_TICKS - 1])


def family(root: int, mark: str, proc: Path = Path("/proc")) -> list[tuple[int, int]]:
    """Living descendants of `root` whose command line has `mark` in it, and all of theirs.

    Returns:
        (pid, start ticks) of each.
    """
    children: dict[int, list[int]] = {}
    for entry in proc.iterdir():
        if entry.name.isdigit() and (parent := _parent(entry)) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found: dict[int, int] = {}
    waiting = [(child, False) for child in children.get(root, [])]
    while waiting:
        pid, related = waiting.pop()
        related = related or _is_marked(proc / str(pid), mark)
        waiting.extend((child, related) for child in children.get(pid, []))
        if related and (ticks := start_ticks(pid, proc)) is not None:
            found[pid] = ticks
    return list(found.items())


def _is_marked(entry: Path, mark: str) -> bool:
    try:
        return mark.encode() in (entry / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _parent(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(") ")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def keep(lines: list[str], directories: list[str]) -> None:
    """End the processes that `lines` name and that still run; remove the directories."""
    named = [tuple(int(word) for word in line.split()) for line in lines if line.strip()]
    deadline = time.monotonic() + GRACE_S
    # Its own command line names the session, too.
    left = [process for process in named if process[0] != os.getpid()]
    while (left := [p for p in left if start_ticks(p[0]) == p[1]]) and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    for pid, _ in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    # What is just dying may still write there.
    deadline = time.monotonic() + REMOVE_S
    while (rest := [d for d in directories if Path(d).exists()]) and time.monotonic() < deadline:
        for directory in rest:
            shutil.rmtree(directory, ignore_errors=True)
        time.sleep(LOOK_S)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    keep(sys.stdin.readlines(), sys.argv[1:])
