"""How a host's CLOCK_MONOTONIC relates to the driver's, and how sure that is."""

from dataclasses import dataclass

from cluster.host.protocol import Host
from cluster.host.supervised import Exchange, Supervised

EXCHANGES = 20
_PROBE_MAX_S = 60


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
    if host.is_local:
        return ClockOffset(0, 0, "same clock")
    supervised = Supervised.start(
        host, ["sleep", str(_PROBE_MAX_S)], label="clock comparison", max_s=_PROBE_MAX_S
    )
    try:
        return measure_offset(supervised)
    finally:
        supervised.stop()


def measure_offset(supervised: Supervised, exchanges: int = EXCHANGES) -> ClockOffset:
    """As `clock_offset`, through a command that runs already. Raises HostError.

    Source:
        D. Mills, RFC 5905, section 8: offset and delay of a four-timestamp exchange. Of several
        exchanges the one with the least delay is kept.
    """
    best = min((supervised.exchange() for _ in range(exchanges)), key=delay_ns)
    error_ns = delay_ns(best) // 2 + supervised.clock_error_ns
    return ClockOffset(offset_ns(best), error_ns, f"{exchanges} exchanges over SSH")


def delay_ns(exchange: Exchange) -> int:
    """How long the question and its answer were on their way."""
    there = exchange.replied_ns - exchange.received_ns
    return exchange.returned_ns - exchange.sent_ns - there


def offset_ns(exchange: Exchange) -> int:
    """The offset that the exchange shows, if both ways took equally long."""
    return (
        exchange.received_ns - exchange.sent_ns + exchange.replied_ns - exchange.returned_ns
    ) // 2
