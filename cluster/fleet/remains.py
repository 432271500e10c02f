"""What the kernel still has of a process's load, once its load client is closed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

THREAD_PREFIX: Final = "load-"  # as native/client names its threads
_REMOTE, _INODE = 2, 9  # fields of /proc/net/tcp


@dataclass(frozen=True)
class Remains:
    """Of one agent's process. Other agents in the same process count as well."""

    threads: int  # that make, send or measure load
    connections: int  # to the engine's port


def remains_of(port: int, proc: Path = Path("/proc/self")) -> Remains:
    """What is left in this process of load that went to `port`; 0: there was none yet."""
    # A socket that listens has 0 for the port of the other side.
    return Remains(threads=_threads(proc), connections=_connections(port, proc) if port else 0)


def _threads(proc: Path) -> int:
    return sum(name.startswith(THREAD_PREFIX) for name in map(_text, proc.glob("task/*/comm")))


def _connections(port: int, proc: Path) -> int:
    own = set()
    for descriptor in (proc / "fd").iterdir():
        try:
            own.add(str(descriptor.readlink()))
        except OSError:
            continue  # closed meanwhile, such as the one that lists them
    count = 0
    for table in ("tcp", "tcp6"):
        for line in _text(proc / "net" / table).splitlines()[1:]:
            fields = line.split()
            to_port = int(fields[_REMOTE].rpartition(":")[2], 16)
            count += to_port == port and f"socket:[{fields[_INODE]}]" in own
    return count


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # a thread that has ended, or a kernel without IPv6
