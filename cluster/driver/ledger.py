"""What the agents have said so far during a level, kept as it comes in."""

from collections.abc import Mapping
from typing import TypeVar

from cluster.fleet.agent import Closing, Poll
from cluster.results.agent import AgentResult, Interval, Progress
from cluster.results.histogram import Histogram
from cluster.results.orders import OrderCounts
from cluster.results.over_time import Activity
from cluster.results.replies import ReplyCounts

Second = TypeVar("Second", Interval, Activity)


class Ledger:
    """Progress and closed seconds of every agent of one level.

    Whatever an agent has said stays, also when it is lost afterwards.
    """

    def __init__(self, agents: tuple[str, ...]) -> None:
        self.progress: dict[str, list[Progress]] = {agent: [] for agent in agents}
        self.lost: dict[str, str] = {}
        self._intervals: dict[str, dict[int, Interval]] = {agent: {} for agent in agents}
        self._activity: dict[str, dict[int, Activity]] = {agent: {} for agent in agents}
        self._closings: dict[str, Closing] = {}

    @property
    def living(self) -> tuple[str, ...]:
        """Agents that have always answered."""
        return tuple(agent for agent in self.progress if agent not in self.lost)

    def take(self, polls: Mapping[str, Poll], failed: Mapping[str, str]) -> None:
        """Enter what a round of polls brought."""
        self.lost.update(failed)
        for agent, poll in polls.items():
            self.progress[agent].append(poll.progress)
            for interval in poll.intervals:
                _add(self._intervals[agent], interval.index, interval)
            for second in poll.activity:
                _add(self._activity[agent], second.index, second)

    def close(self, closings: Mapping[str, Closing], failed: Mapping[str, str]) -> None:
        """Enter what the agents said at the end."""
        self._closings.update(closings)
        self.take({agent: closing.poll for agent, closing in closings.items()}, failed)

    def latest(self) -> tuple[Progress, ...]:
        """The newest progress of each agent that has any."""
        return tuple(said[-1] for said in self.progress.values() if said)

    def orders(self) -> OrderCounts:
        """The books of all agents, as far as known."""
        return sum((progress.orders for progress in self.latest()), OrderCounts())

    def newest_response(self) -> Histogram:
        """Response times of the newest second that any agent has closed, all agents merged."""
        newest = max((max(mine) for mine in self._intervals.values() if mine), default=None)
        return Histogram.sum(
            mine[newest].response
            for mine in self._intervals.values()
            if newest is not None and newest in mine
        )

    def closed(self) -> tuple[list[Interval], int]:
        """What is surely whole: the seconds that every living agent has handed over.

        Its newest second is left out: workers hand over one by one, and one may be missing.

        Returns:
            The intervals, and before which second they are.
        """
        newest = [max(self._intervals[agent], default=0) for agent in self.living]
        closed_s = min(newest, default=0)
        return [
            interval
            for mine in self._intervals.values()
            for interval in mine.values()
            if interval.index < closed_s
        ], closed_s

    def results(
        self, hosts: Mapping[str, str], starts: Mapping[str, int]
    ) -> tuple[AgentResult, ...]:
        """One result per agent.

        Args:
            hosts: host name by agent.
            starts: the common start in each agent's clock, ns.
        """
        return tuple(self._result(agent, hosts[agent], starts[agent]) for agent in self.progress)

    def _result(self, agent: str, host: str, start_ns: int) -> AgentResult:
        closing = self._closings.get(agent)
        said = self.progress[agent]
        return AgentResult(
            agent=agent,
            host=host,
            start_ns=start_ns,
            intervals=_rising(self._intervals[agent]),
            orders=said[-1].orders if said else OrderCounts(),
            errors=dict(said[-1].errors) if said else {},
            tcp=closing.tcp if closing else None,
            workers=closing.workers if closing else (),
            peak_rss_bytes=closing.peak_rss_bytes if closing else 0,
            lost=self.lost.get(agent, ""),
            replies=said[-1].replies if said else ReplyCounts(),
            reject_reasons=dict(closing.reject_reasons) if closing else {},
            activity=_rising(self._activity[agent]),
            jitter=closing.jitter if closing else None,
            steal_ratio=closing.steal_ratio if closing else None,
            no_kernel_times=closing.no_kernel_times if closing else "",
            began_ns=closing.began_ns if closing else None,
        )


def _add(seconds: dict[int, Second], index: int, part: Second) -> None:
    """Enter a part of a second: of one worker, or of what one poll brought."""
    known = seconds.get(index)
    seconds[index] = part if known is None else known + part


def _rising(seconds: Mapping[int, Second]) -> tuple[Second, ...]:
    return tuple(seconds[index] for index in sorted(seconds))
