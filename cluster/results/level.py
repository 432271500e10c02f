"""Everything that was measured at one level, before any conclusion."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cluster.experiment.plan import Level
from cluster.results.agent import AgentResult, Progress
from cluster.results.engine import EngineWindow, ProfileWindow
from cluster.results.replies import ReplyManners


@dataclass(frozen=True)
class LevelRecord:
    """One level as carried out. Times are the driver's monotonic clock, ns.

    The seconds [warmup_s, warmup_s + control_s) of the level are its control window, the next
    `profile_s` its profile window: both are whole intervals of every agent.
    """

    level: Level
    start_ns: int  # the common start
    sending_ended_ns: int
    ended_ns: int  # after the drain
    agents: tuple[AgentResult, ...]
    progress: Mapping[str, tuple[Progress, ...]]  # by agent, about one per second
    engine_control: EngineWindow | None
    engine_profile: EngineWindow | None
    profile: ProfileWindow | None
    ended_early: str = ""  # why, when it did: engine died, abort limit, interrupted
    completed_s: int = 0  # whole seconds during which the load was really offered
    in_flight_max: int | None = None  # bound of unanswered orders, all agents; None: not known
    manners: ReplyManners = field(default_factory=ReplyManners)  # of the protocol
