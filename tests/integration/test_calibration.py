"""This machine is calibrated against a reflector of ours; nothing else is sent, nothing stays."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from cluster.driver.calibration import calibrate_hosts
from cluster.driver.engine_side import EngineSide
from cluster.experiment.model import Experiment
from cluster.experiment.plan import plan
from cluster.fleet.start import places_of, start_fleet
from cluster.results.summary import Calibration, Summary
from fakes.acceptor import AcceptingEngine
from fakes.command_line import Said, loadcluster, only_run, start_loadcluster, write_experiment
from fakes.left_behind import Footprint
from integration.sshd import Sshd

pytestmark = pytest.mark.integration

MEASURE = {"warmup_s": 0, "control_s": 1, "drain_s": 1}
# A machine that others use at the same time has a floor, and may have no clean rate.
BUSY = ("something else used", "no time to try one")


def told_of_a_busy_machine(said: str) -> bool:
    return any(reason in said for reason in BUSY)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def env(footprint: Footprint, cache: Path) -> dict[str, str]:
    return footprint.env | {"XDG_CACHE_HOME": str(cache)}


def calibrated(folder: Path, env: Mapping[str, str], port: int, mode: str = "cached") -> Said:
    experiment = write_experiment(
        folder, engine={"port": port}, measure=MEASURE | {"calibration": mode}
    )
    said = loadcluster("run", str(experiment), "--json", env=env)
    assert said.exit_status in {0, 3}, said.stderr
    return said


def only_calibration(summary: Summary) -> Calibration:
    (calibration,) = summary.calibrations
    return calibration


def test_a_run_knows_what_its_load_host_can_do_and_remembers_it_until_told_otherwise(
    tmp_path: Path, footprint: Footprint, cache: Path, env: dict[str, str]
) -> None:
    with AcceptingEngine() as engine:
        first = calibrated(tmp_path, env, engine.port)
        second = calibrated(tmp_path, env, engine.port)
        (kept,) = (cache / "loadcluster" / "calibration").iterdir()
        before = kept.read_text()
        fresh = calibrated(tmp_path, env, engine.port, "fresh")

    cold, warm = only_calibration(first.summary), only_calibration(second.summary)
    # The engine is on this machine, so loopback is the way to it.
    assert cold.against == "engine host"
    assert cold.floor_p50_ns is not None
    assert 1_000 < cold.floor_p50_ns < 50_000_000
    assert cold.clean_rate_per_s or told_of_a_busy_machine(cold.not_measured)
    assert cold.clean_rate_per_s is None or cold.clean_rate_per_s >= 1_000
    assert not cold.cached
    assert warm == cold.model_copy(update={"cached": True})
    assert "calibrating 1 load host" in first.stderr
    assert "calibrating" not in second.stderr
    assert not only_calibration(fresh.summary).cached
    assert kept.read_text() != before
    assert json.loads(before)["key"]["against"] == "loopback"
    footprint.assert_gone(10)


def test_off_is_off(tmp_path: Path, cache: Path, env: dict[str, str]) -> None:
    with AcceptingEngine() as engine:
        said = calibrated(tmp_path, env, engine.port, "off")

    assert said.summary.calibrations == []
    assert not cache.exists()


def test_check_tells_floor_and_rate_and_sends_nothing_to_the_engine(
    tmp_path: Path, env: dict[str, str]
) -> None:
    with AcceptingEngine() as engine:
        experiment = write_experiment(
            tmp_path,
            engine={"port": engine.port},
            load={"rates_per_s": [500, 100_000_000]},
            measure=MEASURE | {"calibration": "cached"},
        )
        said = loadcluster("check", str(experiment), env=env)

    assert said.exit_status == 0, said.stderr
    assert "against engine host: service time p50" in said.stdout
    warned = "warning calibration: level 2 offers" in said.stdout
    assert warned or told_of_a_busy_machine(said.stdout)
    assert engine.requests == 0


def test_a_run_that_is_interrupted_while_it_calibrates_leaves_nothing(
    tmp_path: Path, footprint: Footprint, env: dict[str, str]
) -> None:
    with AcceptingEngine() as engine:
        experiment = write_experiment(
            tmp_path,
            engine={"port": engine.port},
            measure=MEASURE | {"calibration": "fresh"},
        )
        process = start_loadcluster("run", str(experiment), env=env)
        deadline = time.monotonic() + 30
        while not footprint.of("loadcluster-engine"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.terminate()
        process.communicate(timeout=30)

    assert process.returncode == 130
    assert json.loads((only_run(tmp_path) / "summary.json").read_text())["interrupted"]
    footprint.assert_gone(10)


def test_the_agents_of_a_host_are_calibrated_together_also_on_ray(
    tmp_path: Path, env: dict[str, str]
) -> None:
    with AcceptingEngine() as engine:
        experiment = write_experiment(
            tmp_path,
            fleet="ray",
            engine={"port": engine.port},
            agents={"count": 2, "connections": 2},
            measure=MEASURE | {"calibration": "cached"},
        )
        said = loadcluster("run", str(experiment), "--json", env=env)

    assert said.exit_status in {0, 3}, said.stderr
    found = only_calibration(said.summary)
    assert found.agents == 2
    assert found.floor_p50_ns is not None


def test_an_engine_elsewhere_without_ssh_is_not_calibrated_against(
    tmp_path: Path, env: dict[str, str]
) -> None:
    """The engine's address is not this machine's; nothing may be started there."""
    experiment = write_experiment(
        tmp_path,
        engine={
            "address": "192.0.2.1",
            "i_am_authorized_to_load": True,
            "ready_timeout_s": 0.1,
        },
        measure=MEASURE | {"calibration": "cached"},
    )
    said = loadcluster("check", str(experiment), env=env)

    assert "against loopback: service time p50" in said.stdout
    assert "against engine host: 192.0.2.1 is another machine" in said.stdout


def test_a_reflector_runs_beside_an_engine_behind_ssh(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with AcceptingEngine() as engine:
        experiment = Experiment.model_validate(
            {
                "name": "beside",
                "fleet": "in-process",
                "engine": {"port": engine.port, "host": sshd.spec().model_dump()},
                "load": {"rates_per_s": [1000]},
                "profile": "off",
            }
        )
        planned = plan(experiment, frozenset(os.sched_getaffinity(0)))
        with EngineSide(experiment, planned) as side, start_fleet(experiment) as fleet:
            side.start()
            # Only its name tells that this is the engine's host: give the load host another.
            facts = {
                agent: facts.model_copy(update={"hostname": "load-1"})
                for agent, facts in fleet.facts().ok.items()
            }
            loopback, beside = calibrate_hosts(
                experiment, planned, fleet, side, places=places_of(fleet), facts=facts
            )
            again = calibrate_hosts(
                experiment, planned, fleet, side, places=places_of(fleet), facts=facts
            )

    assert (loopback.against, beside.against) == ("loopback", "engine host")
    assert beside.floor_p50_ns is not None, beside.not_measured
    assert beside.clean_rate_per_s or told_of_a_busy_machine(beside.not_measured)
    assert [calibration.cached for calibration in again] == [True, True]
    assert engine.requests == 0
