"""A reflector beside the engine: what answers there at once shows the path without the engine."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cluster.driver.engine_side import EngineSide
from cluster.errors import EngineError
from cluster.host.ports import free_port
from cluster.host.reflector import running_reflector
from cluster.results.facts import HostFacts

# Below those that Linux gives to outgoing connections (ip_local_port_range).
PORTS: Final = range(20_000, 30_000)
LONGEST_S: Final = 60.0


def is_engine_host(side: EngineSide, facts: HostFacts | None) -> bool:
    """Whether the host with these facts is the one that the orders go to."""
    if side.host is None or side.facts is None or facts is None:
        return False
    ours = not side.host.is_local or free_port(side.address) is not None
    return ours and facts.hostname == side.facts.hostname


@contextmanager
def reflector_beside(side: EngineSide, threads: int) -> Iterator[tuple[str, int]]:
    """A reflector on the engine's host, on a port of its own. For while the engine is idle.

    Yields:
        Its address, as the load agents see it, and its port.

    Raises:
        EngineError: it can't be started there, or not be reached from here.
        HostError: the host failed.
    """
    host = side.host
    if host is None:
        raise EngineError("the engine's host could not be opened")
    # A host behind SSH is not asked: a port that is taken there is found out by trying.
    port = free_port(side.address) if host.is_local else random.choice(PORTS)  # noqa: S311
    if port is None:
        raise EngineError(
            f"{side.address} is another machine, on which nothing can be started: `engine.host` "
            "gives no SSH access to it"
        )
    with running_reflector(
        host,
        listen=side.listen_address(host),
        address=side.address,
        port=port,
        threads=threads,
        cpus=side.engine_cpus,
        max_s=LONGEST_S,
    ):
        yield side.address, port
