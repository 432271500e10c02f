"""The utilisation law: how busy the engine's busiest thread is per order, and what that allows.

U = X · S (Denning and Buzen, "The Operational Analysis of Queueing Network Models", ACM Computing
Surveys 10 (3), 1978): a thread that is busy U of the time while X orders per second are answered
spends S = U / X on each, and at U = 1 no more than 1 / S can be answered. X counts the orders of
all threads: where several share them out, the busiest one's share is in S already, and the
prediction holds as long as the shares stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cluster.analysis.series import answered, mean_rate, samples
from cluster.results.engine import EngineWindow, ThreadUse
from cluster.results.level import LevelRecord
from cluster.results.summary import LevelSummary
from cluster.units import NS_PER_S, format_rate

# A thread that waits for orders in a loop is always on the CPU. 5 % is left for what interrupts it.
SPINNING_UTILISATION: Final = 0.95
# A thread that is really saturated can't do twice as much at another level.
SPINNING_THROUGHPUT_RATIO: Final = 0.5

NO_WINDOW: Final = "the engine's threads were not watched during the control window"
NOT_SAMPLED: Final = "no order was answered while the engine's threads were watched"
IDLE: Final = "no engine thread was seen on a CPU"


@dataclass(frozen=True)
class ServiceDemand:
    """What one order costs the busiest engine thread."""

    busy_ns_per_order: float | None
    predicted_max_per_s: float | None
    why: str = ""  # there is none


def busiest(threads: Sequence[ThreadUse]) -> ThreadUse | None:
    """The thread that was on a CPU most."""
    return max(threads, key=lambda thread: thread.utilisation_ratio, default=None)


def service_demand(record: LevelRecord) -> ServiceDemand:
    """On-CPU ns of the busiest engine thread per order answered meanwhile, and what it allows."""
    window = record.engine_control
    thread = busiest(window.threads) if window else None
    if window is None or thread is None:
        return ServiceDemand(None, None, NO_WINDOW)
    rate_per_s = _answered_per_s(record, window)
    if not rate_per_s:
        return ServiceDemand(None, None, NOT_SAMPLED)
    busy_ns = thread.utilisation_ratio * NS_PER_S / rate_per_s
    if not busy_ns:
        return ServiceDemand(None, None, IDLE)
    return ServiceDemand(busy_ns, NS_PER_S / busy_ns)


def _answered_per_s(record: LevelRecord, window: EngineWindow) -> float | None:
    from_s = (window.start_ns - record.start_ns) / NS_PER_S
    to_s = (window.end_ns - record.start_ns) / NS_PER_S
    return mean_rate(samples(record), from_s, to_s, answered)


def spinning_reason(levels: Sequence[LevelSummary]) -> str:
    """Why the busiest thread's CPU time says nothing about its work; "" when it does.

    A thread on the CPU all the time is either saturated or polls. It polls when it was so at a
    level with less than half of the orders another level had answered. With one level alone the
    two can't be told apart, and nothing is predicted.
    """
    used = [(level, busiest(level.engine_threads)) for level in levels]
    measured = [
        (level.throughput_per_s.mean, thread)
        for level, thread in used
        if thread is not None and level.throughput_per_s.mean
    ]
    always = [
        (rate, thread)
        for rate, thread in measured
        if thread.utilisation_ratio >= SPINNING_UTILISATION
    ]
    if not always:
        return ""
    most = max(rate for rate, _ in measured)
    least, thread = min(always, key=lambda pair: pair[0])
    if least < SPINNING_THROUGHPUT_RATIO * most:
        return (
            f"thread {thread.name} was on the CPU {thread.utilisation_ratio:.0%} of the time at "
            f"{format_rate(least)} already, and {format_rate(most)} were answered at another "
            "level: it polls, so its CPU time says nothing about its work"
        )
    if len(measured) == 1:
        return (
            f"thread {thread.name} was on the CPU {thread.utilisation_ratio:.0%} of the time at "
            "the only level: it may be saturated or polling; a level at a third of the rate tells"
        )
    return ""


def without_predictions(levels: Sequence[LevelSummary], why: str) -> list[LevelSummary]:
    """The levels with the service demand taken back, and why."""
    names = ("busy_ns_per_order", "predicted_max_per_s")
    return [
        level.model_copy(
            update=dict.fromkeys(names)
            | {"not_measured": level.not_measured | dict.fromkeys(names, why)}
        )
        for level in levels
    ]
