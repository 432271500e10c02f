"""When a level must end before its time. Pure: what was seen in, a reason out."""

from dataclasses import dataclass

from cluster.experiment.model import Abort
from cluster.results.agent import Progress
from cluster.results.histogram import Histogram
from cluster.results.orders import OrderCounts
from cluster.units import NS_PER_MS, NS_PER_S, format_ns

# Below so many orders a ratio says little: one timed-out order of ten is not an overload.
SENT_FOR_A_RATIO = 100


@dataclass(frozen=True)
class Seen:
    """What is known of the level at the end of a second."""

    orders: OrderCounts
    newest_response: Histogram
    latest: tuple[Progress, ...]
    lost_agents: dict[str, str]
    engine_exit: str  # how the engine ended, or empty


def reason_to_end(seen: Seen, abort: Abort) -> str:
    """Why the level must end now, or an empty string. The first reason that holds, causes first."""
    if seen.engine_exit:
        return seen.engine_exit
    if seen.lost_agents:
        return "; ".join(f"{agent} was lost: {why}" for agent, why in seen.lost_agents.items())
    if alone := sum(progress.errors.get("lease_expired", 0) for progress in seen.latest):
        return (
            f"{alone:,} of {len(seen.latest):,} agents stopped by themselves: they had not heard "
            "from the driver for five seconds (was it frozen, or cut off from them?)"
        )
    if seen.latest and all(progress.connections_open == 0 for progress in seen.latest):
        return f"the engine closed every connection ({_errors(seen.latest)})"
    return _overload(seen, abort)


def end_of_orders(latest: tuple[Progress, ...], second: int) -> tuple[int, str]:
    """Whether a source of orders has ended and each of them has met its fate, at every agent.

    One that was cut short ends the level for all: its agent's share is missing from then on.

    Returns:
        The whole seconds during which orders were offered, and why no more come; an empty string
        while some do.
    """
    ended = [progress for progress in latest if progress.finished and progress.source_ended]
    failed = [progress for progress in ended if progress.source_failed]
    if not failed and (not ended or len(ended) < len(latest)):
        return second, ""
    first = min(failed or ended, key=lambda progress: progress.source_ended_ns)
    # Closed-loop no order has a time: the second in which the last was answered is not whole.
    whole_s = first.source_ended_ns // NS_PER_S if first.source_ended_ns else second - 1
    return min(whole_s, second), first.source_ended


def _overload(seen: Seen, abort: Abort) -> str:
    failed = seen.orders.timed_out + seen.orders.lost
    if seen.orders.sent >= SENT_FOR_A_RATIO and failed > abort.error_ratio * seen.orders.sent:
        return (
            f"{failed:,} of {seen.orders.sent:,} orders timed out or were lost "
            f"({failed / seen.orders.sent:.1%}, abort.error_ratio is {abort.error_ratio:.1%})"
        )
    p99_ns = seen.newest_response.percentile(99)
    if p99_ns is not None and p99_ns > abort.response_p99_ms * NS_PER_MS:
        limit = format_ns(abort.response_p99_ms * NS_PER_MS)
        return f"response time p99 rose to {format_ns(p99_ns)} (abort.response_p99_ms is {limit})"
    return ""


def _errors(latest: tuple[Progress, ...]) -> str:
    totals: dict[str, int] = {}
    for progress in latest:
        for kind, count in progress.errors.items():
            totals[kind] = totals.get(kind, 0) + count
    counted = [f"{kind.replace('_', ' ')}: {count:,}" for kind, count in totals.items() if count]
    return ", ".join(counted) or "no error was counted"
