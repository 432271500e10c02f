import pytest

from cluster.errors import StartFailed
from cluster.fleet.agent import Place
from cluster.fleet.in_process import InProcessFleet
from cluster.fleet.start import places_of
from fakes.agents import FakeAgent, FakeClock


class OlderAgent(FakeAgent):
    """Runs what was installed there last year."""

    def place(self) -> Place:
        return Place("load-2", 1, "0.0.1", 2)


def test_a_node_with_another_version_is_named_with_it() -> None:
    agents = {"agent-0": FakeAgent(FakeClock()), "agent-1": OlderAgent(FakeClock())}

    with (
        InProcessFleet(agents) as fleet,  # type: ignore[arg-type]  # fakes by shape
        pytest.raises(StartFailed, match="another version than this driver") as raised,
    ):
        places_of(fleet)

    assert list(raised.value.failed) == ["agent-1"]
    assert "load-2" in raised.value.failed["agent-1"]
    assert "0.0.1" in raised.value.failed["agent-1"]
