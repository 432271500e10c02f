"""Levels of open length, trials and twins, against the reference engine on loopback."""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from cluster.driver.level import LevelRun
from cluster.experiment.model import Experiment
from cluster.experiment.plan import plan
from cluster.experiment.wire import compile_protocol
from cluster.fleet.in_process import start_in_process
from cluster.fleet.start import places_of, start_fleet
from cluster.results.level import LevelRecord
from cluster.results.store import RunDirectory
from cluster.results.summary import Summary
from cluster.units import NS_PER_MS
from fakes.agents import FakeClock
from fakes.command_line import Said, loadcluster, only_run, write_experiment
from fakes.lengths import KnownLengths
from fakes.scene import FakeEngine, FakeWatcher
from integration.known_engine import ATTEMPTS, ahead_of_all, needs_two_cpus, run_against
from integration.running import running_engine

pytestmark = pytest.mark.integration


def run(folder: Path, port: int, **sections: Any) -> Said:
    """A small experiment against a reference engine that loadcluster starts."""
    engine = {"port": port, "reference": {"threads": 1}}
    experiment = write_experiment(folder, engine=engine, cpus="apart", **sections)
    said = loadcluster("run", str(experiment), "--json")
    assert said.exit_status in {0, 3}, said.stderr
    return said


def records(folder: Path) -> list[LevelRecord]:
    return RunDirectory.open(only_run(folder)).load_levels()


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    lines = (only_run(folder) / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["kind"] == kind]


def codes(summary: Summary) -> set[str]:
    return {finding.code for level in summary.levels for finding in level.findings}


def assert_whole(record: LevelRecord) -> None:
    """Every second of the level as it was decided has orders, and it ended then."""
    seconds = list(range(record.level.duration_s))
    for agent in record.agents:
        # Second replies may come after the end: they are kept by when they came.
        due = [interval.index for interval in agent.intervals if interval.orders.intended]
        assert due[: len(seconds)] == seconds
        # A driver that others keep from the CPU tells the end late: what was due by then is sent.
        assert len(due) <= len(seconds) + 1
        assert agent.orders.balanced
    assert record.completed_s == record.level.duration_s
    assert record.ended_early == ""


class RealClock(FakeClock):
    """The time that really passes."""

    def now_ns(self) -> int:
        """The time."""
        return time.monotonic_ns()


def hold(known: KnownLengths, load: dict[str, Any]) -> LevelRecord:
    """Real agents, engine and driver; only when a level has lasted long enough is known before."""
    with running_engine() as engine:
        until = {"half_width_ratio": 0.05, "at_most_s": 600}
        experiment = Experiment.model_validate(
            {
                "name": "held",
                "engine": {"port": engine.port},
                "agents": {"count": 2, "connections": 2},
                "load": load,
                "measure": {"warmup_s": 1, "control_s": 2, "until": until},
                "profile": "off",
            }
        )
        planned = plan(experiment, frozenset(os.sched_getaffinity(0)))
        with start_in_process(("agent-0", "agent-1")) as fleet:
            return LevelRun(
                experiment,
                compile_protocol(experiment, planned),
                planned.levels[0],
                fleet,
                {"agent-0": "here", "agent-1": "here"},
                FakeEngine(RealClock()),
                FakeWatcher(),
                tests=known.tests,
            ).carry_out()


@pytest.mark.parametrize("load", [{"rates_per_s": [2_000]}, {"maximum": {"in_flight": 8}}])
def test_a_level_ends_as_soon_as_its_percentile_is_known(load: dict[str, Any]) -> None:
    """The interval is narrow enough after two whole seconds, the warm-up over after two."""
    known = KnownLengths(warm_up_ends_s=1.75, half_width_after_1_s=0.07)

    record = hold(known, load)

    assert_whole(record)
    assert record.level.warmup_s == 2
    assert 2 <= record.level.control_s <= 6  # a busy machine hands its seconds over late
    if record.level.offered_per_s:
        # Prepared for ten minutes; after the end that it was told, no order is due.
        due = sum(agent.orders.intended for agent in record.agents)
        assert due == pytest.approx(2_000 * record.level.duration_s, rel=0.1)


def test_a_level_whose_percentile_stays_unknown_ends_at_its_bound_and_says_so(
    tmp_path: Path, free_port: int
) -> None:
    until = {"percentile": "p99", "half_width_ratio": 0.000_001, "at_most_s": 4}
    said = run(
        tmp_path,
        free_port,
        load={"rates_per_s": [2_000]},
        measure={"warmup_s": 1, "warmup_at_most_s": 1, "control_s": 2, "until": until},
    )

    (record,) = records(tmp_path)
    assert_whole(record)
    assert record.level.control_s == 4
    assert len(events(tmp_path, "control-extended")) == 1
    assert "interval-too-wide" in codes(said.summary)
    assert "p99 " in said.stderr
    assert ", until ± 0.0001%" in said.stderr


def test_closed_loop_levels_end_when_told_too(tmp_path: Path, free_port: int) -> None:
    until = {"percentile": "p50", "half_width_ratio": 0.000_001, "at_most_s": 3}
    run(
        tmp_path,
        free_port,
        load={"maximum": {"in_flight": 8}},
        measure={"warmup_s": 1, "warmup_at_most_s": 3, "control_s": 1, "until": until},
    )

    (record,) = records(tmp_path)
    assert_whole(record)
    assert record.level.control_s == 3


@pytest.mark.skipif(shutil.which("perf") is None, reason="needs perf")
def test_every_trial_has_an_engine_and_a_profile_of_its_own(tmp_path: Path, free_port: int) -> None:
    said = run(
        tmp_path,
        free_port,
        load={"rates_per_s": [1_000, 2_000]},
        measure={"warmup_s": 0, "warmup_at_most_s": 0, "control_s": 2, "trials": 2},
        profile={"window_s": 1},
    )

    summary = said.summary
    first, second = events(tmp_path, "started") + events(tmp_path, "trial-started")
    assert first["engine"] != second["engine"]
    assert second["restarted"] is True
    assert summary.trials == 2
    assert [level.trial for level in summary.levels] == [0, 0, 1, 1]
    assert [level.index for level in summary.levels] == [0, 1, 2, 3]
    assert summary.engine.process == second["engine"]
    for number, record in enumerate(records(tmp_path)):
        assert_whole(record)
        assert record.profile is not None
        assert record.profile.level == number
    kept = {path.name for path in (only_run(tmp_path) / "profile").glob("trial-*")}
    assert kept == {"trial-01", "trial-02"}
    arrivals = [record.agents[0].intervals[0].orders.intended for record in records(tmp_path)]
    assert arrivals[0] != arrivals[2] or arrivals[1] != arrivals[3]


def test_a_running_engine_can_t_be_started_anew_and_that_is_said_once(tmp_path: Path) -> None:
    with running_engine() as engine:
        experiment = write_experiment(
            tmp_path,
            engine={"port": engine.port, "process": engine.pid},
            measure={"warmup_s": 0, "control_s": 1, "trials": 3},
        )
        said = loadcluster("run", str(experiment), "--json")

    told = [finding.code for finding in said.summary.findings]
    assert told.count("engine-not-restarted") == 1
    assert said.summary.trials == 3
    assert [event["restarted"] for event in events(tmp_path, "trial-started")] == [False, False]


@needs_two_cpus
def test_with_an_engine_that_is_the_limit_it_does_not_matter_who_sends(tmp_path: Path) -> None:
    """Retried, since other programs on this machine may come between the two levels."""
    for attempt in range(ATTEMPTS):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        summary = run_against(
            folder,
            # One server of 4 ms: beside it, what the clients do is little.
            "--queue-ns",
            str(4 * NS_PER_MS),
            ahead=ahead_of_all(),
            agents={"count": 1, "connections": 5},
            load={"rates_per_s": [100]},
            measure={
                "warmup_s": 1,
                "warmup_at_most_s": 1,
                "control_s": 6,
                "client_invariance": True,
            },
        )
        found = summary.invariance
        if found is not None and found.differs is False:
            break
    else:
        told = found.sentence if found else "; ".join(f.message for f in summary.findings)
        pytest.skip(f"others take this machine's CPUs from engine and clients: {told}")

    planned, again, twin = records(folder)
    assert (found.level, found.twin) == (1, 2)
    assert (found.clients, found.clients_twin) == (1, 2)
    assert [level.clients for level in summary.levels] == ["planned", "repeated", "doubled"]
    assert [share.connections for share in twin.level.shares] == [3, 2]
    assert planned.level.offered_per_s == sum(share.rate_per_s for share in twin.level.shares)
    for record in (again, twin):
        assert_whole(record)
    assert summary.verdict.sustained_per_s == summary.levels[0].throughput_per_s.mean
    assert "in one process" in found.sentence


@pytest.mark.parametrize("fleet", ["in-process", "ray"])
def test_twice_the_clients_find_room_on_the_hosts_of_the_planned_ones(
    fleet: str, free_port: int
) -> None:
    experiment = Experiment.model_validate(
        {
            "name": "twin",
            "fleet": fleet,
            "agents": {"count": 2},
            "load": {"rates_per_s": [1]},
            "engine": {"port": free_port},
        }
    )

    with start_fleet(experiment, 4) as fleet_of_four:
        places = places_of(fleet_of_four)

    assert list(places) == ["agent-0", "agent-1", "agent-2", "agent-3"]
    processes = {place.process_id for place in places.values()}
    assert len(processes) == (4 if fleet == "ray" else 1)
