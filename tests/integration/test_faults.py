"""Whole runs in which something breaks in the middle: what the user gets, and what is left.

docs/reliability.md has them all in one table. Interruptions, a dead driver, full disks and lost
connections are in test_bad_luck*.py.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from cluster.host.reference import reference_engine
from cluster.results.summary import Summary
from fakes.acceptor import AcceptingEngine
from fakes.bad_engines import VanishingEngine
from fakes.command_line import (
    LIMIT_S,
    Said,
    loadcluster,
    start_loadcluster,
    wait_for,
    wait_for_event,
    write_experiment,
)
from fakes.left_behind import Footprint
from integration.planted import PERF
from integration.running import running_engine

pytestmark = pytest.mark.integration
needs_perf = pytest.mark.skipif(PERF is None, reason="needs perf")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
needs_prlimit = pytest.mark.skipif(shutil.which("prlimit") is None, reason="needs util-linux")

LOAD = {"rates_per_s": [1000], "timeout_s": 1}
LONG = {"warmup_s": 0, "control_s": 8, "drain_s": 1}


def ended(process: subprocess.Popen[str]) -> Said:
    """How a run ended by itself, within the time that any run here may take."""
    stdout, stderr = process.communicate(timeout=LIMIT_S)
    assert "Traceback" not in stderr
    return Said(process.returncode, stdout, stderr)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def assert_accounted(summary: Summary) -> None:
    """Every order has its fate, the run is marked, and somebody looked for what was left."""
    (level,) = summary.levels
    assert level.orders.balanced, level.orders
    assert level.orders.answered > 0
    assert not summary.valid
    assert summary.left_behind
    assert [record for record in summary.left_behind if record.found] == []


def test_a_frozen_engine_ends_the_level_with_its_orders_timed_out(
    tmp_path: Path, footprint: Footprint
) -> None:
    with running_engine() as engine:
        experiment = write_experiment(
            tmp_path, engine={"port": engine.port}, load=LOAD, measure=LONG
        )
        process = start_loadcluster("run", str(experiment), "--json", env=footprint.env)
        wait_for_event(tmp_path, "load-started")
        time.sleep(1.5)
        os.kill(engine.pid, signal.SIGSTOP)
        try:
            said = ended(process)
        finally:
            os.kill(engine.pid, signal.SIGCONT)

    assert said.exit_status == 3
    (level,) = said.summary.levels
    assert "timed out or were lost" in level.ended_early
    assert level.orders.timed_out > 0
    assert_accounted(said.summary)
    footprint.assert_gone(5)


def test_an_engine_that_is_killed_and_started_anew_does_not_get_the_load_back(
    tmp_path: Path, footprint: Footprint
) -> None:
    """Whoever was measured is dead: the second process is another engine."""
    with running_engine() as engine:
        experiment = write_experiment(
            tmp_path, engine={"port": engine.port}, load=LOAD, measure=LONG
        )
        process = start_loadcluster("run", str(experiment), "--json", env=footprint.env)
        wait_for_event(tmp_path, "load-started")
        time.sleep(1.5)
        os.kill(engine.pid, signal.SIGKILL)
        wait_for(lambda: not listens(engine.port), "the port to be free")
        again = subprocess.Popen(
            [str(reference_engine()), "--port", str(engine.port)], stdout=subprocess.PIPE, text=True
        )
        with again:
            assert again.stdout is not None
            assert str(engine.port) in again.stdout.readline()
            said = ended(process)
            again.terminate()
            last_words = again.stdout.read()

    assert said.exit_status == 3
    (level,) = said.summary.levels
    assert "the engine closed every connection" in level.ended_early
    assert "orders: 0" in last_words
    assert_accounted(said.summary)
    footprint.assert_gone(5)


@needs_root
def test_a_half_open_connection_loses_its_orders_and_no_more(
    tmp_path: Path, footprint: Footprint
) -> None:
    with VanishingEngine(after=1_000) as engine:
        experiment = write_experiment(
            tmp_path, engine={"port": engine.port}, load=LOAD, measure=LONG
        )
        said = ended(start_loadcluster("run", str(experiment), "--json", env=footprint.env))

    assert said.exit_status == 3
    (level,) = said.summary.levels
    assert level.ended_early != ""
    assert level.orders.lost + level.orders.timed_out > 0
    assert_accounted(said.summary)


@needs_perf
def test_a_perf_that_somebody_kills_costs_the_profile_not_the_run(
    tmp_path: Path, footprint: Footprint
) -> None:
    with running_engine() as engine:
        experiment = write_experiment(
            tmp_path,
            engine={"port": engine.port, "process": engine.pid},
            load=LOAD,
            profile={"window_s": 3},
        )
        process = start_loadcluster("run", str(experiment), "--json", env=footprint.env)
        wait_for_event(tmp_path, "profile-window-opened")
        killed = footprint.of("perf")
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        said = ended(process)

    assert killed
    assert said.exit_status in {0, 3}, said.stderr
    (level,) = said.summary.levels
    assert level.ended_early == ""
    assert level.orders.balanced
    assert level.orders.answered == level.orders.sent > 0
    failed = [f.message for f in said.summary.findings if f.code == "profile-lane-failed"]
    assert [message for message in failed if "Perf record" in message]
    assert [record for record in said.summary.left_behind if record.found] == []
    footprint.assert_gone(5)


def test_an_agent_that_is_killed_is_named_and_its_data_kept(
    tmp_path: Path, footprint: Footprint
) -> None:
    with AcceptingEngine() as engine:
        experiment = write_experiment(
            tmp_path,
            fleet="ray",
            agents={"count": 2, "connections": 2},
            engine={"port": engine.port},
            load=LOAD,
            measure=LONG,
        )
        process = start_loadcluster("run", str(experiment), "--json", env=footprint.env)
        wait_for_event(tmp_path, "load-started")
        time.sleep(2.5)
        agents = footprint.of("ray::Agent")
        os.kill(min(agents), signal.SIGKILL)
        said = ended(process)

    assert len(agents) == 2
    assert said.exit_status == 3
    (lost,) = [f for f in said.summary.levels[0].findings if f.code == "agent-lost"]
    assert f"on {socket.gethostname()} was lost after" in lost.message
    (level,) = said.summary.levels
    (dead,) = [agent for agent in level.agents if agent.lost]
    assert "was lost" in level.ended_early
    assert dead.orders.sent > 0
    assert level.orders.sent > dead.orders.sent
    (record,) = said.summary.left_behind
    assert f"{dead.agent} did not answer" in record.not_looked
    assert record.found == []
    footprint.assert_gone(10)


@needs_prlimit
def test_too_few_open_files_are_told_before_the_start(tmp_path: Path, footprint: Footprint) -> None:
    with AcceptingEngine() as engine:
        experiment = write_experiment(
            tmp_path,
            engine={"port": engine.port},
            agents={"count": 1, "connections": 300},
        )
        said = loadcluster(
            "run", str(experiment), env=footprint.env, wrapper=("prlimit", "--nofile=256:256")
        )

    assert said.exit_status == 1
    assert "300 connections need" in said.stderr
    assert f"{socket.gethostname()} allows its process 256 (`ulimit -n`)" in said.stderr
    assert "raise it where the agents are started from: `ulimit -n " in said.stderr
    assert engine.requests == 0
    footprint.assert_gone(5)


NEW_NETWORK = (
    "unshare",
    "--net",
    "sh",
    "-c",
    'ip link set lo up && echo 40000 40009 >/proc/sys/net/ipv4/ip_local_port_range && exec "$@"',
    "sh",
)


@needs_root
def test_too_few_local_ports_are_told_before_the_start(
    tmp_path: Path, footprint: Footprint
) -> None:
    experiment = write_experiment(
        tmp_path,
        engine={"port": 9001, "reference": {"threads": 1}},
        agents={"count": 1, "connections": 20},
    )
    said = loadcluster("run", str(experiment), env=footprint.env, wrapper=NEW_NETWORK)

    assert said.exit_status == 1
    assert "20 connections to one address need as many local ports" in said.stderr
    assert f"{socket.gethostname()} has 10 for them" in said.stderr
    footprint.assert_gone(5)


@needs_prlimit
def test_an_agent_without_the_memory_says_so_before_the_start(
    tmp_path: Path, footprint: Footprint
) -> None:
    with AcceptingEngine() as engine:
        experiment = write_experiment(
            tmp_path,
            engine={"port": engine.port},
            agents={"count": 1, "connections": 1, "in_flight_max": 16_777_216},
        )
        said = loadcluster(
            "run", str(experiment), env=footprint.env, wrapper=("prlimit", f"--as={2 << 30}")
        )

    assert said.exit_status == 1, said.stdout
    assert f"{socket.gethostname()} has not the memory for 16,777,216 orders" in said.stderr
    assert "Traceback" not in said.stderr
    assert engine.requests == 0
    footprint.assert_gone(5)


def test_load_stops_by_itself_when_its_driver_is_frozen(
    tmp_path: Path, footprint: Footprint
) -> None:
    """A driver that does not ask is as good as dead: its agents wait five seconds for it."""
    with AcceptingEngine() as engine:
        experiment = write_experiment(
            tmp_path,
            fleet="ray",
            engine={"port": engine.port},
            load=LOAD,
            measure={"warmup_s": 0, "control_s": 60, "drain_s": 1},
        )
        process = start_loadcluster("run", str(experiment), "--json", env=footprint.env)
        wait_for_event(tmp_path, "load-started")
        wait_for(lambda: engine.requests > 100, "the first orders")
        os.kill(process.pid, signal.SIGSTOP)
        try:
            time.sleep(6.5)
            at_rest = engine.requests
            time.sleep(1)
            after = engine.requests
        finally:
            os.kill(process.pid, signal.SIGCONT)
        said = ended(process)

    assert after == at_rest
    assert said.exit_status == 3
    (level,) = said.summary.levels
    assert level.agents[0].errors["lease_expired"] == 1
    assert "1 of 1 agents stopped by themselves" in level.ended_early
    assert level.orders.balanced
    footprint.assert_gone(10)
