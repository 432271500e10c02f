"""Which seconds of a level count, and what all agents recorded in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from cluster.experiment.plan import Level
from cluster.results.agent import AgentResult, Interval
from cluster.results.histogram import Histogram
from cluster.results.level import LevelRecord
from cluster.results.orders import OrderCounts

Phase = Literal["warm-up", "control", "profile", "drain"]


@dataclass(frozen=True)
class Windows:
    """Seconds of a level by use; cut where the level, or the first lost agent, ended."""

    control: range
    profile: range


@dataclass(frozen=True)
class Merged:
    """What all agents recorded about orders intended in the same seconds."""

    seconds: range
    orders: OrderCounts
    response: Histogram
    service: Histogram
    send_lag: Histogram
    engine: Histogram
    other_reply: Histogram  # by the second in which it came

    @property
    def unanswered(self) -> int:
        """Sent orders that were never answered."""
        return self.orders.timed_out + self.orders.lost


def common_end_s(record: LevelRecord) -> int:
    """The second up to which every agent has data.

    Only what all agents have is merged: beyond it the offered load was another one.
    """
    lost = [_covered_s(agent) for agent in record.agents if agent.lost]
    return min([record.completed_s, *lost])


def _covered_s(agent: AgentResult) -> int:
    return agent.intervals[-1].index + 1 if agent.intervals else 0


def windows(record: LevelRecord) -> Windows:
    """The control and profile windows of a level as far as it went."""
    level, end = record.level, common_end_s(record)
    control_end = level.warmup_s + level.control_s
    return Windows(
        control=range(min(level.warmup_s, end), min(control_end, end)),
        profile=range(min(control_end, end), min(level.duration_s, end)),
    )


def phase_of(level: Level, second: int) -> Phase:
    """What second `second` of a level is for."""
    if second < level.warmup_s:
        return "warm-up"
    if second < level.warmup_s + level.control_s:
        return "control"
    return "profile" if second < level.duration_s else "drain"


def merge(agents: Sequence[AgentResult], seconds: range) -> Merged:
    """Add up every agent's intervals of `seconds`, exactly."""
    chosen = [i for agent in agents for i in agent.intervals if i.index in seconds]
    return merge_intervals(chosen, seconds)


def merge_intervals(chosen: Sequence[Interval], seconds: range = range(1)) -> Merged:
    """Add up intervals, exactly."""
    return Merged(
        seconds=seconds,
        orders=total_orders(i.orders for i in chosen),
        response=Histogram.sum(i.response for i in chosen),
        service=Histogram.sum(i.service for i in chosen),
        send_lag=Histogram.sum(i.send_lag for i in chosen),
        engine=Histogram.sum(i.engine for i in chosen),
        other_reply=Histogram.sum(i.other_reply for i in chosen),
    )


def merge_by_second(agents: Sequence[AgentResult]) -> dict[int, list[Interval]]:
    """The agents' intervals by second."""
    by_second: dict[int, list[Interval]] = {}
    for agent in agents:
        for interval in agent.intervals:
            by_second.setdefault(interval.index, []).append(interval)
    return by_second


def total_orders(counts: Iterable[OrderCounts]) -> OrderCounts:
    """Add up books."""
    return sum(counts, OrderCounts())
