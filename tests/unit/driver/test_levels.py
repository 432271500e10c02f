"""All levels of a run: which are carried out, on what, and where it ends. No load is sent."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cluster.driver.levels import Levels
from cluster.errors import EngineError, StartFailed
from cluster.experiment.model import Experiment
from cluster.experiment.plan import Level, plan
from cluster.experiment.wire import compile_protocol
from cluster.fleet.in_process import InProcessFleet
from cluster.report.live import LiveView
from cluster.results.engine import ProfileWindow
from cluster.results.level import LevelRecord
from cluster.results.store import RunDirectory
from fakes.agents import FakeAgent, FakeClock
from fakes.levels import Truth, level_record, with_agent

STEADY = Truth(offered_per_s=1_000, control_s=5, agents=1)


class SilentAgent(FakeAgent):
    """Says nothing of its host."""

    def facts(self) -> None:
        raise OSError("no facts")


@dataclass
class FakeSide:
    """An engine's side that counts its processes."""

    can_restart: bool = True
    comes_up_again: bool = True
    is_gone: bool = False
    facts: None = None
    identity: None = None
    processes: int = 1
    profiled_into: list[str] = field(default_factory=list)
    profiled_ns: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def process(self) -> str:
        return f"engine (pid {self.processes})"

    def restart(self) -> None:
        if not self.comes_up_again:
            raise EngineError("its port is taken")
        self.processes += 1

    def end_windows(self) -> None:
        pass

    def finish(self, orders: Mapping[int, int], into: Path) -> tuple[ProfileWindow, ...]:
        assert orders == {}
        self.profiled_into.append(into.name)
        return ()


@dataclass
class Scene:
    """A run of two rates and its levels as they are said to go."""

    folder: Path
    side: FakeSide = field(default_factory=FakeSide)
    measure: dict[str, Any] = field(default_factory=dict)
    connections: int = 4
    changed: Callable[[Level, LevelRecord], LevelRecord] = lambda _level, record: record
    ran: list[tuple[int, int, str, int]] = field(default_factory=list)  # index, trial, …, process
    fleets: list[InProcessFleet] = field(default_factory=list)

    def carry_out(self) -> Levels:
        experiment = Experiment.model_validate(
            {
                "name": "x",
                "agents": {"connections": self.connections},
                "load": {"arrivals": "constant", "rates_per_s": [1_000, 2_000]},
                "measure": {"calibration": "off", **self.measure},
            }
        )
        planned = plan(experiment, frozenset({0}))
        levels = Levels(
            experiment,
            planned,
            compile_protocol(experiment, planned),
            RunDirectory.create(self.folder, "x"),
            LiveView(Console(file=StringIO())),
            level_run=self._run,  # type: ignore[arg-type]  # a level by shape
            start_fleet=lambda _experiment, clients: self._fleet(clients),
        )
        with ExitStack() as stack:
            fleet = stack.enter_context(self._fleet(1))
            levels.carry_out(self.side, fleet, stack)  # type: ignore[arg-type]  # a side by shape
        return levels

    def _fleet(self, clients: int) -> InProcessFleet:
        clock = FakeClock()
        agents = {f"agent-{k}": SilentAgent(clock) for k in range(clients)}
        self.fleets.append(InProcessFleet(agents))  # type: ignore[arg-type]  # a fake by shape
        return self.fleets[-1]

    def _run(
        self, _experiment: Experiment, _protocol: object, level: Level, *who: Any, **_: Any
    ) -> Any:
        self.ran.append((level.index, level.trial, level.clients, self.side.processes))
        assert len(who[0].agents) == len(level.shares) == len(who[1])
        truth = replace(
            STEADY,
            index=level.index,
            offered_per_s=level.offered_per_s,
            agents=len(level.shares),
            warmup_s=level.warmup_s,
        )
        record = level_record(truth)
        return _Done(lambda: self.changed(level, replace(record, level=_short(level, record))))


@dataclass
class _Done:
    carry_out: Callable[[], LevelRecord]


def _short(level: Level, record: LevelRecord) -> Level:
    return replace(level, control_s=record.level.control_s, profile_s=0)


def early(index: int, why: str) -> Callable[[Level, LevelRecord], LevelRecord]:
    """The level with that index ends after three seconds."""

    def changed(level: Level, record: LevelRecord) -> LevelRecord:
        return replace(record, ended_early=why, completed_s=3) if level.index == index else record

    return changed


def codes(levels: Levels) -> list[str]:
    return [finding.code for finding in levels.findings]


def test_a_run_of_one_trial_leaves_the_engine_alone(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    levels = scene.carry_out()

    assert scene.ran == [(0, 0, "planned", 1), (1, 0, "planned", 1)]
    assert [record.level.index for record in levels.records] == [0, 1]
    assert levels.findings == []


def test_each_trial_has_an_engine_of_its_own_whose_profile_comes_home_first(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, measure={"trials": 3})

    scene.carry_out()

    assert [(trial, process) for _, trial, _, process in scene.ran] == [
        *((0, 1), (0, 1)),
        *((1, 2), (1, 2)),
        *((2, 3), (2, 3)),
    ]
    assert scene.side.profiled_into == ["trial-01", "trial-02"]


def test_an_engine_that_runs_already_keeps_its_process_and_that_is_said_once(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, FakeSide(can_restart=False), {"trials": 3})

    levels = scene.carry_out()

    assert {process for *_, process in scene.ran} == {1}
    assert len(scene.ran) == 6
    assert codes(levels) == ["engine-not-restarted"]


def test_an_overload_ends_the_rise_of_its_trial_only(tmp_path: Path) -> None:
    overload = early(0, "response time p99 rose to 2 s")
    scene = Scene(tmp_path, measure={"trials": 2}, changed=overload)

    scene.carry_out()

    assert [index for index, *_ in scene.ran] == [0, 2, 3]


def test_an_interruption_ends_the_run(tmp_path: Path) -> None:
    scene = Scene(tmp_path, measure={"trials": 2}, changed=early(1, "interrupted"))

    levels = scene.carry_out()

    assert [index for index, *_ in scene.ran] == [0, 1]
    assert levels.interrupted


def test_a_lost_agent_ends_the_run(tmp_path: Path) -> None:
    def lost(level: Level, record: LevelRecord) -> LevelRecord:
        ended = early(0, "agent-0 was lost: host down")(level, record)
        return with_agent(ended, 0, lost="host down") if level.index == 0 else ended

    scene = Scene(tmp_path, measure={"trials": 2}, changed=lost)

    scene.carry_out()

    assert [index for index, *_ in scene.ran] == [0]


def test_an_engine_that_ended_by_itself_ends_the_run(tmp_path: Path) -> None:
    side = FakeSide(is_gone=True)
    scene = Scene(tmp_path, side, {"trials": 2}, changed=early(0, "the engine ended by itself"))

    scene.carry_out()

    assert [index for index, *_ in scene.ran] == [0]


def test_an_engine_that_does_not_come_up_again_ends_the_run_and_makes_it_invalid(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, FakeSide(comes_up_again=False), {"trials": 2})

    levels = scene.carry_out()

    assert [index for index, *_ in scene.ran] == [0, 1]
    (finding,) = levels.findings
    assert (finding.code, finding.severity.value) == ("trial-did-not-start", "invalid")
    assert "for trial 2: its port is taken" in finding.message


def test_the_highest_valid_level_of_the_last_trial_is_repeated_and_doubled(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, measure={"trials": 2, "client_invariance": True})

    levels = scene.carry_out()

    assert scene.ran[-2:] == [(4, 1, "repeated", 2), (5, 1, "doubled", 2)]
    assert [record.level.offered_per_s for record in levels.records[-2:]] == [2_000, 2_000]
    assert [len(fleet.agents) for fleet in scene.fleets] == [1, 2]
    assert levels.findings == []


def test_without_a_valid_level_clients_are_not_compared(tmp_path: Path) -> None:
    scene = Scene(
        tmp_path, measure={"client_invariance": True}, changed=early(0, "response time rose")
    )

    levels = scene.carry_out()

    assert [index for index, *_ in scene.ran] == [0]
    assert codes(levels) == ["invariance-not-tested"]
    assert "no level is valid" in levels.findings[0].message


def test_connections_that_can_t_be_shared_are_not_compared(tmp_path: Path) -> None:
    scene = Scene(tmp_path, measure={"client_invariance": True}, connections=1)

    levels = scene.carry_out()

    assert len(scene.ran) == 2
    assert "1 connection can't be shared by 2 workers" in levels.findings[0].message


def test_a_twin_that_does_not_start_takes_nothing_from_the_run(tmp_path: Path) -> None:
    def refused(level: Level, record: LevelRecord) -> LevelRecord:
        if level.clients == "doubled":
            raise StartFailed("not every connection came up", {"agent-1": "refused"})
        return record

    scene = Scene(tmp_path, measure={"client_invariance": True}, changed=refused)

    levels = scene.carry_out()

    assert len(levels.records) == 3
    assert codes(levels) == ["invariance-not-tested"]
    assert levels.findings[0].severity.value == "note"


def test_a_first_level_that_does_not_start_is_the_run_s_error(tmp_path: Path) -> None:
    def refused(_level: Level, _record: LevelRecord) -> LevelRecord:
        raise StartFailed("not every connection came up", {"agent-0": "refused"})

    with pytest.raises(StartFailed):
        Scene(tmp_path, changed=refused).carry_out()
