"""When the warm-up of a level is over, by MSER-5 on its response times.

Pure, so that the driver can ask while the level runs and the summary again from the record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cluster.results.agent import Interval
from cluster.results.over_time import SLOTS_PER_S

Floats = NDArray[np.float64]

BATCH_SLOTS: Final = 5  # the 5 of MSER-5: 250 ms
STEPS_SLOTS: Final = (BATCH_SLOTS, 2 * BATCH_SLOTS, SLOTS_PER_S)  # coarser: few orders, long runs
POINTS_ENOUGH: Final = 480
ORDERS_PER_POINT: Final = 20  # so that a point is a mean and no single order
POINTS_MIN: Final = 10
KEPT_MIN: Final = 5  # the variance of fewer says nothing: White's own exclusion

# A point counts at most so far from the later half's middle: one stall must not outweigh all else.
FENCE_IQRS: Final = 3.0
FENCE_RATIO: Final = 0.05  # of the median, where the half hardly varies

# What is cut must differ from what is kept: by an effect that matters, beyond its own chance, and
# most of it on one side. A stall in the middle of steady points is an event, no warm-up.
EFFECT_RATIO: Final = 0.02
SIGMAS: Final = 4.0
ONE_SIDED: Final = 0.8

# The criterion is flat beyond the end of a warm-up, and its least value there is chance: the first
# cut that is about as good is taken.
AS_GOOD: Final = 1.1


@dataclass(frozen=True)
class WarmUp:
    """Where a level's warm-up ends."""

    ends_s: float | None  # after the start; 0: there is none to be seen; None: not known
    why: str  # when it is not known: why
    unsettled: bool = False  # not known because it may not be over yet: more load may tell


def warm_up_end_s(intervals: Sequence[Interval], until_s: int) -> WarmUp:
    """When the mean response time has settled.

    The series is the mean response time of orders due in each quarter of a second, or half or whole
    one where orders are few. MSER cuts the start off so that the standard error of the mean of the
    rest, taken as independent, is least. A cut in the later half is none: the rest is too short
    to tell a steady state from chance.

    Args:
        intervals: of all agents, in any order. Orders without an answer are not in the series.
        until_s: seconds from here on are left out.

    Source:
        K. P. White, "An effective truncation heuristic for bias reduction in simulation output",
        Simulation 69 (6), 1997; K. P. White, M. J. Cobb, S. C. Spratt, "A comparison of five
        steady-state truncation heuristics for simulation", Winter Simulation Conference 2000:
        MSER-5. K. Hoad, S. Robinson, R. Davies, "Automating warm-up length estimation", JORS 61
        (9), 2010: the later half, and the last points. The fence and the conditions on what is
        cut are ours: MSER alone takes a stall for the end of a warm-up.
    """
    answered, sums_ns = _slots(intervals, until_s)
    for slots in STEPS_SLOTS:
        times_s, means_ns, orders = _means(answered, sums_ns, slots)
        few = not len(orders) or float(np.median(orders)) < ORDERS_PER_POINT
        if not few and len(orders) <= POINTS_ENOUGH:
            break
    if few or len(means_ns) < POINTS_MIN:
        return WarmUp(
            None,
            f"{len(means_ns)} points of {slots / SLOTS_PER_S:g} s do not show a warm-up; "
            f"{POINTS_MIN} with {ORDERS_PER_POINT} orders each are needed",
        )
    cut = cut_at(means_ns)
    if cut is None:
        return WarmUp(
            None,
            f"the mean response time still changes in the second half of {until_s} s",
            unsettled=True,
        )
    return WarmUp(float(times_s[cut]) if cut else 0.0, "")


def cut_at(points: Floats) -> int | None:
    """How many points at the start belong to the warm-up; None when it may not be over.

    Args:
        points: the series, at least POINTS_MIN of them. Shape (n,).
    """
    n = len(points)
    fenced = _fenced(points)
    by_cut = _mser(fenced)[: n - KEPT_MIN + 1]
    best_first = np.argsort(by_cut, kind="stable")  # ties: the earliest
    best = next(int(d) for d in best_first if d == 0 or _is_transient(fenced, int(d)))
    as_good = np.flatnonzero(by_cut[: best + 1] <= AS_GOOD * by_cut[best])
    cut = next(int(d) for d in as_good if d in (0, best) or _is_transient(fenced, int(d)))
    return None if cut > n // 2 else cut


def _mser(points: Floats) -> Floats:
    """White's criterion by points cut off: the squared standard error of the mean of the rest."""
    centred = (points - np.median(points))[::-1]
    lengths = np.arange(1, len(points) + 1)
    variances = np.cumsum(centred**2) / lengths - (np.cumsum(centred) / lengths) ** 2
    return np.maximum(variances / lengths, 0.0)[::-1]


def _fenced(points: Floats) -> Floats:
    later = points[len(points) // 2 :]
    low, middle, high = np.percentile(later, (25, 50, 75))
    room = max(FENCE_IQRS * (high - low), FENCE_RATIO * middle)
    return np.clip(points, middle - room, middle + room)


def _is_transient(fenced: Floats, cut: int) -> bool:
    """Whether the first `cut` points differ from the rest as a warm-up does."""
    before, kept = fenced[:cut], fenced[cut:]
    middle = float(np.median(kept))
    difference = float(np.mean(before)) - float(np.mean(kept))
    side = np.mean(before > middle) if difference > 0 else np.mean(before < middle)
    low, high = np.percentile(kept, (25, 75))
    usual = low <= float(np.median(before)) <= high
    if usual or side < ONE_SIDED or abs(difference) <= EFFECT_RATIO * abs(middle):
        return False
    return abs(difference) > SIGMAS * _standard_error(kept, cut)


def _standard_error(kept: Floats, length: int) -> float:
    """Of the difference between the means of `length` points and of `kept`, were they alike.

    Neighbours depend on each other: the variance of a mean grows by (1 + r) / (1 - r), r their
    correlation (an AR(1) series; Bayley and Hammersley, 1946).
    """
    centred = kept - kept.mean()
    variance = float(centred @ centred) / len(kept)
    if variance == 0:
        return 0.0
    n = len(kept)
    r = float(centred[1:] @ centred[:-1]) / (n * variance)
    r = min(max((n * r + 1) / (n - 3) if n > 3 else r, 0.0), 0.95)  # noqa: PLR2004 - its bias
    return float(np.sqrt(variance * (1 + r) / (1 - r) * (1 / length + 1 / n)))


def _slots(intervals: Sequence[Interval], until_s: int) -> tuple[Floats, Floats]:
    """Answered orders and the sum of their response times by slot. Shapes (until_s · 20,)."""
    answered = np.zeros((until_s, SLOTS_PER_S))
    sums_ns = np.zeros((until_s, SLOTS_PER_S))
    for interval in intervals:
        if interval.index < until_s:
            answered[interval.index] += interval.slots.response.sum(axis=1)
            sums_ns[interval.index] += interval.slots.response_sum_ns
    return answered.ravel(), sums_ns.ravel()


def _means(answered: Floats, sums_ns: Floats, slots: int) -> tuple[Floats, Floats, Floats]:
    """Start, mean response time and orders of each step that has an answered order."""
    orders = answered.reshape(-1, slots).sum(axis=1)
    totals = sums_ns.reshape(-1, slots).sum(axis=1)
    used = orders > 0
    times_s = np.arange(len(orders)) * (slots / SLOTS_PER_S)
    return times_s[used], totals[used] / orders[used], orders[used]
