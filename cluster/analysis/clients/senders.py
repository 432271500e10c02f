"""Who sends: every client, and all of them as if they were one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np

from cluster.analysis.clients.lag import AgentWindow
from cluster.analysis.windows import Merged
from cluster.experiment.plan import Level
from cluster.results.agent import AgentResult
from cluster.results.over_time import SLOTS_PER_S, Activity, Counts

ALL: Final = "all clients"


@dataclass(frozen=True)
class Sender:
    """A client, or all, as a sender."""

    who: str
    rate_per_s: float
    activity: tuple[Activity, ...]
    due_per_slot: Counts  # Shape (seconds · SLOTS_PER_S,)
    own: Merged
    excused: bool


def senders_of(level: Level, agents: Sequence[AgentWindow], control: Merged) -> list[Sender]:
    """Each client, and all together where there are several, by each one's own clock."""
    rates = {share.agent: share.rate_per_s for share in level.shares}
    each = [_sender(window, rates.get(window.agent.agent, 0.0), control) for window in agents]
    if len(each) <= 1:
        return each
    together = _superposed([sender.activity for sender in each])
    return [
        *each,
        Sender(
            who=ALL,
            rate_per_s=level.offered_per_s or 0.0,
            activity=together,
            due_per_slot=_due([window.agent for window in agents], together),
            own=control,
            excused=any(sender.excused for sender in each),
        ),
    ]


def _sender(window: AgentWindow, rate_per_s: float, control: Merged) -> Sender:
    activity = inside(window.agent.activity, control.seconds)
    return Sender(
        who=window.agent.agent,
        rate_per_s=rate_per_s,
        activity=activity,
        due_per_slot=_due([window.agent], activity),
        own=window.own,
        # What never left is no law's: ended connections and unsent orders have findings.
        excused=bool(window.own.orders.lost or window.own.orders.unsent)
        or (window.lag is not None and window.lag.fault == "engine"),
    )


def _due(agents: Sequence[AgentResult], activity: Sequence[Activity]) -> Counts:
    """Orders due in each slot of the seconds of `activity`."""
    seconds = {second.index: np.zeros(SLOTS_PER_S, np.int64) for second in activity}
    for agent in agents:
        for interval in agent.intervals:
            if interval.index in seconds:
                seconds[interval.index] += interval.slots.due
    return np.concatenate(list(seconds.values()) or [np.zeros(0, np.int64)])


def inside(activity: Sequence[Activity], seconds: range) -> tuple[Activity, ...]:
    """A client's doings in a window."""
    return tuple(second for second in activity if second.index in seconds)


def _superposed(activities: Sequence[tuple[Activity, ...]]) -> tuple[Activity, ...]:
    by_second = [{second.index: second for second in activity} for activity in activities]
    common = sorted(set.intersection(*(set(seconds) for seconds in by_second)))
    return tuple(
        reduce(Activity.__add__, (seconds[index] for seconds in by_second)) for index in common
    )
