"""Whole runs over several hosts, each with its own address, and the engine behind SSH."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster.results.store import RunDirectory
from cluster.results.summary import LevelSummary, Summary
from cluster.units import NS_PER_MS, NS_PER_S
from fakes.command_line import LIMIT_S, Said, only_run, wait_for_event
from fakes.lab import Lab, why_not

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(why_not()), reason=why_not())]

NO_PROFILE = "profile=off"
# Where all hosts share two CPUs, a worker may have to wait for one.
SKEW_MAX_NS = 20 * NS_PER_MS


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


@dataclass(frozen=True)
class Observed:
    """A run over both load hosts, and what was seen beside it."""

    said: Said
    folder: Path
    connected: list[str]  # to the engine, while the load went on
    before: dict[str, set[str]]  # the processes of each host


@pytest.fixture(scope="module")
def both(whole_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Observed:
    lab, folder = whole_lab, tmp_path_factory.mktemp("both")
    before = {host: set(lab.processes(host).values()) for host in ("engine", "load-1", "load-2")}
    driver = lab.start("head", *lab.run(folder / "runs", "profile.window_s=2"))
    wait_for_event(folder, "load-started")
    connected = peers(lab, 9001)
    stdout, stderr = driver.communicate(timeout=LIMIT_S)
    return Observed(Said(driver.returncode, stdout, stderr), folder, connected, before)


def test_two_hosts_load_an_engine_that_is_profiled_over_ssh(both: Observed) -> None:
    # Whether a busy machine lets the clients keep their schedule is not this file's question.
    assert both.said.exit_status in {0, 3}, both.said.stderr
    level = only_level(both.said.summary)
    assert sorted(agent.host for agent in level.agents) == ["load-1", "load-2"]
    assert sorted(both.connected) == ["10.77.0.101"] * 4 + ["10.77.0.102"] * 4
    assert both.said.summary.profile.samples > 0
    assert both.said.summary.profile.hot_functions
    facts = RunDirectory.open(only_run(both.folder)).load_facts()
    assert {fact["hostname"] for fact in facts} >= {"engine", "load-1", "load-2"}
    assert {tuple(i["name"] for i in fact["interfaces"]) for fact in facts} == {("eth0",)}


def test_after_a_run_nothing_is_left_on_any_host(lab: Lab, both: Observed) -> None:
    for host, before in both.before.items():
        new = set(lab.processes(host).values()) - before
        # Ray keeps workers for the next job a while.
        assert [args for args in new if not args.startswith("ray::IDLE")] == [], host
        assert lab.on(host, "sh", "-c", 'ls "$TMPDIR"').stdout == "", host
    assert peers(lab, 9001) == []


def test_two_hosts_carry_twice_what_one_carries(lab: Lab, both: Observed, tmp_path: Path) -> None:
    alone = ("agents.count=1", "load.rates_per_s=[1000]", "profile.window_s=2")
    said = lab.on("head", *lab.run(tmp_path / "runs", *alone))
    assert said.exit_status in {0, 3}, said.stderr

    of_one, of_two = only_level(said.summary), only_level(both.said.summary)
    assert of_one.throughput_per_s.mean == pytest.approx(1000, rel=0.02)
    assert of_two.throughput_per_s.mean == pytest.approx(2000, rel=0.02)
    # A constant rate: half an order each is all that the hosts' phases may differ by.
    shares = [agent.orders.answered for agent in of_two.agents]
    assert shares == pytest.approx([of_one.orders.answered] * 2, abs=1)


def test_who_has_another_token_is_not_let_in(lab: Lab, tmp_path: Path) -> None:
    token = lab.directory / "head" / "another"
    token.write_text("0" * 64)
    token.chmod(0o600)  # one that others may read is refused without being tried
    with_it = ("env", f"RAY_AUTH_TOKEN_PATH={token}")

    said = lab.on("head", *with_it, *lab.run(tmp_path / "runs", NO_PROFILE))

    assert said.exit_status == 1, said.stdout
    assert "the Ray cluster at 10.77.0.1:6379 can't be joined" in said.stderr
    assert "token" in said.stderr
    assert "Traceback" not in said.stderr
    own = (lab.directory / "head" / ".ray" / "auth_token").read_text()
    assert own not in said.stderr + said.stdout
    assert not list((tmp_path / "runs").glob("*/summary.json"))


def test_hosts_whose_clocks_differ_start_at_the_same_moment(both: Observed) -> None:
    clocks = {clock.host: clock for clock in both.said.summary.clocks}

    for host, ahead_s in (("engine", 0), ("load-1", 1_000), ("load-2", 2_000)):
        clock = clocks[host]
        assert not clock.same, host
        assert clock.offset_ns is not None
        assert clock.error_ns is not None
        # The largest error of all readings; this is the first one, with an error of its own.
        assert abs(clock.offset_ns - ahead_s * NS_PER_S) <= max(clock.error_ns, NS_PER_MS)
    for host in ("load-1", "load-2"):
        skew_ns = clocks[host].start_skew_ns
        assert skew_ns is not None
        assert abs(skew_ns) < SKEW_MAX_NS
