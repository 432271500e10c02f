"""One level in virtual time: real driver code, fake agents, no sockets and no waiting."""

from dataclasses import dataclass, field, replace

import pytest

from cluster.driver.ledger import Ledger
from cluster.driver.level import INTERRUPTED, LevelRun, as_offered
from cluster.errors import StartFailed
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
        age_s = (self.clock.now_ns() - self._born_ns) / NS_PER_S
        if self.exits_after_s is not None and age_s >= self.exits_after_s:
            return "the engine ended by itself: SIGABRT"
        return ""

    def open_window(self, level: int) -> None:
        assert level == 0
        self.opened_ns.append(self.clock.now_ns())

    def close_window(self) -> None:
        self.closed_ns.append(self.clock.now_ns())

    def engine_window(self, start_ns: int, end_ns: int) -> EngineWindow | None:
        self.windows.append((start_ns, end_ns))
        return None


@dataclass
class FakeWatcher:
    """Somebody who looks on, and may interrupt."""

    interrupts_at_s: int | None = None
    seconds: list[int] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def second(self, level: Level, elapsed_s: int, ledger: Ledger) -> None:
        assert level.index == 0
        assert ledger.latest()
        self.seconds.append(elapsed_s)
        if elapsed_s == self.interrupts_at_s:
            raise KeyboardInterrupt

    def event(self, kind: str, *, time_ns: int | None = None, **facts: str | float | None) -> None:
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

    def __post_init__(self) -> None:
        self.engine = FakeEngine(self.clock)
        self.agents = {name: FakeAgent(self.clock) for name in ("agent-0", "agent-1")}

    def carry_out(self) -> LevelRecord:
        with InProcessFleet(self.agents) as fleet:  # type: ignore[arg-type]  # a fake by shape
            return LevelRun(
                EXPERIMENT,
                PROTOCOL,
                LEVEL,
                fleet,
                {"agent-0": "load-1", "agent-1": "load-2"},
                self.engine,
                self.watcher,
                now_ns=self.clock.now_ns,
                sleep=self.clock.sleep,
            ).carry_out()


def test_a_whole_level_keeps_every_second_of_every_agent() -> None:
    record = Scene().carry_out()

    assert record.ended_early == ""
    assert record.completed_s == LEVEL.duration_s == 6
    assert [agent.host for agent in record.agents] == ["load-1", "load-2"]
    for agent in record.agents:
        assert [interval.index for interval in agent.intervals] == [0, 1, 2, 3, 4, 5]
        assert agent.orders.sent == 3000
        assert agent.orders.balanced


def test_the_profiler_runs_only_in_the_profile_window() -> None:
    scene = Scene()

    record = scene.carry_out()

    assert scene.engine.opened_ns == [record.start_ns + 4 * NS_PER_S]
    assert scene.engine.closed_ns == [record.start_ns + 6 * NS_PER_S]


def test_the_engine_is_read_over_the_control_and_the_profile_window() -> None:
    scene = Scene()

    start_ns = scene.carry_out().start_ns

    seconds = [
        ((a - start_ns) // NS_PER_S, (b - start_ns) // NS_PER_S) for a, b in scene.engine.windows
    ]
    assert seconds == [(1, 4), (4, 6)]


def test_refused_connections_name_every_agent_and_start_nothing() -> None:
    scene = Scene()
    scene.agents["agent-1"].refuses = True

    with pytest.raises(StartFailed, match=r"agent-1: connect to .*: Connection refused") as raised:
        scene.carry_out()

    assert list(raised.value.failed) == ["agent-1"]
    assert "start" not in scene.agents["agent-0"].calls


def test_an_engine_that_dies_ends_the_level_and_keeps_what_was_measured() -> None:
    scene = Scene()
    scene.engine.exits_after_s = 3

    record = scene.carry_out()

    assert record.ended_early == "the engine ended by itself: SIGABRT"
    assert record.completed_s == 3
    assert record.agents[0].orders.sent == 1500
    assert scene.agents["agent-0"].calls.count("stop") == 1


def test_a_lost_agent_keeps_its_data_and_stops_the_others() -> None:
    scene = Scene()
    scene.agents["agent-1"].dies_after_s = 3

    record = scene.carry_out()

    assert record.ended_early == "agent-1 was lost: the actor died"
    assert record.agents[1].lost == "the actor died"
    assert [interval.index for interval in record.agents[1].intervals] == [0, 1]
    assert "finish" not in scene.agents["agent-1"].calls
    assert "finish" in scene.agents["agent-0"].calls


def test_an_interruption_in_the_profile_window_closes_it_and_collects() -> None:
    scene = Scene(watcher=FakeWatcher(interrupts_at_s=5))

    record = scene.carry_out()

    assert record.ended_early == INTERRUPTED
    assert record.completed_s == 5
    assert len(scene.engine.closed_ns) == 1
    assert [agent.calls[-2:] for agent in scene.agents.values()] == [["close", "close"]] * 2
    assert record.agents[0].orders.sent == 2500


def test_every_agent_is_released_after_the_level() -> None:
    scene = Scene()

    scene.carry_out()

    assert all("close" in agent.calls for agent in scene.agents.values())


def test_a_level_of_recorded_times_was_offered_at_the_rate_of_its_books() -> None:
    record = Scene().carry_out()
    recorded = replace(LEVEL, arrivals="recorded", offered_per_s=None, speed=4.0)
    rate = sum(agent.orders.intended for agent in record.agents) / 6

    assert as_offered(recorded, record.agents, 6).offered_per_s == pytest.approx(rate)
    assert as_offered(recorded, record.agents, 0).offered_per_s == 0
    assert as_offered(LEVEL, record.agents, 6) is LEVEL
