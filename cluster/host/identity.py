"""Which machine a host is, by what its kernel says, and which of its clocks and addresses it has.

Two hosts with the same boot id run on the same kernel. Containers and network namespaces of one
machine do, too: they share its CPUs, but neither its addresses nor, if set so, its clock.
"""

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import HostError
from cluster.host.protocol import Host

BOOT_ID = "/proc/sys/kernel/random/boot_id"
NETWORK = "/proc/self/ns/net"
TIME = "/proc/self/ns/time"  # since Linux 5.6
_TIMEOUT_S = 10.0
_SCRIPT = f"cat {BOOT_ID}; readlink {NETWORK} || echo; readlink {TIME} || echo"


@dataclass(frozen=True)
class Identity:
    """A kernel, and the namespaces of a process in it. Empty: not to be told."""

    boot_id: str
    network: str
    time: str

    def same_machine(self, other: "Identity | None") -> bool:
        """Whether both share the CPUs of one machine."""
        return other is not None and bool(self.boot_id) and self.boot_id == other.boot_id

    def same_host(self, other: "Identity | None") -> bool:
        """Whether both have the same addresses as well: nothing of a network is between them."""
        return other is not None and self.same_machine(other) and self.network == other.network

    def same_clock(self, other: "Identity | None") -> bool:
        """Whether both read the same CLOCK_MONOTONIC."""
        return other is not None and self.same_machine(other) and self.time == other.time


def identity_here() -> Identity:
    """Of this process."""
    try:
        boot_id = Path(BOOT_ID).read_text().strip()
    except OSError:
        boot_id = ""
    return Identity(boot_id, _link(NETWORK), _link(TIME))


def identity_of(host: Host) -> Identity:
    """Of what runs on `host`.

    Raises:
        HostError: it does not tell.
    """
    if host.is_local:
        return identity_here()
    said = host.run(["sh", "-c", _SCRIPT], timeout_s=_TIMEOUT_S)
    lines = said.stdout.splitlines()
    if len(lines) != 3:  # noqa: PLR2004  (one line each)
        raise HostError(host.name, f"it does not tell which machine it is: {said.stderr.strip()}")
    return Identity(*(line.strip() for line in lines))


def is_loopback(address: str) -> bool:
    """Whether that address reaches only the host itself."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def is_own_address(address: str) -> bool:
    """Whether `address`, or what it resolves to, is one of this host's. Nothing is sent."""
    return any(_can_bind(family, where) for family, where in _resolved(address))


def source_address(address: str, port: int) -> str:
    """The address of this host from which it reaches another. Nothing is sent; empty: none does."""
    for family, where in _resolved(address):
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            try:
                asked.connect((where, port))
            except OSError:
                continue
            return str(asked.getsockname()[0])
    return ""


def _resolved(address: str) -> list[tuple[socket.AddressFamily, str]]:
    try:
        found = socket.getaddrinfo(address, None, type=socket.SOCK_DGRAM)
    except OSError:
        return []
    return [(family, str(where[0])) for family, _, _, _, where in found]


def _can_bind(family: socket.AddressFamily, where: str) -> bool:
    with socket.socket(family, socket.SOCK_DGRAM) as asked:
        try:
            asked.bind((where, 0))
        except OSError:
            return False
        return True


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""
