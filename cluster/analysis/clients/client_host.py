"""What kept the clients, or their hosts, from sending and reading: pauses, jitter, preemption."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cluster.analysis.clients.senders import inside
from cluster.analysis.uncertainty.latency import percentile_of
from cluster.results.agent import AgentResult
from cluster.results.histogram import Histogram
from cluster.results.summary import Gaps
from cluster.units import NS_PER_S

# Of the time, as of orders, whose p99.9 is spoken of.
PAUSED_TIME: Final = 0.001


def gaps(histogram: Histogram | None) -> Gaps | None:
    """Pauses as percentiles; None when none were recorded."""
    if histogram is None or not histogram.total:
        return None
    return Gaps(
        p50=percentile_of(histogram, 50)[0],
        p99=percentile_of(histogram, 99)[0],
        p99_9=percentile_of(histogram, 99.9)[0],
        max=histogram.max,
    )


def poll_gaps(agent: AgentResult, seconds: range) -> Histogram:
    """The gaps between the passes of all workers of an agent in a window."""
    return Histogram.sum(second.poll_gap for second in inside(agent.activity, seconds))


def involuntary_switches(agent: AgentResult) -> int | None:
    """How often workers were made to give up their CPU; None when the kernel did not say."""
    if not agent.workers:
        return None
    return sum(worker.involuntary_switches for worker in agent.workers)


def pause_met_ns(histogram: Histogram, time_ns: float, share: float = PAUSED_TIME) -> int | None:
    """The pause that so large a share of the time was spent in, or in longer ones.

    A pass that lasts long is met by more orders: of passes a percentile would count a pause of
    10 ms as one among a million short passes, though one answer in a hundred came in it.

    Args:
        histogram: pauses.
        time_ns: during which they were, times the number of threads.
        share: of that time.

    Returns:
        The pause, ns; 0 when all pauses together are less; None when nothing was recorded.
    """
    if not histogram.total or time_ns <= 0:
        return None
    lengths = histogram.values_ns.astype(np.float64)
    spent = np.cumsum((histogram.counts * lengths)[::-1])
    place = int(np.searchsorted(spent, share * time_ns))
    return int(lengths[::-1][place]) if place < len(lengths) else 0


@dataclass(frozen=True)
class Pauses:
    """What an agent's own pauses make of response times."""

    agent: AgentResult
    met_ns: int  # 0.1 % of the time it was away for so long or longer
    share_p99_9: float | None  # of the response time's p99.9


def pauses(agent: AgentResult, seconds: range, response_p99_9_ns: int | None) -> Pauses | None:
    """An agent's pauses in a window; None when they were not recorded."""
    time_ns = len(seconds) * NS_PER_S * max(len(agent.workers), 1)
    met = pause_met_ns(poll_gaps(agent, seconds), time_ns)
    if met is None:
        return None
    return Pauses(agent, met, met / response_p99_9_ns if response_p99_9_ns else None)


def noise_ns(histogram: Histogram) -> int | None:
    """How much later than usual a sleeping thread woke up, once in a hundred times.

    Every wake-up is late by the kernel's timer slack. That is no noise: the usual lateness, the
    median, is taken off.
    """
    usual, _ = percentile_of(histogram, 50)
    late, _ = percentile_of(histogram, 99)
    return late - usual if late is not None and usual is not None else None


@dataclass(frozen=True)
class Preemption:
    """How a worker thread was kept from its CPU, at an agent's worst."""

    agent: AgentResult
    per_s: float
    wait_ns: float  # the mean wait, if all waiting came of preemption: an upper bound
    time_ratio: float  # of the sending time spent waiting


def preemption(agents: Sequence[AgentResult], sending_s: float) -> Preemption | None:
    """The worker that lost most time to other threads after it was made to give up its CPU."""
    if sending_s <= 0:
        return None
    found = [
        Preemption(
            agent,
            worker.involuntary_switches / sending_s,
            worker.run_queue_wait_ns / worker.involuntary_switches,
            worker.run_queue_wait_ns / (sending_s * NS_PER_S),
        )
        for agent in agents
        for worker in agent.workers
        if worker.involuntary_switches
    ]
    return max(found, key=lambda p: p.time_ratio, default=None)
