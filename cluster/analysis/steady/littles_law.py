"""Little's law: orders in flight against rate times service time, two books kept apart.

The client integrates how many orders are in flight by its counts, and records how long each took by
its clock. Neither is computed from the other.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cluster.analysis.observed import Observed
from cluster.analysis.steady.level_series import in_flight_by_slot
from cluster.analysis.windows import merge
from cluster.results.over_time import COARSE_LEN, SLOT_NS, SLOTS_PER_S, coarse_edges
from cluster.results.summary import LittlesLaw
from cluster.units import NS_PER_S

# Both books are exact but for rounding: histograms to a thousandth.
TOLERANCE: Final = 0.02
# Beyond, the edges of the window explain anything.
TOLERANCE_MOST: Final = 0.5
LOOK_BACK_S: Final = 60  # orders that were due longer before an end are none, or timed out

OVERRUN: Final = "activity_overrun"


def littles_law(seen: Observed, unstable: str = "") -> tuple[LittlesLaw | None, str]:
    """Compare both books over the control window; None and why, where that says nothing.

    Args:
        seen: the level. Closed-loop or not, the law holds.
        unstable: why there is no steady state; empty: there is.

    Source:
        J. D. C. Little, "A proof for the queuing formula L = λW", Operations Research 9 (3), 1961;
        over a finite window exact but for the orders in flight at its ends (Denning and Buzen,
        ACM Computing Surveys 10 (3), 1978, section 2).
    """
    window = seen.control
    by_slot, why = in_flight_by_slot(seen.record.agents, window.seconds)
    why = _unfit(seen, unstable) or why
    if by_slot is None or why:
        return None, why
    seconds = len(window.seconds)
    by_times = window.service.total * (window.service.mean or 0) / NS_PER_S  # order seconds
    edges = _edge(seen, window.seconds.start) + _edge(seen, window.seconds.stop)
    tolerance = max(TOLERANCE, edges / by_times)
    if tolerance > TOLERANCE_MOST:
        return None, (
            f"orders in flight at the ends of {seconds} s may change it by {tolerance:.0%}"
        )
    in_flight = float(by_slot.mean())
    return (
        LittlesLaw(
            in_flight_mean=in_flight,
            rate_times_service=by_times / seconds,
            deviation_ratio=in_flight * seconds / by_times - 1,
            tolerance_ratio=tolerance,
        ),
        "",
    )


def _unfit(seen: Observed, unstable: str) -> str:
    """Why the two books of a level can't be compared; empty: they can."""
    if unstable:
        return f"the window begins and ends with other queues; {unstable}"
    if not seen.control.service.mean:
        return "no order was answered"
    unanswered = merge(seen.record.agents, range(seen.control.seconds.stop)).unanswered
    if unanswered:
        return f"{unanswered:,} orders were never answered: they were in flight, and have no time"
    if any(agent.errors.get(OVERRUN) for agent in seen.record.agents):
        return "a client's record of a second went on into the next"
    return ""


def _edge(seen: Observed, at_s: int) -> float:
    """What orders across one end of the window make of the difference at most, in order seconds.

    Times belong to the second in which an order was due, the integral to those in which it was in
    flight. What lies beyond the end of orders due before it is in one of them only. An order
    that was due d before the end and took r, reaches r - d beyond. Slots tell d but for the place
    within, and r by its coarse bucket: each is taken as the worst it can be. No mean will do here:
    in a stall across the end, the shorter an order took, the nearer to the end it was due.
    """
    slots = _slots_before(seen, at_s)
    if not len(slots):
        return 0.0  # nothing was due before the start
    since = np.arange(len(slots))[::-1, None] * (SLOT_NS / NS_PER_S)
    beyond = np.maximum(_bucket_ends_s()[None, :] - since, 0.0)
    return float((slots * beyond).sum())


def _slots_before(seen: Observed, at_s: int) -> NDArray[np.int64]:
    """Answered orders by slot and coarse response time, up to `at_s`. (slots, COARSE_LEN)."""
    first = max(at_s - LOOK_BACK_S, 0)
    counts = np.zeros((at_s - first, SLOTS_PER_S, COARSE_LEN), np.int64)
    for agent in seen.record.agents:
        for interval in agent.intervals:
            if first <= interval.index < at_s:
                counts[interval.index - first] += interval.slots.response
    return counts.reshape(-1, COARSE_LEN)


def _bucket_ends_s() -> NDArray[np.float64]:
    starts = coarse_edges() / NS_PER_S
    return np.append(starts[1:], 2 * starts[-1])
