"""A command on a host that can't outlive us: started, watched and ended by `supervisor.sh`."""

import re
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal, Self

from cluster.errors import CommandFailed, HostError
from cluster.host.commands import checked, missing_tool
from cluster.host.protocol import Host
from cluster.host.supervision import Supervision

Why = Literal[
    "exited",  # by itself
    "stopped",  # we asked
    "time-limit",  # it ran for `max_s`
    "heartbeat-timeout",  # we were silent for `heartbeat_s`
    "stdin-eof",  # we, or the connection, went away
    "supervisor-signal",  # somebody ended its supervisor with SIGTERM
    "supervisor-killed",  # somebody killed its supervisor; the kernel ended the command
]
ControlCommand = Literal["enable", "disable", "ping"]

TAIL_BYTES = 8192
# The supervisor's `timeout` follows up with SIGKILL after so long, whatever we say.
LONGEST_STOP_S = 10
_START_TIMEOUT_S = 20
# perf answers once it has opened its events: one per thread and CPU.
_PING_PATIENCE_S = 10
# On top of what was granted to perf: the way there and back, and a busy host.
_ANSWER_S = 2
# What is wrong with a command line shows at once; the supervisor looks every 0.2 s.
_SETTLE_S = 0.3


@dataclass(frozen=True)
class Ack:
    """A control command that perf has carried out. Both in ns of the host's CLOCK_MONOTONIC.

    It took effect between the two. `error_ns`: how far both may be off that clock.
    """

    sent_ns: int
    acked_ns: int
    error_ns: int


@dataclass(frozen=True)
class Exchange:
    """One question about the time: the driver's clock outside, the host's inside, in ns."""

    sent_ns: int
    received_ns: int
    replied_ns: int
    returned_ns: int


@dataclass(frozen=True)
class Ended:
    """How a supervised command ended.

    Exactly one of `exit_status` and `signal` is set; neither when `why` is supervisor-killed:
    then nobody was left to see it. Like every shell, the supervisor can't tell an exit with
    128 + n from signal n.
    """

    exit_status: int | None
    signal: str | None  # SIGINT, SIGSEGV …
    why: Why
    stdout_tail: str
    stderr_tail: str


class Supervised:
    """A command under a supervisor on its host, with a heartbeat from here.

    It ends when we say so, when we die, freeze or lose the connection, when its supervisor
    dies, and after `max_s` in any case. Its stdout and stderr are the files `stdout` and `stderr`
    of `directory`; its own files belong there, too: the directory goes with the host's `close`.
    """

    def __init__(
        self, host: Host, argv: Sequence[str], label: str, directory: str, supervision: Supervision
    ) -> None:
        self.host = host
        self.label = label
        self.directory = directory  # absolute, 0700, on the host
        self.pid = 0  # of the command itself, not of its supervisor
        self.clock_error_ns = 0  # of every time that the supervisor tells
        self._argv = tuple(argv)
        self._supervision = supervision
        self._ended: Ended | None = None

    @classmethod
    def start(
        cls,
        host: Host,
        argv: Sequence[str],
        *,
        label: str,
        max_s: float,
        heartbeat_s: float = 10,
        control: bool = False,
        stop_signal: str = "INT",
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        cpus: Sequence[int] = (),
    ) -> Self:
        """Start `argv` on `host` and see that it is alive.

        Args:
            host: Where.
            argv: The command. With `control`, `{ctl}` and `{ack}` in it become the paths of perf's
                control fifos (`--control=fifo:{ctl},{ack}`); `{dir}` always becomes `directory`.
            label: What people call it, in messages.
            max_s: It is ended after so long, whatever happens.
            heartbeat_s: It is ended when nothing was heard from us for so long.
            control: It answers on perf's control fifos; a `ping` must be answered at the start.
            stop_signal: What ends it politely: INT for perf, TERM for an engine.
            env: Environment variables set for it alone. LC_ALL=C is always set.
            cwd: Its working directory; default: `directory`.
            cpus: CPUs it is pinned to; empty: not pinned.

        Raises:
            MissingTool: the program, bash 5, setpriv or timeout is not there.
            CommandFailed: it ended at once, with an error.
            ConnectionFailed: the connection was lost.
            HostError: it did not come up, or does not answer on its control fifo.
        """
        directory = host.private_directory()
        script = f"{directory}/supervisor.sh"
        host.put(_script(), script)
        argv = [_filled(word, directory, control=control) for word in argv]
        variables = [f"{name}={value}" for name, value in (env or {}).items()]
        running = host.start(
            [
                "bash",
                script,
                directory,
                str(round(max_s * 1000)),
                str(round(heartbeat_s * 1000)),
                stop_signal,
                ",".join(map(str, cpus)) or "-",
                cwd or "-",
                str(len(variables)),
                *variables,
                *argv,
            ]
        )
        supervision = Supervision(host.name, label, running, heartbeat_s / 3)
        supervised = cls(host, argv, label, directory, supervision)
        try:
            supervised._come_up(control=control)
        except BaseException:
            supervision.close()
            raise
        return supervised

    def command(self, name: ControlCommand, timeout_s: int = 5) -> Ack:
        """Have perf carry out a control command.

        Raises:
            HostError: no acknowledgement in time, or the command has ended.
            ConnectionFailed: the connection was lost.
        """
        answer = self._supervision.ask(name, str(timeout_s), timeout_s=timeout_s + _ANSWER_S)
        if answer.words[0] != "ack":
            raise HostError(self.host.name, f"{self.label} did not acknowledge `{name}`")
        return Ack(int(answer.words[2]), int(answer.words[3]), self.clock_error_ns)

    def exchange(self, timeout_s: float = 5) -> Exchange:
        """Ask for the host's time. Raises as `command`."""
        if self.clock_error_ns < 0:
            raise HostError(
                self.host.name,
                "its monotonic clock can't be read",
                "install python3 or perl there",
            )
        sent_ns = time.monotonic_ns()
        answer = self._supervision.ask("clock", timeout_s=timeout_s)
        return Exchange(sent_ns, int(answer.words[2]), int(answer.words[3]), answer.heard_ns)

    def alive(self) -> bool:
        """Whether it still runs, as far as was heard. Raises ConnectionFailed."""
        return self._supervision.alive()

    def wait(self, timeout_s: float) -> None:
        """Wait until it has ended or the connection is lost, at most `timeout_s`."""
        self._supervision.wait(timeout_s)

    def stop(self, timeout_s: float = LONGEST_STOP_S) -> Ended:
        """End it, politely first, by force after `timeout_s`; also tells how it ended before.

        Idempotent. `timeout_s` is at most 10. Raises ConnectionFailed; the supervisor then ends
        the command on its own.
        """
        if self._ended is None:
            answer = self._supervision.end(min(timeout_s, LONGEST_STOP_S))
            if answer is None:
                self._wait_until_gone()
                self._ended = Ended(None, None, "supervisor-killed", *self.output())
            else:
                self._ended = ended(int(answer.words[1]), answer.words[2], *self.output())
            self._supervision.close()
        return self._ended

    def output(self) -> tuple[str, str]:
        """The last 8 KiB of its stdout and of its stderr so far. Raises ConnectionFailed."""
        script = 'tail -c "$1" "$2/stdout"; printf "\\0"; tail -c "$1" "$2/stderr"'
        argv = ["sh", "-c", script, "sh", str(TAIL_BYTES), self.directory]
        stdout, _, stderr = checked(self.host, argv).stdout.partition("\0")
        return stdout, stderr

    def _come_up(self, *, control: bool) -> None:
        words = self._supervision.ready(_START_TIMEOUT_S).words
        match words[0]:
            case "ready":
                self.pid = int(words[1])
                self.clock_error_ns = int(words[3])
            case "missing":
                raise missing_tool(self.host.name, " ".join(words[1:]))
            case "nodirectory":
                raise HostError(
                    self.host.name, f"the working directory of {self.label} is not there"
                )
            case _:
                raise self._failed(int(words[1]))
        acknowledged = control and self._first_ping()
        if not acknowledged:
            self._supervision.wait(_SETTLE_S)
        if not self.alive():
            end = self.stop()
            if control or end.exit_status != 0:
                raise self._failed(128 if end.exit_status is None else end.exit_status)
        elif control and not acknowledged:
            raise HostError(self.host.name, f"{self.label} does not answer on its control fifo")

    def _first_ping(self) -> bool:
        answer = self._supervision.ask(
            "ping",
            str(_PING_PATIENCE_S),
            timeout_s=_START_TIMEOUT_S,
            end_is_an_answer=True,
        )
        return answer.words[0] == "ack"

    def _failed(self, status: int) -> CommandFailed:
        _, stderr = self.output()
        return CommandFailed(self.host.name, self._argv, status, stderr)

    def _wait_until_gone(self) -> None:
        # `timeout` may need its ten seconds until SIGKILL; its children are left to us.
        script = """
        for turn in $(seq 120); do
            [ -e "/proc/$1" ] || break
            sleep 0.1
        done
        kill -s KILL -- "-$1" 2>/dev/null
        [ ! -e "/proc/$1" ]
        """
        argv = ["sh", "-c", script, "sh", str(self.pid)]
        if not self.host.run(argv, timeout_s=20).ok:
            raise HostError(self.host.name, f"{self.label} (pid {self.pid}) does not end")


def ended(status: int, why: str, stdout_tail: str, stderr_tail: str) -> Ended:
    """From what the supervisor told."""
    reasons = Why.__args__  # type: ignore[attr-defined]  # typing hides what Literal offers
    if why not in reasons:
        raise ValueError(f"the supervisor told an unknown reason: {why}")
    reason: Why = why  # type: ignore[assignment]  # just checked
    try:
        name = signal.Signals(status - 128).name
    except ValueError:
        return Ended(status, None, reason, stdout_tail, stderr_tail)
    return Ended(None, name, reason, stdout_tail, stderr_tail)


def _script() -> bytes:
    return resources.files("cluster.host").joinpath("supervisor.sh").read_bytes()


def _filled(word: str, directory: str, *, control: bool) -> str:
    names = {"dir": directory}
    if control:
        names |= {"ctl": f"{directory}/ctl", "ack": f"{directory}/ack"}
    return re.sub(r"\{(\w+)\}", lambda found: names.get(found[1], found[0]), word)
