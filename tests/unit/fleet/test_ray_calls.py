"""What becomes of calls to several agents when one of them is silent."""

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from cluster.fleet.agent import Agent
from cluster.fleet.ray_fleet import RayFleet
from cluster.fleet.ray_head import Head


class Answer:
    """Of one call. A large one lies with its agent until it is fetched."""

    def __init__(self, value: object, *, comes: bool = True, large: bool = False) -> None:
        self.value = value
        self.comes = comes
        self.large = large


class FakeRay(ModuleType):
    """Waits as Ray does: it fetches when all have come, or in what is then left of the time."""

    exceptions = SimpleNamespace(RayError=RuntimeError)

    def wait(
        self, references: list[Answer], num_returns: int, timeout: float, fetch_local: bool = True
    ) -> tuple[list[Answer], list[Answer]]:
        assert references
        assert num_returns == len(references)
        time_is_left = all(reference.comes for reference in references) and timeout > 0
        ready = [
            reference
            for reference in references
            if reference.comes and (not reference.large or not fetch_local or time_is_left)
        ]
        return ready, [reference for reference in references if reference not in ready]

    def get(self, reference: Answer) -> object:
        assert reference.comes, "this would wait for ever"
        return reference.value


class FakeActor:
    def __init__(self, answer: Answer) -> None:
        self.place = self
        self._answer = answer

    def remote(self, *_: Any) -> Answer:
        return self._answer


def fleet_of(**answers: Answer) -> RayFleet:
    actors = {name: FakeActor(answer) for name, answer in answers.items()}
    return RayFleet(FakeRay("ray"), actors, lambda: None, Head(None))


@pytest.mark.parametrize("large", [False, True])
def test_a_silent_agent_does_not_take_the_answers_of_others_with_it(large: bool) -> None:
    fleet = fleet_of(silent=Answer(None, comes=False), well=Answer("here", large=large))

    said = fleet.call(Agent.place, fleet.everywhere(), 5.0)

    assert said.ok == {"well": "here"}
    assert said.failed == {"silent": "no answer to `place` within 5 s"}


def test_where_all_are_silent_all_are_named() -> None:
    fleet = fleet_of(one=Answer(None, comes=False), two=Answer(None, comes=False))

    said = fleet.call(Agent.place, fleet.everywhere(), 5.0)

    assert said.ok == {}
    assert sorted(said.failed) == ["one", "two"]
