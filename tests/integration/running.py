"""The reference engine as a user runs it, beside loadcluster."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cluster.host.reference import reference_engine


@dataclass(frozen=True)
class Running:
    """An engine that loadcluster did not start."""

    pid: int
    port: int


@contextmanager
def running_engine(*options: str, **environment: str) -> Iterator[Running]:
    """The reference engine on a free port of loopback."""
    command = [str(reference_engine()), "--port", "0", *options]
    environ = {**os.environ, **environment}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        try:
            assert process.stdout is not None
            yield Running(process.pid, int(process.stdout.readline().rpartition(":")[2]))
        finally:
            process.terminate()
