"""How a host's clock was seen to relate to the driver's."""

from dataclasses import dataclass

from cluster.results.record import Record


@dataclass(frozen=True)
class ClockReading:
    """`host clock - driver clock` at one moment, both CLOCK_MONOTONIC, ns."""

    at_ns: int  # the driver's clock
    offset_ns: int
    error_ns: int  # the true offset lies within ± this


@dataclass(frozen=True)
class HostClock:
    """A host's clock as it was read during the run."""

    host: str
    same: bool  # it is the driver's own
    readings: tuple[ClockReading, ...]


class ClockSummary(Record):
    """A host's clock against the driver's, over the whole run. Unknown is None; `not_measured`."""

    who: str  # agent-0, or engine
    host: str
    same: bool  # it is the driver's own clock: no offset, no drift, no error
    readings: int
    offset_ns: int | None  # at the first reading
    error_ns: int | None  # of a level's start in the driver's clock, the largest of all levels
    drift_ppm: float | None
    drift_error_ppm: float | None  # the true drift lies within ± this
    start_skew_ns: int | None  # the last worker ready - the start asked for; the worst level's
    not_measured: dict[str, str]
