"""What speaks for and against the clients as the cause."""

from collections.abc import Sequence
from typing import Final

from cluster.analysis.clients.invariance import is_better
from cluster.analysis.clients.lag import (
    BACK_PRESSURE_RWND,
    LAG_NOTICED_NS,
    LAG_SHARE_P99,
    Lag,
    sndbuf_limited_ratio,
)
from cluster.analysis.environment_rules import RUN_QUEUE_BAD, RUN_QUEUE_NOTICED
from cluster.analysis.verdict.case import BUSY, IDLE, Case, row, waits_for_orders
from cluster.results.summary import Evidence, LevelSummary
from cluster.units import format_ns

LAG_SHARE_MOST: Final = 0.5
_HELD: Final = {
    "receive window": "Orders were late because the way to the engine was full, up to its window.",
    "in flight": "Orders waited for answers to others: as many were in flight as may be.",
    "sockets": "Orders were late because the sockets took no more: the clients looked in time.",
}


def send_lag(case: Case) -> Evidence | None:
    """Late sends are the client's, unless the engine pushed back."""
    lag = _worst(case)
    if lag is None or lag.p99_ns is None:
        return None
    share = lag.share_p99
    value = format_ns(lag.p99_ns) + (f", {share:.0%} of the p99 response time" if share else "")
    name = "send lag p99"
    if lag.held_by == "receive window" and not waits_for_orders(case):
        return row(
            name,
            value,
            "Orders were late because the engine did not take them.",
            supports="engine",
            against=("client",),
            weight=1.0,
        )
    if lag.held_by:
        return row(name, value, _HELD[lag.held_by], against=("client",), weight=1.0)
    if lag.p99_ns > LAG_NOTICED_NS and (share is None or share > LAG_SHARE_P99):
        if not lag.own:
            sentence = (
                "Orders left late from clients that had time: their sockets may have been full."
            )
            return row(name, value, sentence, supports="client", weight=1.0)
        weight = 3.0 if share is None or share > LAG_SHARE_MOST else 1.5
        return row(name, value, "Orders left the clients late.", supports="client", weight=weight)
    return row(
        name,
        value,
        "Leaving the clients late made little of the response time.",
        against=("client",),
        weight=1.0,
    )


def _worst(case: Case) -> Lag | None:
    """The lag of all clients, or that of one which is late by itself."""
    lags = [case.seen.lag, *(window.lag for window in case.seen.agents)]
    known = [lag for lag in lags if lag is not None and lag.p99_ns is not None]
    return min(known, key=lambda lag: (not lag.missed, not lag.late), default=None)


def worker_cpu(case: Case) -> Evidence | None:
    """A load worker that is always on the CPU is at its limit, unless it polls."""
    ratio = _busiest_worker(case.seen.index, case.levels)
    if ratio is None:
        return None
    name, value = "busiest load worker", f"{ratio:.0%} on the CPU"
    if ratio + (_longest_wait(case) or 0) < IDLE:
        return row(
            name, value, "The clients had CPU time to spare.", against=("client",), weight=1.0
        )
    if ratio < BUSY:
        return row(name, value, "The clients were busy, but not all the time.")
    calm = [
        other
        for level in case.levels
        if (other := _busiest_worker(level.index, case.levels)) is not None and other < BUSY
    ]
    if not calm:
        return row(name, value, "Workers that spin are always on the CPU: this says nothing.")
    return row(name, value, "A load worker had no CPU time left.", supports="client", weight=2.5)


def _busiest_worker(index: int, levels: Sequence[LevelSummary]) -> float | None:
    ratios = [
        agent.worker_cpu_ratio
        for level in levels
        if level.index == index
        for agent in level.agents
        if agent.worker_cpu_ratio is not None
    ]
    return max(ratios, default=None)


def worker_wait(case: Case) -> Evidence | None:
    """A load worker that waits for a CPU is late in sending and in receiving."""
    ratio = _longest_wait(case)
    if ratio is None:
        return None
    name, value = "load worker waiting for a CPU", f"{ratio:.1%} of the time"
    if ratio <= RUN_QUEUE_NOTICED:
        return row(
            name,
            value,
            "The clients got a CPU when they wanted one.",
            against=("client",),
            weight=0.3,
        )
    weight = 2.0 if ratio > RUN_QUEUE_BAD else 1.0
    return row(
        name,
        value,
        "The clients waited for CPUs that others used.",
        supports="client",
        weight=weight,
    )


def _longest_wait(case: Case) -> float | None:
    waits = [
        agent.worker_run_queue_ratio
        for level in case.levels
        if level.index == case.seen.index
        for agent in level.agents
        if agent.worker_run_queue_ratio is not None
    ]
    return max(waits, default=None)


def send_buffer(case: Case) -> Evidence | None:
    """A full send buffer while the receiver's window is open."""
    ratio = sndbuf_limited_ratio(case.seen.record)
    if ratio is None or ratio < BACK_PRESSURE_RWND:
        return None
    return row(
        "client's send buffer full",
        f"{ratio:.1%} of the sending time",
        "The clients' send buffers are too small for this path.",
        supports="client",
        weight=0.7,
    )


def twice_the_clients(case: Case) -> Evidence | None:
    """The same load from twice as many clients: what changes is the clients' doing."""
    found = case.invariance
    if found is None or found.differs is None:
        return None
    name = f"{found.clients_twin} clients instead of {found.clients}"
    told = (
        f"p99 {format_ns(once)} and {format_ns(twice)}"
        if (once := found.p99_ns[0]) is not None and (twice := found.p99_ns[1]) is not None
        else "other figures"
        if found.differs
        else "the same figures"
    )
    if not found.differs:
        return row(name, told, "It does not matter who sends.", against=("client",), weight=1.5)
    if is_better(found):
        sentence = "The same load was answered sooner, or more of it, when more clients sent it."
        return row(name, told, sentence, supports="client", weight=2.5)
    return row(name, told, "More clients were in each other's way: this says nothing of fewer.")


def replies_unread(case: Case) -> Evidence | None:
    """The engine's replies wait because the clients do not read them."""
    window = case.seen.record.engine_control
    if window is None or window.rwnd_limited_ratio is None or window.send_busy_ratio is None:
        return None
    # Of the whole window, not only of the time in which replies were on their way.
    held_back = window.rwnd_limited_ratio * window.send_busy_ratio
    if held_back < BACK_PRESSURE_RWND:
        return None
    return row(
        "engine's replies held back by the clients",
        f"{held_back:.0%} of the time",
        "The clients did not read what the engine had sent.",
        supports="client",
        against=("engine",),
        weight=2.0,
    )
