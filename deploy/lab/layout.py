"""Which hosts the lab has: names, addresses, clocks. Pure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

DIRECTORY: Final = Path("/tmp/loadcluster-lab")  # noqa: S108  (Ray's socket paths must stay short)
LONGEST_DIRECTORY: Final = 40  # below it Ray makes sockets whose paths may have 107 bytes
LOAD_HOSTS_MAX: Final = 90
PREFIX: Final = 24
RAY_PORT: Final = 6379
CLOCK_STEP_S: Final = 1000  # far beyond what two clocks of one machine could differ by


@dataclass(frozen=True)
class LabHost:
    """One host of the lab."""

    name: str
    number: int  # in its network
    clock_ahead_s: int = 0  # of its CLOCK_MONOTONIC, against this machine's

    @property
    def address(self) -> str:
        """Its IPv4 address in the lab's network."""
        return f"10.77.0.{self.number}"

    @property
    def mac(self) -> str:
        """Its hardware address."""
        return f"02:00:0a:4d:00:{self.number:02x}"


HEAD: Final = LabHost("head", 1)
# perf stamps with the machine's clock, whatever the namespace says: the engine's clock is that one.
ENGINE: Final = LabHost("engine", 20)


def load_hosts(count: int) -> list[LabHost]:
    """That many load hosts, each with a clock of its own."""
    return [LabHost(f"load-{n}", 100 + n, n * CLOCK_STEP_S) for n in range(1, count + 1)]


def all_hosts(count: int) -> list[LabHost]:
    """The head, the engine's host and that many load hosts."""
    return [HEAD, ENGINE, *load_hosts(count)]
