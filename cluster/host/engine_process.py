"""The life of the engine we start, and finding one that runs already."""

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cluster.errors import CommandFailed, EngineError, ProcessNotFound
from cluster.host.commands import checked
from cluster.host.protocol import Host
from cluster.host.supervised import Ended, Supervised

_CONNECT_TIMEOUT_S = 1.0
_LOOK_S = 0.02
_TICKS_PER_S = 100  # USER_HZ: what Linux shows to user space on every architecture we know


@dataclass(frozen=True)
class ProcessFacts:
    """A process on a host. Pid and start time together are unique until the next boot."""

    pid: int
    name: str
    cmdline: str
    start_time_s: float  # after boot


class RunningEngine:
    """An engine that we started. It ends with us, however we end."""

    def __init__(self, supervised: Supervised) -> None:
        self.host = supervised.host
        self.pid = supervised.pid
        self._supervised = supervised

    def exit(self) -> Ended | None:
        """How it ended by itself, or None while it runs. Raises ConnectionFailed."""
        return None if self._supervised.alive() else self._supervised.stop()

    def stop(self, timeout_s: float = 10) -> Ended:
        """End it with SIGTERM; `stdout_tail` is its last output. Idempotent."""
        return self._supervised.stop(timeout_s)


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
    if accepts(address, port):
        raise EngineError(
            f"{address}:{port} is taken: something accepts connections there already",
            "end it, choose another `engine.port`, or profile it by name with `engine.process`",
        )
    try:
        supervised = Supervised.start(
            host, argv, label="the engine", max_s=max_s, stop_signal="TERM", cpus=cpus
        )
    except CommandFailed as error:
        raise EngineError(f"the engine did not start: {error.message}", error.hint) from error
    engine = RunningEngine(supervised)
    try:
        _wait_until_ready(engine, address, port, ready_timeout_s)
    except BaseException:
        engine.stop()
        raise
    return engine


def accepts(address: str, port: int) -> bool:
    """Whether something accepts a connection at `address`:`port`, seen from this machine."""
    try:
        socket.create_connection((address, port), timeout=_CONNECT_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def _wait_until_ready(
    engine: RunningEngine, address: str, port: int, ready_timeout_s: float
) -> None:
    deadline = time.monotonic() + ready_timeout_s
    while not accepts(address, port):
        if (ended := engine.exit()) is not None:
            how = ended.signal or f"exit status {ended.exit_status}"
            said = ended.stderr_tail.strip() or ended.stdout_tail.strip()
            raise EngineError(f"the engine ended before it listened, with {how}: {_last(said)}")
        if time.monotonic() > deadline:
            raise EngineError(
                f"the engine runs but {address}:{port} did not open within {ready_timeout_s:g} s",
                "check `engine.address` and `engine.port`, or raise `engine.ready_timeout_s`",
            )
        time.sleep(_LOOK_S)


def _last(text: str) -> str:
    lines = text.splitlines()
    return lines[-1] if lines else "it printed nothing"


def find_process(host: Host, name_or_pid: str | int) -> ProcessFacts:
    """The one process of that name or pid. Raises ProcessNotFound, listing candidates."""
    processes = _processes(host)
    if isinstance(name_or_pid, int):
        found = [process for process in processes if process.pid == name_or_pid]
    else:
        found = [process for process in processes if _is_called(process, name_or_pid)]
    if len(found) == 1:
        return found[0]
    if not found:
        what = "pid" if isinstance(name_or_pid, int) else "name"
        raise ProcessNotFound(
            host.name,
            f"no process has the {what} {name_or_pid!r}",
            "start the engine first, or correct `engine.process`",
        )
    listed = "; ".join(f"{process.pid}: {process.cmdline}" for process in found)
    raise ProcessNotFound(
        host.name,
        f"{len(found)} processes are called {name_or_pid!r}: {listed}",
        "give the pid of the one to profile as `engine.process`",
    )


def _is_called(process: ProcessFacts, name: str) -> bool:
    program = process.cmdline.split(" ", 1)[0].rsplit("/", 1)[-1]
    # The kernel cuts names at 15 bytes; the program's file name is whole.
    return name in (process.name, program)


def _processes(host: Host) -> list[ProcessFacts]:
    script = """
    for entry in /proc/[0-9]*; do
        read -r stat <"$entry/stat" || continue
        printf '%s\\0' "$stat"
        tr '\\0' ' ' <"$entry/cmdline" | tr '\\n' ' '
        printf '\\0'
    done 2>/dev/null
    """
    fields = checked(host, ["sh", "-c", script]).stdout.split("\0")
    pairs = zip(fields[::2], fields[1::2], strict=False)
    return [facts for stat, cmdline in pairs if (facts := _facts(stat, cmdline)) is not None]


def _facts(stat: str, cmdline: str) -> ProcessFacts | None:
    if not cmdline.strip():
        return None  # a kernel thread, or one that has just ended
    pid, _, rest = stat.partition(" (")
    name, _, numbers = rest.rpartition(") ")
    start_ticks = int(numbers.split()[19])
    return ProcessFacts(int(pid), name, cmdline.strip(), start_ticks / _TICKS_PER_S)
