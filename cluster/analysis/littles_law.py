"""Little's law: orders in flight against rate times service time, two books kept apart.

The client integrates how many orders are in flight by its counts, and records how long each took by
its clock. Neither is computed from the other.
"""

import math
from typing import Final

from cluster.analysis.level_series import in_flight_by_slot
from cluster.analysis.observed import Observed
from cluster.analysis.windows import merge
from cluster.results.summary import LittlesLaw
from cluster.units import NS_PER_S

# Both books are exact but for rounding: histograms to a thousandth.
TOLERANCE: Final = 0.02
# Beyond, the edges of the window explain anything.
TOLERANCE_MOST: Final = 0.5
EDGE_SIGMAS: Final = 3.0

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
    """What orders across one end of the window may make of the difference, in order seconds.

    Times belong to the second in which an order was due, the integral to that in which it was in
    flight. Across an end lie the rests of orders in flight: λ E[S²]/2 in the mean, λ E[S³]/3 in
    variance if arrivals are Poisson (M/G/∞), or what is really in flight there times the mean
    rest E[S²]/2E[S]; and orders due before it and sent after, λ E[lag] of E[S] each. The worse of
    the seconds on either side counts.
    """
    if at_s == 0:
        return 0.0  # nothing was due before the start
    sides = [range(second, second + 1) for second in (at_s - 1, at_s)]
    return max(_across(seen, side, last=side.stop == at_s) for side in sides)


def _across(seen: Observed, side: range, *, last: bool) -> float:
    """As `_edge`, by the orders of one side's second, whose last or else first slot is there."""
    second = merge(seen.record.agents, side)
    mean, deviation, most, lag = (
        (value or 0) / NS_PER_S
        for value in (
            second.service.mean,
            second.service.stdev,
            second.service.max,
            second.send_lag.mean,
        )
    )
    if not mean:
        return 0.0
    orders, square = second.service.total, mean**2 + deviation**2
    by_slot, _ = in_flight_by_slot(seen.record.agents, side)
    there = float(by_slot[-1 if last else 0]) if by_slot is not None else 0.0
    rests = max(orders * square / 2, there * square / (2 * mean))
    variance = orders * most * square / 3  # E[S³] is at most E[S²] times the longest
    return rests + EDGE_SIGMAS * math.sqrt(variance) + orders * lag * mean
