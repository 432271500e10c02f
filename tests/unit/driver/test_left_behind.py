"""What is left on the hosts at the end of a run: asked, grouped by host, and made a finding."""

from cluster.driver.left_behind import by_host, look_at_agents
from cluster.driver.run_findings import is_of_note, left_behind
from cluster.fleet.in_process import InProcessFleet
from cluster.results.left_behind import LeftBehind
from fakes.agents import FakeAgent, FakeClock


class DeadAgent(FakeAgent):
    """Answers nothing any more."""

    def remains(self) -> None:  # type: ignore[override]  # it never returns
        raise RuntimeError("the actor died")


def look(**agents: FakeAgent) -> list[LeftBehind]:
    named = {name.replace("_", "-"): agent for name, agent in agents.items()}
    with InProcessFleet(named) as fleet:  # type: ignore[arg-type]  # fakes by shape
        return look_at_agents(fleet, dict.fromkeys(named, "load-1"), 9001)


def test_agents_at_rest_leave_nothing() -> None:
    (record,) = look(agent_0=FakeAgent(FakeClock()))

    assert record.host == "load-1"
    assert record.looked_for == [
        "load threads of agent-0",
        "connections of agent-0 to port 9001",
    ]
    assert record.found == []
    assert not is_of_note(record)


def test_what_an_agent_still_has_is_counted_and_becomes_a_finding() -> None:
    (record,) = look(agent_0=FakeAgent(FakeClock(), connections_kept=3))

    assert record.found == ["3 connections of agent-0"]
    finding = left_behind(record)
    assert finding.code == "left-behind"
    assert finding.message == "Left behind on load-1: 3 connections of agent-0"


def test_a_lost_agent_is_not_known_to_be_at_rest() -> None:
    (record,) = look(agent_0=DeadAgent(FakeClock()))

    assert record.not_looked == "agent-0 did not answer: the actor died"
    assert "is not known: agent-0 did not answer" in left_behind(record).message


def test_records_of_one_host_become_one() -> None:
    records = [
        LeftBehind(host="a", looked_for=["x", "files"]),
        LeftBehind(host="b", looked_for=["y"], not_looked="gone"),
        LeftBehind(host="a", looked_for=["z", "files"], found=["pid 1"]),
    ]

    assert by_host(records) == [
        LeftBehind(host="a", looked_for=["x", "files", "z"], found=["pid 1"]),
        LeftBehind(host="b", looked_for=["y"], not_looked="gone"),
    ]
