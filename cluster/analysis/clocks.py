"""What readings of a clock say of it: its offset, its drift, and whether it was moved.

A reading bounds the true offset: it lies within the reading's error, whatever the network did. So a
clock that drifts evenly is a line that passes through all of these intervals. Any two of them bound
its slope; two that no such slope joins show that the clock was moved.

Source:
    S. B. Moon, P. Skelly, D. Towsley, Estimation and removal of clock skew from network delay
    measurements, INFOCOM 1999: a line below the delays, by those that waited least.
    D. Mills, RFC 5905, sections 8 and 10: the offset of an exchange, and the minimum-delay filter.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cluster.results.clock import ClockReading

PPM: Final = 1e-6
# Quartz is off by up to 100 ppm over all temperatures; NTP corrects that away.
QUARTZ: Final = 100 * PPM
KEPT: Final = 64  # readings that are compared, each the best of its part of the run


@dataclass(frozen=True)
class Drift:
    """How fast a clock runs against the driver's: the true rate lies within ± the error."""

    ppm: float
    error_ppm: float


@dataclass(frozen=True)
class Move:
    """Between two readings the clock moved further than it can drift by itself."""

    by_ns: int
    error_ns: int
    from_ns: int  # driver's clock
    to_ns: int


def best_of_parts(readings: Sequence[ClockReading], parts: int = KEPT) -> list[ClockReading]:
    """The reading with the smallest error of each equal part of the time, in order.

    The first and the last stay besides: what happened before or after them nobody else saw.
    """
    ordered = sorted(readings, key=lambda reading: reading.at_ns)
    if len(ordered) <= parts:
        return ordered
    first_ns, span_ns = ordered[0].at_ns, ordered[-1].at_ns - ordered[0].at_ns + 1
    best: dict[int, ClockReading] = {}
    for reading in ordered:
        part = (reading.at_ns - first_ns) * parts // span_ns
        if part not in best or reading.error_ns < best[part].error_ns:
            best[part] = reading
    return list(dict.fromkeys([ordered[0], *(best[part] for part in sorted(best)), ordered[-1]]))


def drift_of(readings: Sequence[ClockReading]) -> Drift | None:
    """The drift of a clock. None: read at one time only, or no line passes through all readings."""
    slopes = _slopes(best_of_parts(readings))
    if slopes is None:
        return None
    low, high = slopes
    return Drift(ppm=(low + high) / 2 / PPM, error_ppm=(high - low) / 2 / PPM)


def move_of(readings: Sequence[ClockReading], fastest: float = QUARTZ) -> Move | None:
    """The largest move of a clock that no drift up to `fastest` explains, if there is one."""
    best = best_of_parts(readings)
    pairs = _pairs(best)
    unexplained = np.abs(pairs.rise) - pairs.slack - fastest * pairs.apart
    if not len(unexplained) or np.max(unexplained) <= 0:
        return None
    worst = int(np.argmax(unexplained))
    one, other = best[pairs.one[worst]], best[pairs.other[worst]]
    return Move(
        by_ns=other.offset_ns - one.offset_ns,
        error_ns=one.error_ns + other.error_ns,
        from_ns=one.at_ns,
        to_ns=other.at_ns,
    )


def offset_at(readings: Sequence[ClockReading], at_ns: int) -> ClockReading | None:
    """The offset at a moment, by all readings of a clock that drifts evenly; else by the nearest.

    None: there is no reading.
    """
    best = best_of_parts(readings)
    if not best:
        return None
    low_slope, high_slope = _slopes(best) or (-QUARTZ, QUARTZ)
    since_ns = [at_ns - reading.at_ns for reading in best]
    pairs = list(zip(best, since_ns, strict=True))
    low = max(r.offset_ns - r.error_ns + min(low_slope * s, high_slope * s) for r, s in pairs)
    high = min(r.offset_ns + r.error_ns + max(low_slope * s, high_slope * s) for r, s in pairs)
    if low > high:  # it was moved: what was read at that time is all that is known
        near = min(best, key=lambda reading: abs(at_ns - reading.at_ns))
        return ClockReading(at_ns, near.offset_ns, near.error_ns)
    return ClockReading(at_ns, round((low + high) / 2), math.ceil((high - low) / 2))


@dataclass(frozen=True)
class _Pairs:
    """Every two readings, the earlier one first. Shape (pairs,)."""

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    apart: NDArray[np.float64]  # ns
    rise: NDArray[np.float64]  # of the offset, ns
    slack: NDArray[np.float64]  # both errors, ns


def _pairs(readings: Sequence[ClockReading]) -> _Pairs:
    first = readings[0] if readings else ClockReading(0, 0, 0)
    # Relative to the first: a double holds differences exactly that it could not hold whole.
    at = np.array([reading.at_ns - first.at_ns for reading in readings], np.float64)
    offset = np.array([reading.offset_ns - first.offset_ns for reading in readings], np.float64)
    error = np.array([reading.error_ns for reading in readings], np.float64)
    one, other = np.triu_indices(len(readings), 1)
    return _Pairs(
        one=one,
        other=other,
        apart=at[other] - at[one],
        rise=offset[other] - offset[one],
        slack=error[one] + error[other],
    )


def _slopes(readings: Sequence[ClockReading]) -> tuple[float, float] | None:
    """The least and the greatest slope of a line through all of them, as any two bound it."""
    pairs = _pairs(readings)
    there = pairs.apart > 0
    if not np.any(there):
        return None
    apart, rise, slack = pairs.apart[there], pairs.rise[there], pairs.slack[there]
    low, high = float(np.max((rise - slack) / apart)), float(np.min((rise + slack) / apart))
    return (low, high) if low <= high else None
