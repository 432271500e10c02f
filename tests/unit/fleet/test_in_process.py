import threading
from typing import Any, cast

import pytest

from cluster.errors import StartFailed
from cluster.fleet.agent import Agent
from cluster.fleet.in_process import InProcessFleet


class Scripted:
    """An agent that answers as it is told."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.closed = False

    def clock_ns(self) -> int:
        if isinstance(self.answer, threading.Event):
            self.answer.wait(10)
            return 0
        if isinstance(self.answer, Exception):
            raise self.answer
        return cast("int", self.answer)

    def close(self) -> None:
        self.closed = True


def fleet_of(**answers: Any) -> InProcessFleet:
    return InProcessFleet(cast("dict[str, Agent]", {k: Scripted(v) for k, v in answers.items()}))


def test_each_agent_answers_or_fails_by_name() -> None:
    hangs = threading.Event()
    with fleet_of(good=1, bad=ValueError("no"), silent=hangs) as fleet:
        answers = fleet.call(Agent.clock_ns, fleet.everywhere(), timeout_s=0.05)
        hangs.set()

    assert answers.ok == {"good": 1}
    assert answers.failed == {"bad": "no", "silent": "no answer to `clock_ns` within 0.05 s"}


def test_one_failure_is_an_error_that_names_its_agent() -> None:
    with fleet_of(good=1, bad=ValueError("no")) as fleet:
        answers = fleet.call(Agent.clock_ns, fleet.everywhere(), timeout_s=5)

    with pytest.raises(StartFailed, match="agents failed: bad: no"):
        answers.require_all(StartFailed, "agents failed")


def test_closing_closes_every_agent() -> None:
    agents = {"a": Scripted(1), "b": Scripted(2)}
    with InProcessFleet(cast("dict[str, Agent]", agents)):
        pass

    assert [agent.closed for agent in agents.values()] == [True, True]
