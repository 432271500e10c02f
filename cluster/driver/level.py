"""One level: connect all → common start → warm-up → control → profile → drain → collect."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from cluster.analysis.clocks import best_of_parts
from cluster.driver.guards import Seen, end_of_orders, reason_to_end
from cluster.driver.ledger import Ledger
from cluster.driver.lengths import Lengths, LengthTests
from cluster.errors import StartFailed
from cluster.experiment.model import Experiment
from cluster.experiment.plan import Level
from cluster.experiment.wire import CompiledProtocol
from cluster.fleet.clocks import FleetClocks, common_start
from cluster.fleet.protocol import Fleet
from cluster.fleet.spec import in_flight_max_of, specs_of
from cluster.results.agent import AgentResult
from cluster.results.engine import EngineWindow
from cluster.results.level import LevelRecord
from cluster.results.replies import ReplyManners
from cluster.units import NS_PER_S

INTERRUPTED = "interrupted"
EXIT_IS_TOLD_NS = NS_PER_S
LOOK_S = 0.05


class EngineWatch(Protocol):
    """What a level needs to know and to ask of the engine's host."""

    def engine_exit(self) -> str:
        """How the engine ended, as a sentence; empty while it runs or where that is unknown."""

    def open_window(self, level: int) -> None:
        """Let the profiler count and sample."""

    def close_window(self) -> None:
        """Let the profiler rest."""

    def engine_window(self, start_ns: int, end_ns: int) -> EngineWindow | None:
        """Threads, memory and network of the engine between two times of the driver's clock."""


class Watcher(Protocol):
    """Who is told how the level goes, once a second."""

    def second(self, level: Level, elapsed_s: int, ledger: Ledger, remark: str = "") -> None:
        """A second of the level is over; `level` with its windows as they stand."""

    def moved(self, level: Level) -> None:
        """The windows of the level are others now."""

    def event(self, kind: str, *, time_ns: int | None = None, **facts: str | float | None) -> None:
        """Something happened that belongs on the time line."""


@dataclass
class LevelRun:
    """Carries out one level on a started fleet. Everything it waits for is bounded in time."""

    experiment: Experiment
    protocol: CompiledProtocol
    level: Level
    fleet: Fleet
    hosts: Mapping[str, str]  # host name by agent
    engine: EngineWatch
    watcher: Watcher
    now_ns: Callable[[], int] = time.monotonic_ns
    sleep: Callable[[float], None] = time.sleep
    tests: LengthTests = field(default_factory=LengthTests)
    same_clock: Collection[str] = ()  # agents that read the driver's own clock
    _start_ns: int = field(default=0, init=False)
    _starts: Mapping[str, int] = field(default_factory=dict, init=False)  # in each agent's clock
    _lengths: Lengths = field(init=False)
    _clocks: FleetClocks = field(init=False)
    _profiling: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._lengths = Lengths(self.level, self.tests)
        self._clocks = FleetClocks(self.fleet, self.now_ns, self.same_clock)

    @property
    def as_run(self) -> Level:
        """The level with its windows as they stand by now."""
        return self._lengths.level

    def carry_out(self) -> LevelRecord:
        """Offer the level's load and collect what came of it.

        An interruption, a lost agent or an engine that ends makes a shorter record that says so.

        Raises:
            StartFailed: agents could not be prepared, or connections did not come up.
        """
        ledger = Ledger(self.fleet.agents)
        self._starts = self._start_together()
        completed_s, ended_early = 0, ""
        try:
            completed_s, ended_early = self._hold(ledger)
        except KeyboardInterrupt:
            completed_s, ended_early = min(self._elapsed_s(), self.as_run.duration_s), INTERRUPTED
            self._lengths.cut_to(completed_s)
        if self._profiling:
            self._close_window()
        sending_ended_ns = self.now_ns()
        self._drain(ledger, early=bool(ended_early))
        if ended_early and ended_early != INTERRUPTED:
            ended_early = self._engine_exit() or ended_early
        record = self._record(ledger, completed_s, sending_ended_ns, ended_early)
        self.fleet.release(ledger.living)
        return record

    def _start_together(self) -> dict[str, int]:
        engine = self.experiment.engine
        where = f"{engine.address}:{engine.port}"
        self.fleet.prepare(specs_of(self.experiment, self.level, self.protocol)).require_all(
            StartFailed, "agents could not be prepared"
        )
        self.fleet.connect(engine.ready_timeout_s).require_all(
            StartFailed,
            f"not every connection to {where} came up",
            f"check that the engine listens on {where} and accepts "
            f"{max(share.connections for share in self.level.shares)} connections per agent",
        )
        self._start_ns, starts = common_start(self._clocks.compare(), self.now_ns())
        self.fleet.start_at(starts).require_all(StartFailed, "agents did not start")
        self.watcher.event("load-started", time_ns=self._start_ns, level=self.level.index)
        return starts

    def _hold(self, ledger: Ledger) -> tuple[int, str]:
        second = 0
        self._decide(second, ledger)
        while second < self.as_run.duration_s:
            second += 1
            self._wait_until(self._start_ns + second * NS_PER_S)
            self._move_window(second)
            polls = self.fleet.poll(ledger.living)
            ledger.take(polls.ok, polls.failed)
            self._decide(second, ledger)
            self.watcher.second(self.as_run, second, ledger, self._lengths.remark)
            seen = Seen(
                orders=ledger.orders(),
                newest_response=ledger.newest_response(),
                latest=ledger.latest(),
                lost_agents=ledger.lost,
                engine_exit=self.engine.engine_exit(),
            )
            if reason := reason_to_end(seen, self.experiment.abort):
                return second, reason
            ended_s, reason = end_of_orders(ledger.latest(), second)
            if reason and ended_s < self.as_run.duration_s:
                self._lengths.cut_to(ended_s)
                return ended_s, reason if ended_s < self.as_run.duration_s else ""
            self._clocks.glance(ledger.living)
        return self.as_run.duration_s, ""

    def _decide(self, second: int, ledger: Ledger) -> None:
        """Whether the control window ends with the next second, or something is still to come."""
        if not self._lengths.is_asked(second):
            return
        began_s, least_s = self.as_run.warmup_s, self.as_run.control_s
        moved = self._lengths.decide(*ledger.closed())
        level = self.as_run
        if moved == "warm-up":
            self.watcher.event(
                "warm-up-extended", level=level.index, from_s=began_s, to_s=level.warmup_s
            )
        elif moved == "control" and least_s == self.level.control_s:
            # The first of them; the others follow second by second, and `windows-settled` them all.
            self.watcher.event("control-extended", level=level.index, why=self._lengths.remark)
        elif moved == "settled":
            self._settle(ledger)
        self.watcher.moved(level)

    def _settle(self, ledger: Ledger) -> None:
        level = self.as_run
        ends = {
            agent: start_ns + level.duration_s * NS_PER_S
            for agent, start_ns in self._starts.items()
            if agent in ledger.living
        }
        ledger.take({}, self.fleet.end_at(ends).failed)
        self.watcher.event(
            "windows-settled",
            level=level.index,
            warmup_s=level.warmup_s,
            control_s=level.control_s,
            profile_s=level.profile_s,
        )

    def _move_window(self, second: int) -> None:
        level = self.as_run
        if self._profiling and second == level.duration_s:
            self._close_window()
        elif level.profile_s and second == level.control_end_s:
            self.engine.open_window(level.index)
            self._profiling = True
            self.watcher.event("profile-window-opened", level=level.index)

    def _close_window(self) -> None:
        self.engine.close_window()
        self._profiling = False
        self.watcher.event("profile-window-closed", level=self.level.index)

    def _drain(self, ledger: Ledger, *, early: bool) -> None:
        if early:
            self.fleet.stop(ledger.living)
        drain_s = self.experiment.measure.drain_s + self.experiment.load.timeout_s
        try:
            closings = self.fleet.finish(ledger.living, drain_s)
        except KeyboardInterrupt:
            # A second request to stop: what the polls brought so far is kept.
            self.watcher.event("drain-interrupted", level=self.level.index)
            return
        ledger.close(closings.ok, closings.failed)

    def _engine_exit(self) -> str:
        # An engine's connections close a moment before its host tells that it has ended.
        deadline_ns = self.now_ns() + EXIT_IS_TOLD_NS
        while not (told := self.engine.engine_exit()) and self.now_ns() < deadline_ns:
            self.sleep(LOOK_S)
        return told

    def _record(
        self, ledger: Ledger, completed_s: int, sending_ended_ns: int, ended_early: str
    ) -> LevelRecord:
        ended_ns = self.now_ns()
        level = self.as_run
        control = self._window(level.warmup_s, level.control_s, completed_s)
        profile = self._window(level.control_end_s, level.profile_s, completed_s)
        self.watcher.event("load-ended", level=level.index, ended_early=ended_early)
        results = self._with_clocks(ledger.results(self.hosts, self._starts))
        return LevelRecord(
            level=as_offered(level, results, completed_s),
            start_ns=self._start_ns,
            sending_ended_ns=sending_ended_ns,
            ended_ns=ended_ns,
            agents=results,
            progress={agent: tuple(said) for agent, said in ledger.progress.items()},
            engine_control=control,
            engine_profile=profile,
            profile=None,
            ended_early=ended_early,
            completed_s=completed_s,
            in_flight_max=in_flight_max_of(self.experiment, len(self.fleet.agents))
            * len(self.fleet.agents),
            manners=ReplyManners(
                timed_reply=self.protocol.timed_reply, reasons=dict(self.protocol.reasons)
            ),
        )

    def _with_clocks(self, results: Sequence[AgentResult]) -> tuple[AgentResult, ...]:
        return tuple(
            replace(
                result,
                clock=tuple(best_of_parts(self._clocks.readings[result.agent])),
                same_clock=self._clocks.is_same(result.agent),
            )
            for result in results
        )

    def _window(self, first_s: int, length_s: int, completed_s: int) -> EngineWindow | None:
        last_s = min(first_s + length_s, completed_s)
        if last_s <= first_s:
            return None
        return self.engine.engine_window(
            self._start_ns + first_s * NS_PER_S, self._start_ns + last_s * NS_PER_S
        )

    def _elapsed_s(self) -> int:
        return max(0, (self.now_ns() - self._start_ns) // NS_PER_S)

    def _wait_until(self, moment_ns: int) -> None:
        while (rest_ns := moment_ns - self.now_ns()) > 0:
            self.sleep(rest_ns / NS_PER_S)


def as_offered(level: Level, agents: Sequence[AgentResult], completed_s: int) -> Level:
    """A level of recorded times with the rate that the file really offered, by the books.

    Mean over the control window, as far as it was reached, else over all that was.
    """
    if level.arrivals != "recorded":
        return level
    window = range(level.warmup_s, min(level.warmup_s + level.control_s, completed_s))
    seconds = window or range(completed_s)
    intended = sum(
        interval.orders.intended
        for agent in agents
        for interval in agent.intervals
        if interval.index in seconds
    )
    return replace(level, offered_per_s=intended / len(seconds) if seconds else 0.0)
