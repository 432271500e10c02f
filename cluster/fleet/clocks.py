"""How the agents' clocks relate to the driver's, and the common start."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from cluster.errors import AgentLost
from cluster.fleet.agent import Agent
from cluster.fleet.protocol import ANSWER_TIMEOUT_S, Fleet
from cluster.host.clock import SAME_CLOCK, ClockOffset
from cluster.results.clock import ClockReading
from cluster.units import NS_PER_MS

# Exchanges for one comparison: of each agent, and of all: a thousand agents take two seconds.
PROBES = 8
PROBES_LEAST = 2
PROBES_OF_ALL = 2_000
# While the load runs, so long a second; a driver that looks away for longer is missed.
GLANCE_NS = 50 * NS_PER_MS
GLANCE_TIMEOUT_S = 0.5
# Starting threads and reaching every agent takes a few ms; the common start lies beyond that.
LEAD_NS = 200 * NS_PER_MS


class FleetClocks:
    """Compares the agents' clocks with this process's, now and again, and keeps every reading.

    Of several exchanges the one with the shortest delay is kept: the offset's error is at most
    half of that delay.

    Source:
        D. Mills, RFC 5905, section 8 (clock offset and round-trip delay) and its clock filter. An
        agent reads its clock once, so two of the four timestamps are the same.
    """

    def __init__(
        self,
        fleet: Fleet,
        now_ns: Callable[[], int] = time.monotonic_ns,
        same: Collection[str] = (),
    ) -> None:
        """Of `same` it is known that they read the driver's own clock."""
        self.readings: dict[str, list[ClockReading]] = {agent: [] for agent in fleet.agents}
        self._fleet = fleet
        self._now_ns = now_ns
        self._same = frozenset(same)
        self._silent: set[str] = set()
        self._turn = 0

    def compare(self) -> dict[str, ClockOffset]:
        """The offset of every agent's clock.

        Raises:
            AgentLost: an agent does not answer.
        """
        probes = min(PROBES, max(PROBES_LEAST, PROBES_OF_ALL // len(self._fleet.agents)))
        for agent in self._fleet.agents:
            read = [self._exchange(agent, ANSWER_TIMEOUT_S) for _ in range(probes)]
            if why := next((why for _, why in read if why), ""):
                raise AgentLost("no answer to a clock exchange", {agent: why})
            self.readings[agent].append(_best([x for x, _ in read if x is not None]))
        return {agent: self._offset(agent) for agent in self._fleet.agents}

    def glance(self, agents: Sequence[str]) -> None:
        """One exchange with each of `agents`, as far as a moment is enough; the others come next.

        An agent that does not answer is not asked again: whether it is lost, its polls will tell.
        """
        asked = [agent for agent in agents if agent not in self._silent]
        until_ns = self._now_ns() + GLANCE_NS
        for _ in range(len(asked)):
            agent = asked[self._turn % len(asked)]
            self._turn += 1
            reading, _ = self._exchange(agent, GLANCE_TIMEOUT_S)
            if reading is None:
                self._silent.add(agent)
            else:
                self.readings[agent].append(reading)
            if self._now_ns() >= until_ns:
                return

    def is_same(self, agent: str) -> bool:
        """Whether it reads the driver's own clock, by what is known and by every reading."""
        return agent in self._same and all(
            abs(reading.offset_ns) <= reading.error_ns for reading in self.readings[agent]
        )

    def _offset(self, agent: str) -> ClockOffset:
        newest = self.readings[agent][-1]
        if self.is_same(agent):
            return SAME_CLOCK
        return ClockOffset(newest.offset_ns, newest.error_ns, "exchanges with its agent")

    def _exchange(self, agent: str, timeout_s: float) -> tuple[ClockReading | None, str]:
        """A reading, or why there is none."""
        sent_ns = self._now_ns()
        answer = self._fleet.call(Agent.clock_ns, {agent: ()}, timeout_s)
        received_ns = self._now_ns()
        if agent not in answer.ok:
            return None, answer.failed[agent]
        middle_ns = (sent_ns + received_ns) // 2
        # Both halves are rounded down.
        error_ns = (received_ns - sent_ns) // 2 + 1
        return ClockReading(middle_ns, answer.ok[agent] - middle_ns, error_ns), ""


def measure_clocks(
    fleet: Fleet,
    now_ns: Callable[[], int] = time.monotonic_ns,
    same: Collection[str] = (),
) -> dict[str, ClockOffset]:
    """Offset of every agent's monotonic clock against `now_ns`, this process's.

    Raises:
        AgentLost: an agent does not answer.
    """
    return FleetClocks(fleet, now_ns, same).compare()


def common_start(clocks: Mapping[str, ClockOffset], now_ns: int) -> tuple[int, dict[str, int]]:
    """A start far enough ahead for every agent to be told.

    Returns:
        The start in the driver's clock, and by agent in the agent's own clock.
    """
    start_ns = now_ns + LEAD_NS
    return start_ns, {agent: start_ns + clock.offset_ns for agent, clock in clocks.items()}


def _best(readings: Sequence[ClockReading]) -> ClockReading:
    return min(readings, key=lambda reading: reading.error_ns)
