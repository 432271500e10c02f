"""A reflector on this machine. It answers at once, so what is measured is the client."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

from cluster.errors import EngineError
from cluster.fleet.calibration_spec import Reflector, Shape
from cluster.host.local import LocalHost
from cluster.host.ports import free_port
from cluster.host.reflector import running_reflector

LOOPBACK: Final = "127.0.0.1"


@contextmanager
def loopback_reflector(shape: Shape, max_s: float) -> Iterator[Reflector]:
    """A reflector on this machine, on other CPUs than the workers where there are any.

    It ends with the context, with this process, and after `max_s` in any case.

    Raises:
        EngineError: it is not built, or does not start.
        HostError: this machine does not let us.
    """
    usable = os.sched_getaffinity(0)
    others = sorted(usable - set(shape.cpus))
    port = free_port(LOOPBACK)
    if port is None:
        raise EngineError("this machine has no port of loopback to spare")
    # One thread per worker does: a reflector has less to do for an order than a client.
    threads = max(1, min(shape.workers, len(usable) - shape.workers))
    with (
        closing(LocalHost()) as host,
        running_reflector(
            host,
            listen=LOOPBACK,
            address=LOOPBACK,
            port=port,
            threads=threads,
            # Not pinned where the workers are not: the kernel keeps them apart as well as it can.
            cpus=others if shape.cpus else (),
            max_s=max_s,
        ) as running,
    ):
        yield Reflector(LOOPBACK, port, running.pid, threads)
