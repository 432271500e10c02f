"""Whole runs over several hosts, each with its own address, and the engine behind SSH."""

from pathlib import Path

import pytest

from cluster.results.store import RunDirectory
from cluster.results.summary import LevelSummary, Summary
from fakes.command_line import LIMIT_S, Said, only_run, wait_for_event
from fakes.lab import Lab, why_not

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(why_not()), reason=why_not())]

NO_PROFILE = "profile=off"


def summary_of(lab: Lab, folder: Path, *overrides: str) -> Summary:
    said = lab.on("head", *lab.run(folder / "runs", *overrides))
    # Whether a busy machine lets the clients keep their schedule is not this file's question.
    assert said.exit_status in {0, 3}, said.stderr
    return said.summary


def only_level(summary: Summary) -> LevelSummary:
    (level,) = summary.levels
    assert level.ended_early == ""
    assert level.orders.balanced
    assert level.orders.answered == level.orders.sent == level.orders.intended > 0
    return level


def peers(lab: Lab, port: int) -> list[str]:
    """Addresses of those who are connected to a port of the engine's host."""
    told = lab.on("engine", "ss", "-Htn", "state", "established", f"sport = :{port}").stdout
    return [line.split()[3].rpartition(":")[0] for line in told.splitlines()]


def test_two_hosts_load_an_engine_that_is_profiled_over_ssh(lab: Lab, tmp_path: Path) -> None:
    before = {host: set(lab.processes(host).values()) for host in ("engine", "load-1", "load-2")}
    driver = lab.start("head", *lab.run(tmp_path / "runs", "load.maximum={in_flight: 64}"))
    wait_for_event(tmp_path, "load-started")
    connected = peers(lab, 9001)
    stdout, stderr = driver.communicate(timeout=LIMIT_S)

    said = Said(driver.returncode, stdout, stderr)
    assert said.exit_status in {0, 3}, stderr
    assert sorted(connected) == ["10.77.0.101"] * 4 + ["10.77.0.102"] * 4
    for level in said.summary.levels:
        assert level.ended_early == ""
        assert level.orders.balanced
        assert level.orders.answered == level.orders.sent > 0
        assert sorted(agent.host for agent in level.agents) == ["load-1", "load-2"]
        assert all(agent.orders.answered > 0 for agent in level.agents)
    assert said.summary.profile.samples > 0
    assert [f for f in said.summary.profile.hot_functions if f.name.startswith("cluster::engine")]
    facts = RunDirectory.open(only_run(tmp_path)).load_facts()
    assert {fact["hostname"] for fact in facts} >= {"engine", "load-1", "load-2"}
    assert [i["name"] for i in facts[0]["interfaces"]] == ["eth0"]
    for host, processes in before.items():
        left = set(lab.processes(host).values()) - processes
        assert [args for args in left if not args.startswith(("ray::", "sshd"))] == [], host
        assert [args for args in left if "Agent" in args] == [], host
        assert lab.on(host, "sh", "-c", 'ls "$TMPDIR"').stdout == "", host


def test_two_hosts_carry_twice_what_one_carries(lab: Lab, tmp_path: Path) -> None:
    alone = summary_of(lab, tmp_path / "1", "agents.count=1", "load.rates_per_s=[1000]", NO_PROFILE)
    both = summary_of(lab, tmp_path / "2", "agents.count=2", "load.rates_per_s=[2000]", NO_PROFILE)

    of_one, of_two = only_level(alone), only_level(both)
    assert of_one.throughput_per_s.mean == pytest.approx(1000, rel=0.02)
    assert of_two.throughput_per_s.mean == pytest.approx(2000, rel=0.02)
    shares = [agent.orders.answered for agent in of_two.agents]
    assert shares == [of_one.orders.answered] * 2


def test_who_has_another_token_is_not_let_in(lab: Lab, tmp_path: Path) -> None:
    token = lab.directory / "head" / "another"
    token.write_text("0" * 64)
    with_it = ("env", f"RAY_AUTH_TOKEN_PATH={token}")

    said = lab.on("head", *with_it, *lab.run(tmp_path / "runs", NO_PROFILE))

    assert said.exit_status == 1, said.stdout
    assert "the Ray cluster at 10.77.0.1:6379 can't be joined" in said.stderr
    assert "token" in said.stderr
    assert "Traceback" not in said.stderr
    own = (lab.directory / "head" / ".ray" / "auth_token").read_text()
    assert own not in said.stderr + said.stdout
    assert not list((tmp_path / "runs").glob("*/summary.json"))
