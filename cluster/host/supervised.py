"""A command on a host that can't outlive us: started, watched and ended by `supervisor.sh`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from cluster.host.protocol import Host

Why = Literal[
    "exited",  # by itself
    "stopped",  # we asked
    "time-limit",  # it ran for `max_s`
    "heartbeat-timeout",  # we were silent for `heartbeat_s`
    "stdin-eof",  # we, or the connection, went away
    "supervisor-signal",  # somebody ended its supervisor
]


@dataclass(frozen=True)
class Ack:
    """A control command that perf has carried out. Both in ns of the host's CLOCK_MONOTONIC.

    It took effect between the two. `error_ns`: how far both may be off that clock.
    """

    sent_ns: int
    acked_ns: int
    error_ns: int


@dataclass(frozen=True)
class Ended:
    """How a supervised command ended. Exactly one of `exit_status` and `signal` is set."""

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

    host: Host
    label: str
    directory: str  # absolute, 0700, on the host; the command's working directory unless `cwd`
    pid: int  # of the command itself, not of its supervisor

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
            CommandFailed: it ended at once.
            ConnectionFailed: the connection was lost.
            HostError: it did not come up, or does not answer on its control fifo.
        """
        raise NotImplementedError

    def command(self, name: Literal["enable", "disable", "ping"], timeout_s: float = 5) -> Ack:
        """Have perf carry out a control command.

        Raises:
            HostError: no acknowledgement in time, or the command has ended.
            ConnectionFailed: the connection was lost.
        """
        raise NotImplementedError

    def alive(self) -> bool:
        """Whether it still runs, as far as was heard. Raises ConnectionFailed."""
        raise NotImplementedError

    def stop(self, timeout_s: float = 10) -> Ended:
        """End it, politely first, by force after `timeout_s`; also tells how it ended before.

        Idempotent. Raises ConnectionFailed; the supervisor then ends it on its own.
        """
        raise NotImplementedError

    def output(self) -> tuple[str, str]:
        """The last 8 KiB of its stdout and of its stderr so far. Raises ConnectionFailed."""
        raise NotImplementedError
