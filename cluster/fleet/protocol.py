"""What every fleet can do: the same calls to every agent, each answered or failed by name."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from cluster.errors import FleetError
from cluster.experiment.model import Replay
from cluster.fleet.agent import Agent, Closing, Place, Poll, Way
from cluster.fleet.calibrate import LONGEST_S
from cluster.fleet.calibration_spec import CalibrationSpec
from cluster.fleet.limits import Limits
from cluster.fleet.remains import Remains
from cluster.fleet.replay_reader import FileLook
from cluster.fleet.spec import LoadSpec
from cluster.results.facts import HostFacts
from cluster.results.summary import Calibration
from cluster.units import NS_PER_S

T = TypeVar("T")

ANSWER_TIMEOUT_S = 5.0  # a call that returns at once; an agent beyond it counts as lost
START_TIMEOUT_S = 60.0  # a worker process on a busy host takes its time to import us
SETTLE_S = 5.0  # on top of a bounded call's own time


@dataclass(frozen=True)
class PerAgent(Generic[T]):
    """What each agent answered: a value, or why there is none."""

    ok: Mapping[str, T]
    failed: Mapping[str, str]

    def require_all(self, error: type[FleetError], message: str, hint: str = "") -> Mapping[str, T]:
        """Every value, or an error that names each failed agent."""
        if self.failed:
            raise error(message, self.failed, hint)
        return self.ok


class Fleet(ABC):
    """A started fleet. A context manager: leaving it ends every agent and what carried it."""

    agents: tuple[str, ...]
    marks: tuple[str, ...] = ()  # in the names of what carries it on this machine, if anything does

    @abstractmethod
    def call(
        self, method: Callable[..., T], arguments: Mapping[str, tuple[Any, ...]], timeout_s: float
    ) -> PerAgent[T]:
        """Call a method of every agent named in `arguments`, all at the same time.

        Args:
            method: an unbound method of `Agent`.
            arguments: by agent name, the method's arguments.
            timeout_s: an agent that has not answered by then is in `failed`.
        """

    @abstractmethod
    def close(self) -> None:
        """End every agent and what carried it. Idempotent."""

    def why_headless(self) -> str:
        """Why what carries the agents can't be told anything any more; empty: it can."""
        return ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def everywhere(self, *arguments: object) -> dict[str, tuple[object, ...]]:
        """The same arguments for every agent."""
        return dict.fromkeys(self.agents, arguments)

    def places(self) -> PerAgent[Place]:
        """Where each agent runs. The first call: it waits for the agents' processes to start."""
        return self.call(Agent.place, self.everywhere(), START_TIMEOUT_S)

    def ways_to(self, address: str, port: int) -> PerAgent[Way]:
        """How each agent's host reaches the engine."""
        return self.call(Agent.way_to, self.everywhere(address, port), ANSWER_TIMEOUT_S)

    def facts(self) -> PerAgent[HostFacts]:
        """What the agents' hosts are."""
        return self.call(Agent.facts, self.everywhere(), START_TIMEOUT_S)

    def limits(self) -> PerAgent[Limits]:
        """How many connections the agents may open."""
        return self.call(Agent.limits, self.everywhere(), START_TIMEOUT_S)

    def look_at_file(self, replay: Replay, with_times: bool, plan_text: str) -> PerAgent[FileLook]:
        """Read the first rows of a file on every agent's host."""
        return self.call(Agent.look_at_file, self.everywhere(replay, with_times, plan_text), 60.0)

    def known_calibrations(
        self, specs: Mapping[str, tuple[CalibrationSpec, ...]]
    ) -> PerAgent[list[Calibration | None]]:
        """What the hosts of these agents remember of themselves."""
        return self.call(Agent.known_calibrations, specs, ANSWER_TIMEOUT_S)

    def calibrate(self, specs: Mapping[str, CalibrationSpec]) -> PerAgent[Calibration]:
        """Calibrate the hosts of these agents, all at the same time."""
        arguments = {name: (spec,) for name, spec in specs.items()}
        return self.call(Agent.calibrate, arguments, LONGEST_S + SETTLE_S)

    def prepare(self, specs: Mapping[str, LoadSpec]) -> PerAgent[None]:
        """Build every agent's load client; orders are made now, ahead of the load."""
        return self.call(Agent.prepare, {name: (spec,) for name, spec in specs.items()}, 60.0)

    def connect(self, timeout_s: float) -> PerAgent[int]:
        """Open every connection of every agent: the barrier before the common start."""
        timeout_ns = round(timeout_s * NS_PER_S)
        return self.call(Agent.connect, self.everywhere(timeout_ns), timeout_s + SETTLE_S)

    def start_at(self, start_ns: Mapping[str, int]) -> PerAgent[None]:
        """Start every agent at a time of its own clock."""
        arguments = {name: (ns,) for name, ns in start_ns.items()}
        return self.call(Agent.start_at, arguments, ANSWER_TIMEOUT_S)

    def end_at(self, end_ns: Mapping[str, int]) -> PerAgent[None]:
        """Let no order of an agent be due from a time of its own clock on; see `Agent.end_at`."""
        arguments = {name: (ns,) for name, ns in end_ns.items()}
        return self.call(Agent.end_at, arguments, ANSWER_TIMEOUT_S)

    def poll(self, agents: tuple[str, ...]) -> PerAgent[Poll]:
        """What has happened since the last poll."""
        return self.call(Agent.poll, dict.fromkeys(agents, ()), ANSWER_TIMEOUT_S)

    def stop(self, agents: tuple[str, ...]) -> PerAgent[None]:
        """Send nothing more. To be asked of those that answer: the others would be waited for."""
        return self.call(Agent.stop, dict.fromkeys(agents, ()), ANSWER_TIMEOUT_S)

    def finish(self, agents: tuple[str, ...], timeout_s: float) -> PerAgent[Closing]:
        """Wait until every order has met its fate, and collect the rest."""
        timeout_ns = round(timeout_s * NS_PER_S)
        return self.call(Agent.finish, dict.fromkeys(agents, (timeout_ns,)), timeout_s + SETTLE_S)

    def remains(self, agents: tuple[str, ...]) -> PerAgent[Remains]:
        """What these agents' processes still have of the load, after `release`."""
        return self.call(Agent.remains, dict.fromkeys(agents, ()), ANSWER_TIMEOUT_S)

    def release(self, agents: tuple[str, ...] | None = None) -> PerAgent[None]:
        """Close every connection, of all agents or of these; they stay for the next level."""
        asked = self.agents if agents is None else agents
        return self.call(Agent.close, dict.fromkeys(asked, ()), ANSWER_TIMEOUT_S)
