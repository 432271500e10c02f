"""How the agents' clocks relate to the driver's, and the common start."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cluster.errors import AgentLost
from cluster.fleet.agent import Agent
from cluster.fleet.protocol import ANSWER_TIMEOUT_S, Fleet
from cluster.units import NS_PER_MS

PROBES = 8
# Starting threads and reaching every agent takes a few ms; the common start lies beyond that.
LEAD_NS = 200 * NS_PER_MS


@dataclass(frozen=True)
class ClockOffset:
    """Agent's clock minus the driver's, with the bound of its error."""

    offset_ns: int
    error_ns: int


def measure_clocks(
    fleet: Fleet, now_ns: Callable[[], int] = time.monotonic_ns
) -> dict[str, ClockOffset]:
    """Offset of every agent's monotonic clock against `now_ns`, this process's.

    Of several exchanges the one with the shortest delay is kept: the offset's error is at most
    half of that delay. On one host the two clocks are the same and the offset comes out within
    that error of 0.

    Source:
        D. Mills, RFC 5905, section 8 (clock offset and round-trip delay) and its clock filter.
    """
    best: dict[str, ClockOffset] = {}
    for _ in range(PROBES):
        for agent in fleet.agents:
            sent_ns = now_ns()
            answer = fleet.call(Agent.clock_ns, {agent: ()}, ANSWER_TIMEOUT_S)
            received_ns = now_ns()
            there_ns = answer.require_all(AgentLost, "no answer to a clock exchange")[agent]
            error_ns = (received_ns - sent_ns) // 2
            if agent not in best or error_ns < best[agent].error_ns:
                offset_ns = there_ns - (sent_ns + received_ns) // 2
                best[agent] = ClockOffset(offset_ns, error_ns)
    return best


def common_start(clocks: Mapping[str, ClockOffset], now_ns: int) -> tuple[int, dict[str, int]]:
    """A start far enough ahead for every agent to be told.

    Returns:
        The start in the driver's clock, and by agent in the agent's own clock. An offset that is
        not told from 0 by its error is taken as 0: the agent shares this machine's clock.
    """
    start_ns = now_ns + LEAD_NS
    return start_ns, {
        agent: start_ns + (clock.offset_ns if abs(clock.offset_ns) > clock.error_ns else 0)
        for agent, clock in clocks.items()
    }
