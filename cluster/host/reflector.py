"""The life of a reflector: the reference engine that answers every order at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from cluster.errors import EngineError
from cluster.host.engine_process import RunningEngine, start_engine
from cluster.host.protocol import Host
from cluster.host.reference import reference_engine_argv

READY_TIMEOUT_S: Final = 3.0


@contextmanager
def running_reflector(
    host: Host,
    *,
    listen: str,
    address: str,
    port: int,
    threads: int,
    cpus: Sequence[int],
    max_s: float,
) -> Iterator[RunningEngine]:
    """A reflector on `host`, in orderwire. It ends with the context, and with us.

    Args:
        host: where it runs.
        listen: the address of that host that it listens on.
        address: the same place as seen from here.
        port: a free one.
        threads: of it.
        cpus: CPUs it is pinned to; empty: not pinned.
        max_s: it is ended after so long, whatever happens.

    Raises:
        EngineError: it is not built, does not start, or can't be reached from here.
        HostError: the host failed.
    """
    argv = reference_engine_argv(
        host, address=listen, port=port, threads=threads, protocol="orderwire"
    )
    try:
        reflector = start_engine(
            host,
            [*argv, "--reflect"],
            cpus=cpus,
            address=address,
            port=port,
            ready_timeout_s=READY_TIMEOUT_S,
            max_s=max_s,
        )
    except EngineError as error:
        raise EngineError(f"no reflector could be started: {error.message}") from error
    try:
        yield reflector
    finally:
        reflector.stop()
