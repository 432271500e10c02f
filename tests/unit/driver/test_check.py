import time
from typing import Any

from cluster.driver.check import _fleet_lines, _plan_lines
from cluster.experiment.model import Experiment
from cluster.experiment.plan import plan
from cluster.fleet.agent import Way
from cluster.fleet.in_process import InProcessFleet
from cluster.host.identity import identity_here
from cluster.units import NS_PER_S
from fakes.agents import FakeAgent, FakeClock


class DriversClock(FakeClock):
    """The real one."""

    def now_ns(self) -> int:
        return time.monotonic_ns()


def experiment(**load: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "x",
            "engine": {"address": "192.0.2.9"},
            "agents": {"count": 2, "connections": 3},
            "load": load,
        }
    )


def plan_lines(**load: Any) -> list[str]:
    asked = experiment(**load)
    return list(_plan_lines(asked, plan(asked, frozenset({0, 1}))))


def test_the_plan_says_which_agent_offers_what() -> None:
    lines = plan_lines(rates_per_s=[1_000, 4_000], maximum={"in_flight": 9})

    shared = "1 workers, 3 connections, not pinned"
    assert f"agent-0: 500/s, then 2,000/s, 5 in flight, {shared}" in lines
    assert f"agent-1: 500/s, then 2,000/s, 4 in flight, {shared}" in lines


def test_of_many_levels_the_plan_says_from_where_to_where() -> None:
    lines = plan_lines(rates_per_s=[1_000, 2_000, 3_000, 4_000])

    assert any(line.startswith("agent-0: 500/s to 2,000/s at 4 levels, ") for line in lines)


def test_every_agent_has_its_host_its_clock_and_the_address_it_connects_from() -> None:
    clock = FakeClock()
    agents = {
        "agent-0": FakeAgent(DriversClock(), identity=identity_here()),
        "agent-1": FakeAgent(clock, host="load-2", offset_ns=10**9 * NS_PER_S),
        "agent-2": FakeAgent(clock, host="load-3", way=Way("", own=False)),
    }
    places = {name: agent.place() for name, agent in agents.items()}
    with InProcessFleet(agents) as fleet:  # type: ignore[arg-type]  # a fake by shape
        first, second, third = _fleet_lines(experiment(rates_per_s=[1_000]), fleet, places)

    assert ("ok", "ok", "failed") == (first.state, second.state, third.state)
    assert ", the driver's own clock, " in first.what
    assert second.what.startswith("agent-1 on load-2, 2 CPUs, loadcluster ")
    assert " ahead, known within " in second.what
    assert second.what.endswith("connects from 10.0.0.2")
    assert third.what.endswith("has no route to 192.0.2.9")
    assert "as seen from there" in third.remedy
