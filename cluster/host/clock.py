"""How a host's CLOCK_MONOTONIC relates to the driver's, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass

from cluster.host.supervised import Exchange, Supervised


@dataclass(frozen=True)
class ClockOffset:
    """`host clock - driver clock`, both CLOCK_MONOTONIC, in ns.

    Valid when it was measured: the clocks of two machines drift apart by some µs per second,
    so measure before and after what it is to be used for.
    """

    offset_ns: int
    error_ns: int  # the true offset lies within ± this
    method: str

    def to_driver_ns(self, host_ns: int) -> int:
        """A time of the host in the driver's clock."""
        return host_ns - self.offset_ns


SAME_CLOCK = ClockOffset(0, 0, "the same clock")


def measure_offset(supervised: Supervised, exchanges: int = 20) -> ClockOffset:
    """The offset of a host through a command that runs there; exactly 0 with no error for ours.

    Raises:
        HostError: the host does not tell.
    """
    if supervised.host.is_local:
        return SAME_CLOCK
    return best_offset([supervised.exchange() for _ in range(exchanges)], supervised.clock_error_ns)


def best_offset(exchanges: Sequence[Exchange], clock_error_ns: int) -> ClockOffset:
    """The offset by the exchange that was under way for the shortest time.

    The two ways may have taken anything between nothing and the whole delay, so half the delay
    bounds the error.

    Args:
        exchanges: At least one.
        clock_error_ns: How far the host's times may be off its own clock, ns.

    Source:
        D. L. Mills, RFC 5905 (NTPv4), section 8, and its minimum-delay clock filter.
    """
    best = min(exchanges, key=_delay_ns)
    there_ns = best.received_ns - best.sent_ns
    back_ns = best.returned_ns - best.replied_ns
    return ClockOffset(
        offset_ns=(there_ns - back_ns) // 2,
        error_ns=_delay_ns(best) // 2 + 1 + clock_error_ns,
        method=f"best of {len(exchanges)} four-timestamp exchanges over SSH",
    )


def _delay_ns(exchange: Exchange) -> int:
    return (exchange.returned_ns - exchange.sent_ns) - (exchange.replied_ns - exchange.received_ns)
