"""The tables about levels and agents."""

from collections.abc import Sequence
from typing import Final

from cluster.report.cells import (
    Cell,
    Table,
    columns,
    count,
    duration,
    missing,
    rate,
    ratio,
    reason_of,
    size,
    words,
)
from cluster.report.levels import level_name
from cluster.report.uncertainty_tables import half_width
from cluster.results.orders import OrderCounts
from cluster.results.summary import AgentSummary, Latency, LevelSummary

_PERCENTILES: Final = {"min": "min", "p50": "p50", "p95": "p95", "p99": "p99", "p99.9": "p99_9"}
_QUANTITIES: Final = {
    "Response time": "response_ns",
    "Service time": "service_ns",
    "Send lag": "send_lag_ns",
    "Engine time": "engine_ns",
}
_NO_PROFILER: Final = "no profiler ran at this level"
_NOTHING_OFFERED: Final = "closed-loop: nothing was offered"
_UNPROBED: Final = "the kernel gave no figure for this agent"


def percentile(latency: Latency, name: str) -> Cell:
    """One figure of a distribution, such as `p99_9`."""
    value: float | None = getattr(latency, name)
    return duration(value, reason_of(latency.not_measured, name, "count"))


def with_width(latency: Latency, name: str) -> Cell:
    """One figure with half the width of its interval beside it."""
    cell = percentile(latency, name)
    width = half_width(latency, name)
    return Cell(f"{cell.text} {width}") if width and not cell.is_missing else cell


def throughput_table(levels: Sequence[LevelSummary]) -> Table:
    """Offered load and throughput per level."""
    names = ("Level", "Arrivals", "Offered load", "In flight", "min", "mean", "max", "Valid")
    return Table(
        columns(names, words=("Level", "Arrivals", "Valid")),
        tuple(_throughput_row(level) for level in levels),
    )


def _throughput_row(level: LevelSummary) -> tuple[Cell, ...]:
    through = level.throughput_per_s
    return (
        words(level_name(level)),
        words(level.arrivals_in_words or level.arrivals),
        rate(level.offered_per_s, _NOTHING_OFFERED),
        count(level.in_flight, "open-loop: as many as it takes"),
        *(
            rate(getattr(through, name), reason_of(through.not_measured, name))
            for name in ("min", "mean", "max")
        ),
        valid_cell(level),
    )


def valid_cell(level: LevelSummary) -> Cell:
    """Whether a level can be trusted, and how it ended when it ended early."""
    text = "yes" if level.valid else "no"
    early = f", ended early: {level.ended_early}" if level.ended_early else ""
    return Cell(text + early, tone="good" if level.valid else "bad")


def response_table(levels: Sequence[LevelSummary]) -> Table:
    """Response time per level, with the p99 under the profiler beside."""
    names = ("Level", *_PERCENTILES, "max", "mean", "Spread", "Profiled p99")
    return Table(
        columns(names, words=("Level",)),
        tuple(
            (
                words(level_name(level)),
                *(with_width(level.response_ns, key) for key in _PERCENTILES.values()),
                percentile(level.response_ns, "max"),
                with_width(level.response_ns, "mean"),
                percentile(level.response_ns, "stdev"),
                missing(_NO_PROFILER)
                if level.profiled_response_ns is None
                else percentile(level.profiled_response_ns, "p99"),
            )
            for level in levels
        ),
    )


def parts_table(levels: Sequence[LevelSummary]) -> Table:
    """Response time, service time, send lag and engine time per level."""
    rows = tuple(
        (
            words(level_name(level)),
            words(quantity),
            *(percentile(getattr(level, field), key) for key in _PERCENTILES.values()),
            percentile(getattr(level, field), "max"),
        )
        for level in levels
        for quantity, field in _QUANTITIES.items()
    )
    names = ("Level", "Quantity", *_PERCENTILES, "max")
    return Table(columns(names, words=("Level", "Quantity")), rows)


def curve_table(levels: Sequence[LevelSummary]) -> Table:
    """Response time per level and percentile, as one row per point."""
    rows = tuple(
        (
            words(level_name(level)),
            words(f"p{point.percentile:g}"),
            duration(point.value_ns),
        )
        for level in levels
        for point in level.curve
    )
    return Table(
        columns(("Level", "Percentile", "Response time"), words=("Level", "Percentile")), rows
    )


def books_table(levels: Sequence[LevelSummary]) -> Table:
    """What became of every order, per level."""
    names = (
        "Level",
        "Intended",
        "Sent",
        "Unsent",
        "Accepted",
        "Rejected",
        "Timed out",
        "Lost",
        "Balance",
    )
    return Table(
        columns(names, words=("Level", "Balance")),
        tuple(_books_row(level_name(level), level.orders) for level in levels),
    )


def _books_row(name: str, orders: OrderCounts) -> tuple[Cell, ...]:
    fates = ("intended", "sent", "unsent", "accepted", "rejected", "timed_out", "lost")
    return (
        words(name),
        *(_fate(orders, fate) for fate in fates),
        _balance(orders),
    )


def _fate(orders: OrderCounts, fate: str) -> Cell:
    value: int = getattr(orders, fate)
    is_failure = fate in ("unsent", "timed_out", "lost") and value > 0
    return Cell(f"{value:,}", tone="bad" if is_failure else "")


def _balance(orders: OrderCounts) -> Cell:
    if orders.balanced:
        return Cell("balanced", tone="good")
    return Cell(
        f"off by {orders.schedule_imbalance:+,} (schedule) and {orders.answer_imbalance:+,} "
        "(answers)",
        tone="bad",
    )


def agents_table(levels: Sequence[LevelSummary]) -> Table:
    """Every agent at every level."""
    names = (
        "Level",
        "Agent",
        "Host",
        "Sent",
        "Answered",
        "Response time p99",
        "Send lag p99",
        "Busiest worker",
        "Waiting to run",
        "Round trip",
        "Retransmits",
        "Receiver-limited",
        "Buffer-limited",
        "Peak memory",
        "Errors",
    )
    return Table(
        columns(names, words=("Level", "Agent", "Host", "Errors")),
        tuple(_agent_row(level_name(level), agent) for level in levels for agent in level.agents),
    )


def _agent_row(level: str, agent: AgentSummary) -> tuple[Cell, ...]:
    rtt_us = agent.tcp_rtt_us_mean
    return (
        words(level),
        Cell(f"{agent.agent} (lost: {agent.lost})", tone="bad")
        if agent.lost
        else words(agent.agent),
        words(agent.host),
        count(agent.orders.sent),
        count(agent.orders.answered),
        percentile(agent.response_ns, "p99"),
        percentile(agent.send_lag_ns, "p99"),
        ratio(agent.worker_cpu_ratio, _UNPROBED),
        ratio(agent.worker_run_queue_ratio, _UNPROBED),
        duration(None if rtt_us is None else rtt_us * 1_000, _UNPROBED),
        count(agent.retransmits, _UNPROBED),
        ratio(agent.rwnd_limited_ratio, _UNPROBED),
        ratio(agent.sndbuf_limited_ratio, _UNPROBED),
        size(agent.peak_rss_bytes, _UNPROBED),
        words(", ".join(f"{kind} {n:,}" for kind, n in agent.errors.items()) or "none"),
    )
