"""What becomes of a run when a host, a link or a process of the lab goes away under it."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from cluster.host.reference import reference_engine
from cluster.results.summary import Summary
from fakes.command_line import LIMIT_S, Said, wait_for, wait_for_event
from fakes.lab import Lab, why_not

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(why_not()), reason=why_not())]

LONG = ("measure.control_s=40", "profile=off")
MEASURED, NOT_VALID = 0, 3
LEASE_S = 5
# On top of what is bounded by itself: processes that end, on a machine that others use as well.
SLACK_S = 5


def start(lab: Lab, folder: Path, *overrides: str) -> "subprocess.Popen[str]":
    """Start a run on the head; returns once the load goes on."""
    driver = lab.start("head", *lab.run(folder / "runs", *overrides))
    wait_for_event(folder, "load-started")
    time.sleep(1.5)  # so that there are results to keep
    return driver


def end_of(
    driver: "subprocess.Popen[str]",
    within_s: float = LIMIT_S,
    exit_status: tuple[int, ...] = (NOT_VALID,),
) -> Summary:
    stdout, stderr = driver.communicate(timeout=within_s)
    assert driver.returncode in exit_status, stderr
    assert "Traceback" not in stderr
    return Said(driver.returncode, stdout, stderr).summary


def assert_one_agent_was_lost(summary: Summary, host: str) -> None:
    (level,) = summary.levels
    lost = [agent for agent in level.agents if agent.lost]
    assert [agent.host for agent in lost] == [host]
    assert f"{lost[0].agent} was lost" in level.ended_early
    assert not summary.valid
    assert "agent-lost" in {finding.code for finding in (*summary.findings, *level.findings)}
    assert all(agent.orders.intended > 1000 for agent in level.agents)  # before the fault


def received(lab: Lab) -> list[str]:
    """Bytes that each open connection has brought the engine so far."""
    told = lab.on("engine", "ss", "-Htin", "state", "established", "sport = :9001").stdout
    return re.findall(r"bytes_received:(\d+)", told)


def sends(lab: Lab) -> bool:
    """Whether orders arrive at the engine just now."""
    before = received(lab)
    time.sleep(0.3)
    return received(lab) != before


@pytest.mark.parametrize("link", ["down", "mute"])
def test_a_load_host_that_is_cut_off_is_named_and_the_run_ends(
    link: str, lab: Lab, tmp_path: Path
) -> None:
    # At this rate what an agent says in a second is too much for Ray to send along unasked.
    driver = start(lab, tmp_path, *LONG, "load.rates_per_s=[10_000]")
    lab.do("link", "load-1", link)
    cut = time.monotonic()
    summary = end_of(driver)

    assert time.monotonic() - cut < 30
    assert_one_agent_was_lost(summary, "load-1")
    (level,) = summary.levels
    assert [a.orders.balanced for a in level.agents if a.host == "load-2"] == [True]
    # Nobody tells the agent to stop: it does so by itself, and what it left on its host ends.
    lab.do("link", "load-1", "up")
    wait_for(lambda: not lab.pids("load-1", "ray::Agent"), "the agent to end", 40)


def test_a_raylet_that_is_killed_is_named_with_its_host(lab: Lab, tmp_path: Path) -> None:
    driver = start(lab, tmp_path, *LONG)
    lab.kill("load-2", *lab.pids("load-2", "raylet/raylet"))
    summary = end_of(driver, within_s=30)

    assert_one_agent_was_lost(summary, "load-2")
    wait_for(lambda: not lab.pids("load-2", "ray::"), "Ray's workers to end", 20)


def test_when_the_driver_is_killed_load_and_engine_end_by_themselves(
    lab: Lab, tmp_path: Path
) -> None:
    driver = start(lab, tmp_path, "measure.control_s=1", "profile.window_s=40")
    wait_for_event(tmp_path, "profile-window-opened")
    assert lab.pids("engine", "perf record")

    os.kill(child_of(driver.pid), signal.SIGKILL)
    killed = time.monotonic()
    driver.communicate(timeout=10)

    def connected() -> str:
        return lab.on("engine", "ss", "-Htn", "sport = :9001", "state", "established").stdout

    wait_for(lambda: not connected(), "the load to end", LEASE_S + SLACK_S)
    wait_for(lambda: not lab.pids("engine", "loadcluster-engine"), "the engine to end", 20)
    wait_for(lambda: not lab.pids("engine", "perf "), "perf to end", 20)
    for host in ("load-1", "load-2"):
        wait_for(lambda host=host: not lab.pids(host, "ray::Agent"), "agents to end", 20)
    wait_for(lambda: not lab.on("engine", "sh", "-c", 'ls "$TMPDIR"').stdout, "its files", 20)
    assert time.monotonic() - killed < 40


def test_agents_whose_driver_is_cut_off_stop_within_their_lease(lab: Lab, tmp_path: Path) -> None:
    engine = lab.start("engine", *engine_command())
    try:
        driver = start(lab, tmp_path, *LONG, "engine.reference=null", "engine.process=null")
        lab.do("link", "head", "down")
        cut = time.monotonic()
        wait_for(lambda: not sends(lab), "the load to stop", LEASE_S + SLACK_S)
        stopped = time.monotonic()
        summary = end_of(driver)
    finally:
        engine.terminate()
        engine.communicate(timeout=10)

    assert stopped - cut >= LEASE_S - 2
    (level,) = summary.levels
    assert "was lost" in level.ended_early
    assert all(agent.lost for agent in level.agents)


def test_an_sshd_that_is_restarted_in_the_profile_window_costs_nothing(
    lab: Lab, tmp_path: Path
) -> None:
    driver = start(lab, tmp_path, "measure.control_s=1", "profile.window_s=4")
    wait_for_event(tmp_path, "profile-window-opened")
    lab.kill("engine", listener(lab))
    restart_sshd(lab)
    stdout, stderr = driver.communicate(timeout=LIMIT_S)

    summary = Said(driver.returncode, stdout, stderr).summary
    assert driver.returncode in {0, 3}, stderr
    (level,) = summary.levels
    assert level.ended_early == ""
    assert level.orders.answered == level.orders.sent == level.orders.intended
    assert summary.profile.samples > 0
    assert not lab.pids("engine", "loadcluster-engine")


def test_an_sshd_that_is_killed_with_its_connections_ends_run_and_engine(
    lab: Lab, tmp_path: Path
) -> None:
    driver = start(lab, tmp_path, "measure.control_s=1", "profile.window_s=20")
    wait_for_event(tmp_path, "profile-window-opened")
    lab.kill("engine", *lab.pids("engine", "sshd"))
    try:
        # The window without the profiler was over: its figures stand, if it was long enough.
        summary = end_of(driver, within_s=60, exit_status=(MEASURED, NOT_VALID))
        (level,) = summary.levels
        assert "the connection to the engine's host was lost" in level.ended_early
        assert level.orders.balanced
        assert "engine-host-lost" in {finding.code for finding in summary.findings}
        for what in ("loadcluster-engine", "perf "):
            wait_for(lambda what=what: not lab.pids("engine", what), what, 30)
    finally:
        restart_sshd(lab)


def listener(lab: Lab) -> int:
    """The pid, on its host, of the sshd that accepts connections."""
    return int((lab.directory / "engine" / "sshd.pid").read_text())


def restart_sshd(lab: Lab) -> None:
    config = lab.directory / "engine" / "sshd_config"
    log = lab.directory / "engine" / "sshd.log"
    said = lab.on("engine", "/usr/sbin/sshd", "-f", str(config), "-E", str(log))
    assert said.exit_status == 0, said.stderr


def engine_command() -> list[str]:
    return [str(reference_engine()), "--address", "10.77.0.20", "--port", "9001"]


def child_of(pid: int) -> int:
    """The only child of a process: what `exec` runs."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)
