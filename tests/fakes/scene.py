"""A level with two fake agents, a fake engine's side and somebody who looks on."""

from dataclasses import dataclass, field

from cluster.driver.ledger import Ledger
from cluster.driver.lengths import LengthTests
from cluster.driver.level import LevelRun
from cluster.experiment.model import Experiment
from cluster.experiment.plan import Level, plan
from cluster.experiment.wire import compile_protocol
from cluster.fleet.in_process import InProcessFleet
from cluster.results.engine import EngineWindow
from cluster.results.level import LevelRecord
from cluster.units import NS_PER_S
from fakes.agents import FakeAgent, FakeClock


@dataclass
class FakeEngine:
    """An engine's side that notes what it was asked."""

    clock: FakeClock
    exits_after_s: float | None = None
    opened_ns: list[int] = field(default_factory=list)
    closed_ns: list[int] = field(default_factory=list)
    windows: list[tuple[int, int]] = field(default_factory=list)
    _born_ns: int = 0

    def __post_init__(self) -> None:
        self._born_ns = self.clock.now_ns()

    def engine_exit(self) -> str:
        """See `EngineWatch`."""
        age_s = (self.clock.now_ns() - self._born_ns) / NS_PER_S
        if self.exits_after_s is not None and age_s >= self.exits_after_s:
            return "the engine ended by itself: SIGABRT"
        return ""

    def open_window(self, level: int) -> None:
        """See `EngineWatch`."""
        assert level == 0
        self.opened_ns.append(self.clock.now_ns())

    def close_window(self) -> None:
        """See `EngineWatch`."""
        self.closed_ns.append(self.clock.now_ns())

    def engine_window(self, start_ns: int, end_ns: int) -> EngineWindow | None:
        """See `EngineWatch`."""
        self.windows.append((start_ns, end_ns))
        return None


@dataclass
class FakeWatcher:
    """Somebody who looks on, and may interrupt."""

    interrupts_at_s: int | None = None
    seconds: list[int] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    moved_to: list[tuple[int, int]] = field(default_factory=list)

    def second(self, level: Level, elapsed_s: int, ledger: Ledger, remark: str = "") -> None:
        """See `Watcher`."""
        assert level.index == 0
        assert ledger.latest()
        self.seconds.append(elapsed_s)
        self.remarks.append(remark)
        if elapsed_s == self.interrupts_at_s:
            raise KeyboardInterrupt

    def moved(self, level: Level) -> None:
        """See `Watcher`."""
        self.moved_to.append((level.warmup_s, level.control_s))

    def event(self, kind: str, *, time_ns: int | None = None, **facts: str | float | None) -> None:
        """See `Watcher`."""
        assert time_ns is None or time_ns > 0
        assert facts["level"] == 0
        self.events.append(kind)


EXPERIMENT = Experiment.model_validate(
    {
        "name": "fake",
        "agents": {"count": 2},
        "load": {"rates_per_s": [1000]},
        "measure": {"warmup_s": 1, "control_s": 3},
        "profile": {"window_s": 2},
    }
)
PLAN = plan(EXPERIMENT, frozenset({0, 1}))
LEVEL = PLAN.levels[0]
PROTOCOL = compile_protocol(EXPERIMENT, PLAN)


@dataclass
class Scene:
    """A level with two fake agents."""

    clock: FakeClock = field(default_factory=FakeClock)
    watcher: FakeWatcher = field(default_factory=FakeWatcher)
    level: Level = LEVEL
    tests: LengthTests = field(default_factory=LengthTests)
    same_clock: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.engine = FakeEngine(self.clock)
        self.agents = {name: FakeAgent(self.clock) for name in ("agent-0", "agent-1")}

    def carry_out(self) -> LevelRecord:
        """Have the real driver run it."""
        with InProcessFleet(self.agents) as fleet:  # type: ignore[arg-type]  # a fake by shape
            return LevelRun(
                EXPERIMENT,
                PROTOCOL,
                self.level,
                fleet,
                {"agent-0": "load-1", "agent-1": "load-2"},
                self.engine,
                self.watcher,
                now_ns=self.clock.now_ns,
                sleep=self.clock.sleep,
                tests=self.tests,
                same_clock=self.same_clock,
            ).carry_out()
