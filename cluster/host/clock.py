"""How a host's CLOCK_MONOTONIC relates to the driver's, and how sure that is."""

from dataclasses import dataclass

from cluster.host.protocol import Host
from cluster.host.supervised import Supervised


@dataclass(frozen=True)
class ClockOffset:
    """`host clock - driver clock`, both CLOCK_MONOTONIC, in ns."""

    offset_ns: int
    error_ns: int  # the true offset lies within ± this
    method: str

    def to_driver_ns(self, host_ns: int) -> int:
        """A time of the host in the driver's clock."""
        return host_ns - self.offset_ns


def clock_offset(host: Host) -> ClockOffset:
    """The offset of `host`; exactly 0 with no error for this machine. Raises HostError."""
    raise NotImplementedError


def measure_offset(supervised: Supervised, exchanges: int = 20) -> ClockOffset:
    """As `clock_offset`, through a command that runs already. Raises HostError."""
    raise NotImplementedError
