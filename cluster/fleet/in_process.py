"""The fleet without Ray: every agent in this process. For single hosts and for tests."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

from cluster.fleet.agent import Agent
from cluster.fleet.protocol import Fleet, PerAgent

T = TypeVar("T")


class InProcessFleet(Fleet):
    """Agents called directly, each from a thread of its own."""

    def __init__(self, agents: Mapping[str, Agent]) -> None:
        self.agents = tuple(agents)
        self._agents = dict(agents)
        # Two threads each: an agent that is connecting or finishing still answers.
        self._threads = ThreadPoolExecutor(2 * len(agents), thread_name_prefix="fleet")

    def call(
        self, method: Callable[..., T], arguments: Mapping[str, tuple[Any, ...]], timeout_s: float
    ) -> PerAgent[T]:
        """See `Fleet.call`."""
        name = method.__name__
        calls = {
            agent: self._threads.submit(getattr(self._agents[agent], name), *args)
            for agent, args in arguments.items()
        }
        wait(calls.values(), timeout=timeout_s)
        ok: dict[str, T] = {}
        failed: dict[str, str] = {}
        for agent, future in calls.items():
            if not future.done():
                failed[agent] = f"no answer to `{name}` within {timeout_s:g} s"
            elif (error := future.exception()) is not None:
                failed[agent] = str(error) or type(error).__name__
            else:
                ok[agent] = future.result()
        return PerAgent(ok, failed)

    def close(self) -> None:
        """See `Fleet.close`."""
        for agent in self._agents.values():
            agent.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


def start_in_process(agents: tuple[str, ...]) -> InProcessFleet:
    """A fleet of real agents in this process."""
    return InProcessFleet({name: Agent() for name in agents})
