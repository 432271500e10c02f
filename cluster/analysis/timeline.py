"""A level second by second, for the time line."""

import math

import numpy as np

from cluster.analysis.series import Quantity, Samples, answered, due, samples, sent, total_at
from cluster.analysis.uncertainty.latency import percentile_of
from cluster.analysis.windows import merge_by_second, phase_of
from cluster.results.agent import Progress
from cluster.results.histogram import Histogram
from cluster.results.level import LevelRecord
from cluster.results.summary import Second

DRAIN_SHOWN_S = 10  # at most so many seconds of waiting for late answers


def timeline(record: LevelRecord) -> list[Second]:
    """The seconds of a level and of its drain.

    Counts are those of the wall clock's second, read off between samples and rounded so that they
    add up; response times are of orders intended in that second.
    """
    agents = samples(record)
    if not agents:
        return []
    last_s = max(float(agent.elapsed_s[-1]) for agent in agents)
    end = min(math.ceil(last_s - 0.5), record.level.duration_s + DRAIN_SHOWN_S)
    edges = np.arange(end + 1, dtype=np.float64)
    offered, sent_orders, answers = (
        _per_second(agents, edges, quantity) for quantity in (due, sent, answered)
    )
    in_flight = np.rint(total_at(agents, edges[1:], _in_flight)).astype(int)
    backlog = np.rint(total_at(agents, edges[1:], _backlog)).astype(int)
    percentiles = _response_percentiles(record)
    return [
        Second(
            index=second,
            offered=offered[second],
            sent=sent_orders[second],
            answered=answers[second],
            in_flight=int(in_flight[second]),
            backlog=int(backlog[second]),
            response_p50_ns=percentiles.get(second, (None, None))[0],
            response_p99_ns=percentiles.get(second, (None, None))[1],
            phase=phase_of(record.level, second),
        )
        for second in range(max(end, 0))
    ]


def _per_second(agents: list[Samples], edges: np.ndarray, quantity: Quantity) -> list[int]:
    counts = np.rint(total_at(agents, edges, quantity)).astype(int)
    return [int(count) for count in np.diff(counts)]


def _in_flight(progress: Progress) -> int:
    return progress.in_flight


def _backlog(progress: Progress) -> int:
    return progress.backlog


def _response_percentiles(record: LevelRecord) -> dict[int, tuple[int | None, int | None]]:
    """Median and p99 by second, unanswered orders counted; None where there are too few orders."""
    found = {}
    for second, intervals in merge_by_second(record.agents).items():
        response = Histogram.sum(interval.response for interval in intervals)
        missing = sum(i.orders.timed_out + i.orders.lost + i.orders.unsent for i in intervals)
        median, _ = percentile_of(response, 50, missing)
        p99, _ = percentile_of(response, 99, missing)
        found[second] = (median, p99)
    return found
