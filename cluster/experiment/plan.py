"""The plan: pure arithmetic from an experiment to what each agent does at each level."""

from dataclasses import dataclass
from typing import Literal

from cluster.experiment.model import Experiment


@dataclass(frozen=True)
class AgentShare:
    """One agent's part of one level. Rates of all agents sum to the level's offered load."""

    agent: str  # agent-0, agent-1 …
    index: int
    rate_per_s: float  # 0 when closed-loop
    in_flight: int  # 0 when open-loop
    phase: float  # 0 to 1: where in an interval between its orders this agent starts
    connections: int
    workers: int
    cpus: tuple[int, ...]  # one per worker; empty: not pinned


@dataclass(frozen=True)
class Level:
    """One load level. Its parts follow each other without a gap: warm-up, control, profile."""

    index: int
    arrivals: Literal["constant", "poisson", "closed"]
    offered_per_s: float | None  # None when closed-loop
    in_flight: int | None  # only when closed-loop
    warmup_s: int  # whole seconds, so that windows are whole intervals
    control_s: int
    profile_s: int  # 0: no profiler at this level
    shares: tuple[AgentShare, ...]

    @property
    def duration_s(self) -> int:
        """Seconds during which orders are due."""
        return self.warmup_s + self.control_s + self.profile_s


@dataclass(frozen=True)
class Plan:
    """Everything a run will do, known before it starts."""

    levels: tuple[Level, ...]
    engine_cpus: tuple[int, ...]  # empty: not pinned


def plan(experiment: Experiment, usable_cpus: frozenset[int]) -> Plan:
    """Lay out `experiment`. `usable_cpus` are those this machine lets us use."""
    raise NotImplementedError
