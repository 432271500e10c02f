"""The engine and its host during a run: started or found, watched, profiled, and left clean."""

import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar

from cluster.driver.beside import Beside
from cluster.driver.engine_clock import EngineClock, engine_clock
from cluster.driver.engine_findings import host_lost, not_clean, window_late
from cluster.errors import ConnectionFailed, EngineError, HostError
from cluster.experiment.model import Experiment, SshHost
from cluster.experiment.plan import Plan
from cluster.host.clock import SAME_CLOCK, ClockOffset
from cluster.host.connect import open_host
from cluster.host.engine_process import RunningEngine, find_process, start_engine
from cluster.host.facts import facts_of
from cluster.host.identity import Identity, identity_here, identity_of, is_loopback, is_own_address
from cluster.host.protocol import Host
from cluster.host.reference import reference_engine_argv
from cluster.host.supervised import Ended
from cluster.profile.session import ProfileSession
from cluster.results.clock import HostClock
from cluster.results.engine import Capability, EngineSource, EngineWindow, ProfileWindow
from cluster.results.facts import HostFacts
from cluster.results.finding import Finding

# What start, drains, symbolising and a slow host may take on top of the load itself.
SLACK_S = 600.0
# A host that is slow to answer must not keep the driver from its agents: they stop sending when
# they have not heard from it for their lease of 5 s.
WINDOW_PATIENCE_S = 2.0
# Any of these missing explains a profile that is not there, the most telling first.
WHAT_MAKES_A_PROFILE = ("profile", "perf record", "perf stat")
ANY_ADDRESS = "0.0.0.0"  # noqa: S104  (a reference engine on another host must be reachable)
NO_PROCESS = "say which process the engine is: engine.process, engine.command or engine.reference"


class EngineSide:
    """Everything on the engine's host. A context manager: what `start` did, leaving undoes."""

    def __init__(self, experiment: Experiment, plan: Plan) -> None:
        self._experiment = experiment
        self._plan = plan
        self._undo = ExitStack()
        self._life = ExitStack()  # of the engine's process, and of what watches it
        self._beside = Beside(WINDOW_PATIENCE_S)
        self._window_was_late = False
        self._earlier: list[ProfileSession] = []  # of processes that were there before
        self._left_behind: HostError | None = None
        self._engine: RunningEngine | None = None
        self._session: ProfileSession | None = None
        self._ended: Ended | None = None
        self._lost_host = ""
        self._opened: tuple[int, int] | None = None
        self.profiled_ns: dict[int, tuple[int, int]] = {}  # by level, the driver's clock
        self.process = "unknown: neither `engine.process` nor a way to start it is given"
        self.host: Host | None = None  # None: not opened yet
        self.facts: HostFacts | None = None
        self.clock: ClockOffset | None = None
        self.identity: Identity | None = None  # of the engine's machine; None: not known
        self._clocks: list[EngineClock] = []  # of each life of the engine; none: it is our own

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._undo.close()
            return
        # What went wrong first says more than what could not be cleaned up after it.
        with suppress(HostError):
            self._undo.close()

    def close(self) -> None:
        """Undo what `start` did. What stays behind becomes a finding: the run was measured."""
        try:
            self._undo.close()
        except HostError as error:
            self._left_behind = error

    @property
    def source(self) -> EngineSource:
        """Whether the engine is ours, the user's command, or was running before."""
        if self._experiment.engine.reference is not None:
            return "reference"
        return "command" if self._experiment.engine.command is not None else "running"

    def start(self) -> None:
        """Open the host, start or find the engine, and attach the profiler.

        Raises:
            HostError: the host can't be reached, or the process can't be told.
            EngineError: the engine did not come up.
        """
        self.host = open_host(self._experiment.engine.host)
        self._undo.callback(self.host.close)
        self._undo.callback(self._end_life)
        if not self.host.is_local or is_own_address(self.address):
            self.identity = identity_of(self.host)
        self._begin_life(self.host)

    @property
    def host_spec(self) -> Literal["local"] | SshHost:
        """How the host is opened."""
        return self._experiment.engine.host

    @property
    def what_it_starts(self) -> list[str]:
        """What runs on the host because of us, in words."""
        ours = ["the engine"] if self.can_restart else []
        return [*ours, "reflectors", "perf and what supervises it"]

    @property
    def can_restart(self) -> bool:
        """Whether the engine is started by us, and so may be started anew."""
        return self.source != "running"

    def restart(self) -> None:
        """End the engine, start it anew, and watch the new process; `finish` comes before.

        Raises:
            HostError: as `start`; also what of the old one could not be ended.
            EngineError: the engine did not come up.
        """
        if not self.can_restart or self.host is None:
            raise EngineError("the engine was not started by loadcluster: it can't be started anew")
        self._end_life()
        self._begin_life(self.host)

    def _begin_life(self, host: Host) -> None:
        pid = self._start_or_find(host)
        self.clock = self._compare_clocks(host)
        self.facts = self.facts or facts_of(host, self.clock)
        self._beside = Beside(WINDOW_PATIENCE_S)
        if pid is not None:
            session = ProfileSession(
                host,
                pid,
                self._experiment.engine.port,
                self._experiment.profile,
                self.clock,
                max_s=self._max_s(),
            )
            self._session = self._life.enter_context(session)
            self._life.callback(self._beside.finish)

    def _compare_clocks(self, host: Host) -> ClockOffset:
        if host.is_local:
            return SAME_CLOCK
        self._clocks.append(self._life.enter_context(engine_clock(host, self._max_s())))
        return self._clocks[-1].first

    @property
    def clock_readings(self) -> HostClock | None:
        """The engine host's clock against the driver's; None: no host or process is known."""
        if self.host is None or self.facts is None or not self._sessions():
            return None
        readings = [reading for clock in self._clocks for reading in clock.readings]
        same = self.host.is_local or identity_here().same_clock(self.identity)
        return HostClock(
            host=self.facts.hostname,
            same=same and all(abs(read.offset_ns) <= read.error_ns for read in readings),
            readings=tuple(readings),
        )

    def _end_life(self) -> None:
        self._window_was_late |= self._beside.late
        if self._session is not None:
            self._earlier.append(self._session)
            self._session = None
        self._life.close()

    def _start_or_find(self, host: Host) -> int | None:
        engine = self._experiment.engine
        if engine.process is not None:
            found = find_process(host, engine.process)
            self.process = f"{found.name} (pid {found.pid})"
            return found.pid
        argv = self._command(host)
        if argv is None:
            return None
        self._engine = start_engine(
            host,
            argv,
            cpus=self._plan.engine_cpus,
            address=engine.address,
            port=engine.port,
            ready_timeout_s=engine.ready_timeout_s,
            max_s=self._max_s(),
        )
        self._life.callback(self._stop_engine)
        self.process = f"{Path(argv[0]).name} (pid {self._engine.pid})"
        return self._engine.pid

    def _command(self, host: Host) -> list[str] | None:
        engine = self._experiment.engine
        if engine.reference is None:
            return engine.command
        return reference_engine_argv(
            host,
            address=self.listen_address(host),
            port=engine.port,
            threads=engine.reference.threads,
            protocol=engine.reference.protocol or self._experiment.protocol,
        )

    def listen_address(self, host: Host) -> str:
        """Where what we start on the engine's host has to listen."""
        # The agents' address of that host need not be one of its own: there may be NAT.
        there = host.is_local or is_loopback(self.address)
        return self.address if there else ANY_ADDRESS

    @property
    def address(self) -> str:
        """Where the orders go, as seen from the load agents."""
        return self._experiment.engine.address

    @property
    def authorized(self) -> bool:
        """Whether that may be outside private networks."""
        return self._experiment.engine.i_am_authorized_to_load

    @property
    def engine_cpus(self) -> tuple[int, ...]:
        """CPUs that an engine of ours is pinned to; empty: not pinned."""
        return self._plan.engine_cpus

    def _max_s(self) -> float:
        per_level_s = (
            self._experiment.measure.drain_s
            + self._experiment.load.timeout_s
            + self._experiment.engine.ready_timeout_s
        )
        lengths_s = [level.longest_s + per_level_s for level in self._plan.levels]
        if self._experiment.measure.client_invariance:
            lengths_s += [max(lengths_s)] * 2  # one of them once more, and its twin
        return SLACK_S + sum(lengths_s)

    def engine_exit(self) -> str:
        """How the engine ended, as a sentence; empty while it runs or where that is unknown."""
        if self._engine is None or self._lost_host:
            return ""
        try:
            self._ended = self._ended or self._engine.exit()
        except ConnectionFailed as error:
            # The supervisor ends the engine by itself once it no longer hears from us.
            self._lost_host = str(error)
            return f"the connection to the engine's host was lost: {error}"
        return f"the engine ended by itself: {how_it_ended(self._ended)}" if self._ended else ""

    @property
    def ended(self) -> Ended | None:
        """How the engine ended before we asked it to, if it did."""
        return self._ended

    @property
    def is_gone(self) -> bool:
        """Whether the engine ended by itself, or its host is not heard any more."""
        return self._ended is not None or bool(self._lost_host)

    def open_window(self, level: int) -> None:
        """Let the profiler count and sample; soon, where the host is slow to answer."""
        self._beside.do(lambda: self._open(level))

    def close_window(self) -> None:
        """Let the profiler rest, with the same patience."""
        self._beside.do(self._close)

    def _open(self, level: int) -> None:
        if self._session is not None:
            self._session.open_window(level)
            self._opened = level, time.monotonic_ns()

    def _close(self) -> None:
        if self._session is not None and self._opened is not None:
            level, opened_ns = self._opened
            self._opened = None
            self.profiled_ns[level] = opened_ns, time.monotonic_ns()
            self._session.close_window()

    def engine_window(self, start_ns: int, end_ns: int) -> EngineWindow | None:
        """Threads, memory and network of the engine between two times of the driver's clock."""
        return self._session.engine_window(start_ns, end_ns) if self._session else None

    def end_windows(self) -> None:
        """Wait until the last window is closed; none can be opened afterwards."""
        self._beside.finish()

    def finish(self, orders: Mapping[int, int], into: Path) -> tuple[ProfileWindow, ...]:
        """End the profile, after the load and `end_windows`, and bring its artefacts home.

        Args:
            orders: answered in each level's profile window.
            into: the run's profile directory.
        """
        return self._session.finish(orders, into) if self._session else ()

    def stop_engine(self) -> str:
        """End the engine, if it is ours.

        Returns:
            The last lines it printed.
        """
        if self._engine is None or self._lost_host:
            return ""
        try:
            ended = self._engine.stop()
        except HostError as error:
            self._lost_host = str(error)
            return ""
        return ended.stdout_tail or ended.stderr_tail

    def _stop_engine(self) -> None:
        self.stop_engine()

    def _sessions(self) -> list[ProfileSession]:
        return [*self._earlier, *([self._session] if self._session else [])]

    @property
    def capabilities(self) -> list[Capability]:
        """What can and can't be measured on the engine's host."""
        if sessions := self._sessions():
            # What failed in any of them, whatever the last one could.
            return _each_once(c for session in sessions for c in session.capabilities)
        return [Capability(what="profile", available=False, why=self.process, remedy=NO_PROCESS)]

    @property
    def no_profile(self) -> str:
        """Why there is no profile at all, or empty."""
        missing = {c.what: c.why for c in self.capabilities if not c.available}
        return next((missing[what] for what in WHAT_MAKES_A_PROFILE if what in missing), "")

    def findings(self) -> list[Finding]:
        """What the reader must know of the engine's side."""
        found = _each_once(f for session in self._sessions() for f in session.findings)
        if self._lost_host:
            found.append(host_lost(self._lost_host))
        if self._beside.late or self._window_was_late:
            found.append(window_late(WINDOW_PATIENCE_S))
        if self._left_behind is not None:
            found.append(not_clean(self._left_behind))
        return found


T = TypeVar("T")


def _each_once(said: Iterable[T]) -> list[T]:
    """Sessions of several trials say most things alike."""
    kept: list[T] = []
    for thing in said:
        if thing not in kept:
            kept.append(thing)
    return kept


def how_it_ended(ended: Ended) -> str:
    """`exit status 3` or `SIGSEGV`, with the last line it printed."""
    how = ended.signal or f"exit status {ended.exit_status}"
    lines = (ended.stderr_tail.strip() or ended.stdout_tail.strip()).splitlines()
    return f'{how}, its last words: "{lines[-1].strip()}"' if lines else how
