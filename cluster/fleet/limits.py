"""How many connections this process may open."""

import os
import resource
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

IPV4: Final = Path("/proc/sys/net/ipv4")


@dataclass(frozen=True)
class Limits:
    """What bounds the connections of an agent's process and of its host."""

    host: str
    process_id: int
    open_files_max: int | None  # `ulimit -n`; None: unlimited
    open_files: int  # open already
    local_ports: int | None  # that the kernel gives to connections to one place; None: not told


def own_limits() -> Limits:
    """Those of this process."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Limits(
        host=socket.gethostname(),
        process_id=os.getpid(),
        open_files_max=None if soft == resource.RLIM_INFINITY else soft,
        open_files=sum(1 for _ in Path("/proc/self/fd").iterdir()),
        local_ports=local_ports(),
    )


def local_ports(settings: Path = IPV4) -> int | None:
    """How many ports the kernel gives to outgoing connections; IPv6 uses the same setting."""
    try:
        first, last = map(int, (settings / "ip_local_port_range").read_text().split())
        kept = (settings / "ip_local_reserved_ports").read_text().strip()
    except (OSError, ValueError):
        return None
    ports = range(first, last + 1)
    return len(ports) - sum(_overlap(ports, part) for part in kept.split(",") if part)


def _overlap(ports: range, part: str) -> int:
    first, _, last = part.partition("-")
    return max(0, min(ports.stop, int(last or first) + 1) - max(ports.start, int(first)))
