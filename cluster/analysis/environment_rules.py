"""Findings about the hosts: who waited for a CPU, what was lost, what the profiler moved."""

from typing import Final

from cluster.analysis.finding import finding
from cluster.analysis.observed import Observed
from cluster.analysis.uncertainty.effective_sample import INDEPENDENT
from cluster.analysis.uncertainty.intervals import percentile_dependence, percentile_interval
from cluster.analysis.uncertainty.latency import percentile_of
from cluster.analysis.uncertainty.pieces import RESPONSE
from cluster.analysis.windows import Merged
from cluster.results.finding import Finding, Severity
from cluster.results.summary import Uncertainty
from cluster.units import NS_PER_S, format_ns

# Engineering limits, to be read with the figure beside them: waiting to run over the window.
RUN_QUEUE_NOTICED: Final = 0.05
RUN_QUEUE_BAD: Final = 0.2
STEAL_NOTICED: Final = 0.01
# On a LAN a retransmission waits at least 200 ms (TCP_RTO_MIN of Linux), which makes any tail.
RETRANSMIT_RATIO: Final = 0.0001
# Two windows differ when the 95 % intervals of their percentile are apart and it moved so much.
MOVED_RATIO: Final = 0.1


def engine_has_cpu(seen: Observed) -> Finding | None:
    """No engine thread waits for a CPU that others use."""
    threads = seen.engine_threads
    if not threads:
        return None
    worst = max(threads, key=lambda thread: thread.run_queue_ratio)
    if worst.run_queue_ratio <= RUN_QUEUE_NOTICED:
        return None
    return finding(
        seen,
        Severity.WARNING,
        "engine-waits-for-cpu",
        f"Engine thread {worst.name} was ready to run but had no CPU for "
        f"{worst.run_queue_ratio:.0%} of the time.",
        "Something shares its CPUs: clients, other programs, or more threads than CPUs. Give the "
        "engine CPUs of its own (`cpus`), or load it from other hosts.",
    )


def client_has_cpu(seen: Observed) -> Finding | None:
    """No load worker waits for a CPU that others use."""
    waits = [
        (worker.run_queue_wait_ns / (seen.sending_s * NS_PER_S), agent)
        for agent in seen.record.agents
        for worker in agent.workers
        if seen.sending_s > 0
    ]
    if not waits:
        return None
    ratio, agent = max(waits, key=lambda pair: pair[0])
    if ratio <= RUN_QUEUE_NOTICED:
        return None
    return finding(
        seen,
        Severity.WARNING,
        "client-waits-for-cpu",
        f"A worker of {agent.agent} on {agent.host} was ready to run but had no CPU for "
        f"{min(ratio, 1):.0%} of the time.",
        "Use fewer workers than CPUs, pin them (`cpus`), or use another load host.",
    )


def host_has_cpu(seen: Observed) -> Finding | None:
    """The hypervisor gives the engine's host its CPUs."""
    window = seen.record.engine_control
    steal = window.steal_ratio if window else None
    if steal is None or steal <= STEAL_NOTICED:
        return None
    return finding(
        seen,
        Severity.WARNING,
        "host-steals-cpu",
        f"The hypervisor took {steal:.1%} of the CPU time from the engine's host.",
        "Times on this host are not only the engine's. Use dedicated CPUs for figures to keep.",
    )


def network_keeps_packets(seen: Observed) -> Finding | None:
    """TCP retransmits next to nothing."""
    stats = [agent.tcp for agent in seen.record.agents if agent.tcp is not None]
    retransmits = sum(tcp.retransmits for tcp in stats)
    sent = sum(agent.orders.sent for agent in seen.record.agents)
    if not sent or retransmits <= RETRANSMIT_RATIO * sent:
        return None
    return finding(
        seen,
        Severity.WARNING,
        "tcp-retransmits",
        f"TCP retransmitted {retransmits:,} segments for {sent:,} orders.",
        "Each costs its orders 200 ms or more. Look for drops on the NICs and switches between.",
    )


def profiler_is_quiet(seen: Observed) -> Finding | None:
    """The response time with the profiler running is that without."""
    moved = _moved(seen, seen.control, seen.profile, 99)
    if moved is None:
        return None
    before, after = moved
    return finding(
        seen,
        Severity.WARNING,
        "profiler-moved-p99",
        f"The p99 response time was {format_ns(before)} without and {format_ns(after)} with the "
        f"profiler ({after / before - 1:+.0%}).",
        "Latencies are taken from the window without it. For a truer profile lower "
        "`profile.frequency_hz`, or use `call_graph: fp`.",
    )


def _moved(seen: Observed, one: Merged, other: Merged, percentile: float) -> tuple[int, int] | None:
    """A response percentile of two windows when it differs beyond chance and MOVED_RATIO."""
    before, before_interval = _percentile(seen, one, percentile)
    after, after_interval = _percentile(seen, other, percentile)
    if not before or after is None or before_interval is None or after_interval is None:
        return None
    apart = _below(before_interval, after_interval) or _below(after_interval, before_interval)
    return (before, after) if apart and abs(after / before - 1) > MOVED_RATIO else None


def _percentile(
    seen: Observed, window: Merged, percentile: float
) -> tuple[int | None, Uncertainty | None]:
    value, _ = percentile_of(window.response, percentile, window.unanswered)
    if value is None:
        return None, None
    found, _ = percentile_dependence(seen.over_time(window, RESPONSE), value)
    # Where dependence can't be told the window is short, or drifts, which is what we look for.
    interval, _ = percentile_interval(
        window.response, percentile, window.unanswered, found or INDEPENDENT
    )
    return value, interval


def _below(one: Uncertainty, other: Uncertainty) -> bool:
    return one.high is not None and one.high < other.low
