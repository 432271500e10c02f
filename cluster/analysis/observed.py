"""One level, put together: what the rules and the verdict look at."""

from dataclasses import dataclass
from functools import cached_property

from cluster.analysis.clients.arrival_law import ArrivalJudgement, judge_arrivals
from cluster.analysis.clients.lag import AgentWindow, Lag, agent_windows, send_lag
from cluster.analysis.clients.outlier_agents import Outliers, outlier_agents
from cluster.analysis.throughput import throughput
from cluster.analysis.uncertainty.pieces import Pieces, Quantity, over_time
from cluster.analysis.windows import Merged, Windows, merge, windows
from cluster.results.engine import ThreadUse
from cluster.results.level import LevelRecord
from cluster.results.summary import Throughput


@dataclass(frozen=True)
class Observed:
    """A level's record with its windows merged."""

    record: LevelRecord
    windows: Windows
    control: Merged
    profile: Merged
    throughput: Throughput  # of the control window
    lag: Lag | None  # None when closed-loop: there is no schedule to be late against
    agents: tuple[AgentWindow, ...]  # each by itself in the control window

    @property
    def index(self) -> int:
        """Which level it is."""
        return self.record.level.index

    @property
    def closed_loop(self) -> bool:
        """Whether a fixed number of orders was kept in flight, and no rate offered."""
        return self.record.level.arrivals == "closed"

    @property
    def engine_threads(self) -> list[ThreadUse]:
        """The engine's threads over the control window; empty when they were not watched."""
        window = self.record.engine_control
        return list(window.threads) if window else []

    @property
    def sending_s(self) -> float:
        """How long orders were sent."""
        return (self.record.sending_ended_ns - self.record.start_ns) / 1e9

    def over_time(self, window: Merged, quantity: Quantity) -> tuple[Pieces, ...]:
        """All agents' durations in pieces of a window, the finest first."""
        intervals = [i for agent in self.record.agents for i in agent.intervals]
        return over_time(intervals, window.seconds, quantity)

    @cached_property
    def arrivals(self) -> list[ArrivalJudgement]:
        """Whether orders left by their law, of each client and of all."""
        return judge_arrivals(self.record.level, self.agents, self.control)

    @cached_property
    def outliers(self) -> Outliers:
        """The agents whose orders make the tail of all."""
        return outlier_agents(self.agents, self.control)


def observe(record: LevelRecord) -> Observed:
    """Merge a level's windows."""
    cut = windows(record)
    control = merge(record.agents, cut.control)
    return Observed(
        record=record,
        windows=cut,
        control=control,
        profile=merge(record.agents, cut.profile),
        throughput=throughput(record, cut.control),
        lag=None if record.level.arrivals == "closed" else send_lag(record, control),
        agents=agent_windows(record, cut.control),
    )
