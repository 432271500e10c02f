"""The life of the engine we start, and finding one that runs already."""

from collections.abc import Sequence
from dataclasses import dataclass

from cluster.host.protocol import Host
from cluster.host.supervised import Ended


@dataclass(frozen=True)
class ProcessFacts:
    """A process on a host. Pid and start time together are unique until the next boot."""

    pid: int
    name: str
    cmdline: str
    start_time_s: float  # after boot


class RunningEngine:
    """An engine that we started. It ends with us, however we end."""

    host: Host
    pid: int

    def exit(self) -> Ended | None:
        """How it ended by itself, or None while it runs. Raises ConnectionFailed."""
        raise NotImplementedError

    def stop(self, timeout_s: float = 10) -> Ended:
        """End it with SIGTERM; `stdout_tail` is its last output. Idempotent."""
        raise NotImplementedError


def start_engine(
    host: Host,
    argv: Sequence[str],
    *,
    cpus: Sequence[int] = (),
    address: str,
    port: int,
    ready_timeout_s: float,
    max_s: float = 86_400,
) -> RunningEngine:
    """Start an engine and wait until its port accepts a connection from this machine.

    Raises:
        EngineError: the port is taken, the engine ended, or its port did not open in time.
        HostError: the host failed.
    """
    raise NotImplementedError


def find_process(host: Host, name_or_pid: str | int) -> ProcessFacts:
    """The one process of that name or pid. Raises ProcessNotFound, listing candidates."""
    raise NotImplementedError
