"""The life of the engine that we start."""

import errno
import shlex
import socket
import time
from collections.abc import Sequence

from cluster.errors import CommandFailed, EngineError, MissingTool
from cluster.host.processes import ProcessFacts, find_process
from cluster.host.protocol import Host
from cluster.host.supervised import LONGEST_STOP_S, Ended, Supervised

__all__ = ["ProcessFacts", "RunningEngine", "find_process", "start_engine"]

_PROBE_TIMEOUT_S = 1.0
_PROBE_PAUSE_S = 0.05


class RunningEngine:
    """An engine that we started. It ends with us, however we end."""

    def __init__(self, supervised: Supervised) -> None:
        self.host = supervised.host
        self.pid = supervised.pid
        self._supervised = supervised

    def exit(self) -> Ended | None:
        """How it ended by itself, or None while it runs. Raises ConnectionFailed."""
        return None if self._supervised.alive() else self._supervised.stop()

    def output(self) -> tuple[str, str]:
        """The last of its stdout and of its stderr so far. Raises ConnectionFailed."""
        return self._supervised.output()

    def stop(self, timeout_s: float = LONGEST_STOP_S) -> Ended:
        """End it with SIGTERM; `stdout_tail` is its last output. Idempotent.

        Raises ConnectionFailed; its supervisor then ends it.
        """
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

    Args:
        host: Where it runs.
        argv: Its command line.
        cpus: CPUs it is pinned to; empty: not pinned.
        address: Where the load will go to.
        port: As above.
        ready_timeout_s: How long it may take until it listens.
        max_s: It is ended after so long, whatever happens.

    Raises:
        EngineError: the port is taken, the engine ended, or its port did not open in time.
        MissingTool: the program is not there.
        HostError: the host failed.
    """
    place = f"{address} port {port}"
    if _probe(address, port) is None:
        raise EngineError(
            f"something listens on {place} already{_who(host, port)}: "
            "the load would not go to the engine that was to be started",
            "end it, choose another `engine.port`, or profile it with `engine.process`",
        )
    try:
        supervised = Supervised.start(
            host, argv, label="the engine", max_s=max_s, stop_signal="TERM", cpus=cpus
        )
    except CommandFailed as error:
        raise EngineError(
            f"the engine ended at once with status {error.exit_status}"
            f"{_last_words('', error.stderr)}",
            f"try it by hand on {host.name}: {shlex.join(argv)}",
        ) from error
    try:
        _wait_until_ready(supervised, address, port, ready_timeout_s)
    except BaseException:
        supervised.stop()
        raise
    return RunningEngine(supervised)


def how(ended: Ended) -> str:
    """How an engine ended, for people: `by SIGSEGV`, `with status 3`."""
    if ended.signal is not None:
        return f"by {ended.signal}"
    if ended.exit_status is not None:
        return f"with status {ended.exit_status}"
    return "when its supervisor was killed"


def _wait_until_ready(supervised: Supervised, address: str, port: int, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while (refusal := _probe(address, port)) is not None:
        if not supervised.alive():
            ended = supervised.stop()
            raise EngineError(
                f"the engine ended {how(ended)} before it listened on {address} port {port}"
                f"{_last_words(ended.stdout_tail, ended.stderr_tail)}"
            )
        if time.monotonic() > deadline:
            ended = supervised.stop()
            raise EngineError(
                f"the engine did not listen on {address} port {port} within {timeout_s:g} s "
                f"({refusal}){_last_words(ended.stdout_tail, ended.stderr_tail)}",
                "does it listen on `engine.address` and `engine.port`? does it need a longer "
                "`engine.ready_timeout_s`?",
            )
        supervised.wait(_PROBE_PAUSE_S)


def _probe(address: str, port: int) -> str | None:
    """None when the port accepts a connection from here, else why not."""
    try:
        with socket.create_connection((address, port), _PROBE_TIMEOUT_S):
            return None
    except socket.gaierror:
        raise EngineError(
            f"the engine's address {address} can't be resolved", "correct `engine.address`"
        ) from None
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return "refused" if error.errno == errno.ECONNREFUSED else str(error.strerror or error)


def _who(host: Host, port: int) -> str:
    """The process that listens there, if the host can tell."""
    try:
        listening = host.run(["ss", "-Hltnp", f"sport = :{port}"]).stdout
    except MissingTool:
        return ""
    _, found, users = listening.partition('users:(("')
    name, _, rest = users.partition('",pid=')
    return f" ({name}, pid {rest.partition(',')[0]})" if found else ""


def _last_words(stdout: str, stderr: str) -> str:
    lines = [*stdout.strip().splitlines()[-3:], *stderr.strip().splitlines()[-3:]]
    return f"; it said: {' | '.join(lines)}" if lines else "; it said nothing"
