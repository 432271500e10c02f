from typing import Any

import pytest

from cluster.driver.apart import require_apart
from cluster.errors import StartFailed
from cluster.experiment.model import Experiment
from cluster.fleet.agent import Way
from cluster.fleet.in_process import InProcessFleet
from cluster.host.identity import Identity
from cluster.results.finding import Finding
from fakes.agents import FakeAgent, FakeClock

ENGINE = Identity("boot-e", "net:[1]", "time:[1]")
ELSEWHERE = Identity("boot-l", "net:[1]", "time:[1]")


def experiment(**agents: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "x",
            "engine": {"address": "192.0.2.9"},
            "ray": {"address": "head:6379"},
            "agents": {"count": 2, **agents},
            "load": {"rates_per_s": [1_000]},
        }
    )


def findings(second: FakeAgent, engine: Identity | None = ENGINE, **agents: Any) -> list[Finding]:
    both = {"agent-0": FakeAgent(FakeClock(), identity=ELSEWHERE), "agent-1": second}
    places = {name: agent.place() for name, agent in both.items()}
    with InProcessFleet(both) as fleet:  # type: ignore[arg-type]  # a fake by shape
        return require_apart(experiment(**agents), fleet, places, engine)


def agent(**what: Any) -> FakeAgent:
    return FakeAgent(FakeClock(), host="load-2", **what)


def test_agents_elsewhere_are_fine_and_nothing_is_said() -> None:
    assert [] == findings(agent(identity=ELSEWHERE))
    assert [] == findings(agent(identity=ELSEWHERE), engine=None)


def test_an_agent_on_the_engines_machine_is_refused_by_name() -> None:
    with pytest.raises(StartFailed, match="agent-1: load-2 is the engine's host") as raised:
        findings(agent(identity=ENGINE))

    assert ["agent-1"] == list(raised.value.failed)
    assert "agents: {on_engine_host: true}" in raised.value.hint


def test_an_agent_that_has_the_engines_address_is_refused_without_knowing_its_machine() -> None:
    with pytest.raises(StartFailed, match=r"load-2 has the engine's address 192\.0\.2\.9"):
        findings(agent(identity=ELSEWHERE, way=Way("192.0.2.9", own=True)), engine=None)


def test_whoever_asks_for_it_gets_it() -> None:
    assert [] == findings(agent(identity=ENGINE), on_engine_host=True)


def test_a_neighbour_in_a_namespace_of_its_own_is_allowed_and_told() -> None:
    (finding,) = findings(agent(identity=Identity("boot-e", "net:[2]", "time:[1]")))

    assert "agents-beside-engine" == finding.code
    assert finding.message.startswith("agent-1: on the engine's machine")
