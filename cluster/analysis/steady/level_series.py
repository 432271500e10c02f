"""A level as series over time: answered rate, response percentiles, orders in flight."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cluster.analysis.observed import Observed
from cluster.analysis.series import answered, covered, samples, total_at
from cluster.analysis.steady.stationarity import (
    MOVED_RATIO_RATE,
    POINTS_MIN,
    Series,
)
from cluster.analysis.uncertainty.latency import orders_needed, percentile_of
from cluster.analysis.windows import merge_by_second
from cluster.results.agent import AgentResult, Interval
from cluster.results.histogram import Histogram
from cluster.results.over_time import SLOT_NS, SLOTS_PER_S, Slots, coarse_edges

Floats = NDArray[np.float64]

# A second is the step. Short windows have finer ones so that there are points enough for every
# test; orders that are few, and windows that are long, coarser ones.
STEPS_SLOTS: Final = (5, 10, SLOTS_PER_S, 2 * SLOTS_PER_S, 5 * SLOTS_PER_S, 10 * SLOTS_PER_S)
POINTS_WANTED: Final = 40  # below, a change must be large to be seen beyond all tests' chances
POINTS_MOST: Final = 300
ORDERS_FOR_MEDIAN: Final = 20
GAPS_MOST: Final = 0.1  # points without a percentile, of all


def level_series(seen: Observed) -> list[Series]:
    """The series of a level's control window that its steadiness is judged by."""
    seconds = _seconds(seen)
    return [
        _rate(seen),
        _percentiles(seen, seconds, "response p50", 50, ORDERS_FOR_MEDIAN),
        _percentiles(seen, seconds, "response p99", 99, orders_needed(99)),
        _in_flight(seen),
    ]


def in_flight_by_slot(agents: Sequence[AgentResult], seconds: range) -> tuple[Floats | None, str]:
    """Mean orders in flight of all agents in each slot; None and why, where it was not recorded.

    Returns:
        Shape (seconds · SLOTS_PER_S,), and "".
    """
    total = np.zeros((len(seconds), SLOTS_PER_S))
    for agent in agents:
        known = {activity.index: activity for activity in agent.activity}
        for place, second in enumerate(seconds):
            if second not in known:
                return None, f"{agent.agent} recorded no orders in flight in second {second}"
            total[place] += known[second].in_flight_order_ns / SLOT_NS
    if not len(agents):
        return None, "no agent was there"
    return total.ravel(), ""


@dataclass(frozen=True)
class _Second:
    """The orders due in one second, of all agents."""

    response: Histogram
    missing: int  # without an answer
    slots: Slots


def _seconds(seen: Observed) -> list[_Second]:
    by_second = merge_by_second(seen.record.agents)
    return [_second(by_second.get(second, [])) for second in seen.control.seconds]


def _second(intervals: Sequence[Interval]) -> _Second:
    orders = [interval.orders for interval in intervals]
    return _Second(
        Histogram.sum(interval.response for interval in intervals),
        sum(o.timed_out + o.lost + o.unsent for o in orders),
        sum((interval.slots for interval in intervals), Slots.empty()),
    )


def _step(seconds: int, orders_per_s: float, orders_needed_each: int) -> int:
    """The length of a step in slots: see STEPS_SLOTS."""
    fits = [
        slots
        for slots in STEPS_SLOTS
        if slots / SLOTS_PER_S * orders_per_s >= orders_needed_each
        and seconds * SLOTS_PER_S / slots <= POINTS_MOST
    ] or [STEPS_SLOTS[-1]]
    whole = [slots for slots in fits if slots >= SLOTS_PER_S]
    if whole and seconds * SLOTS_PER_S // whole[0] >= POINTS_WANTED:
        return whole[0]
    enough = [slots for slots in fits if seconds * SLOTS_PER_S // slots >= POINTS_WANTED]
    return max(enough, default=fits[0])


def _times(seen: Observed, points: int, slots: int) -> Floats:
    steps = np.arange(points, dtype=np.float64)
    return seen.control.seconds.start + steps * (slots / SLOTS_PER_S)


def _rate(seen: Observed) -> Series:
    """Answered orders per second between the moments at which they were counted."""
    agents, window = samples(seen.record), seen.control.seconds
    whole = covered(agents, window.start, window.stop)
    if whole is None:
        return Series("rate", np.zeros(0), np.zeros(0), 1.0, why="the load was not sampled")
    times = agents[0].elapsed_s
    # A poll comes a little after its second.
    times = times[(times >= whole[0]) & (times <= window.stop + 0.5)]
    every = -(-len(times) // POINTS_MOST)
    times = times[:: max(every, 1)]
    spans = np.diff(times)
    times, spans = times[:-1][spans > 0], spans[spans > 0]
    counts = total_at(agents, times + spans, answered) - total_at(agents, times, answered)
    return Series("rate", times, counts / spans, float(max(every, 1)), MOVED_RATIO_RATE)


def _in_flight(seen: Observed) -> Series:
    by_slot, why = in_flight_by_slot(seen.record.agents, seen.control.seconds)
    slots = _step(len(seen.control.seconds), 1, 0)
    step_s = slots / SLOTS_PER_S
    if by_slot is None:
        return Series("in flight", np.zeros(0), np.zeros(0), step_s, why=why)
    values = by_slot[: len(by_slot) // slots * slots].reshape(-1, slots).mean(axis=1)
    return Series("in flight", _times(seen, len(values), slots), values, step_s)


def _percentiles(
    seen: Observed, seconds: list[_Second], name: str, percentile: float, needed: int
) -> Series:
    due = seen.control.orders.intended
    slots = _step(len(seconds), due / max(len(seconds), 1), needed)
    step_s = slots / SLOTS_PER_S
    if slots >= SLOTS_PER_S:
        each = slots // SLOTS_PER_S
        groups = [seconds[at : at + each] for at in range(0, len(seconds) // each * each, each)]
        found = [_of_seconds(group, percentile) for group in groups]
    else:
        found = [value for second in seconds for value in _within(second, slots, percentile)]
    times = _times(seen, len(found), slots)
    known = np.array([value is not None for value in found], bool)
    values = np.array([value for value in found if value is not None], np.float64)
    why = ""
    if due / max(len(seconds), 1) * step_s < needed:
        why = f"the longest step, {step_s:g} s, does not hold the {needed} orders that it needs"
    elif not known.any() or (len(found) >= POINTS_MIN and np.mean(~known) > GAPS_MOST):
        why = f"{np.count_nonzero(~known)} of {len(found)} steps of {step_s:g} s have none"
    return Series(name, times[known], values, step_s, why=why)


def _of_seconds(seconds: Sequence[_Second], percentile: float) -> float | None:
    response = Histogram.sum(second.response for second in seconds)
    return percentile_of(response, percentile, sum(second.missing for second in seconds))[0]


def _within(second: _Second, slots: int, percentile: float) -> list[float | None]:
    """A percentile of each step within a second.

    Steps have coarse buckets only. Within a bucket the orders of a step are taken to lie as those
    of the whole second do, whose histogram is fine.
    """
    edges = coarse_edges()
    found: list[float | None] = []
    for start in range(0, SLOTS_PER_S, slots):
        due = int(second.slots.due[start : start + slots].sum())
        counts = second.slots.response[start : start + slots].sum(axis=0)
        reached = np.cumsum(counts)
        rank = max(int(percentile * due / 100 + 0.5), 1)
        if not due or rank > reached[-1]:
            found.append(None)
            continue
        bucket = int(np.searchsorted(reached, rank))
        share = (rank - (reached[bucket] - counts[bucket])) / counts[bucket]
        low = second.response.count_at_or_below(int(edges[bucket]) - 1)
        inside = second.response.total - low
        if bucket + 1 < len(edges):
            inside = second.response.count_at_or_below(int(edges[bucket + 1]) - 1) - low
        found.append(second.response.value_at_rank(low + max(round(share * inside), 1)))
    return found
