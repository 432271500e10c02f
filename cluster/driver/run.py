"""One run, from experiment to report: the order of everything, and nothing else."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cluster import __version__
from cluster.analysis.level import summarise_level
from cluster.analysis.run import RunFacts, summarise_run
from cluster.analysis.series import answered_between
from cluster.driver.calibration import calibrate_hosts, in_words, planned_shares
from cluster.driver.engine_side import EngineSide, how_it_ended
from cluster.driver.level import INTERRUPTED, LevelRun
from cluster.driver.signals import claim_stop_signals, stop_signals_interrupt, undisturbed
from cluster.driver.watch import LevelWatcher
from cluster.errors import FleetError
from cluster.experiment.model import Experiment
from cluster.experiment.plan import Plan, plan
from cluster.experiment.wire import CompiledProtocol, compile_protocol
from cluster.experiment.writer import dump_experiment
from cluster.fleet.agent import Place
from cluster.fleet.protocol import Fleet
from cluster.fleet.start import places_of, start_fleet
from cluster.report.live import LiveView
from cluster.report.render import render_run
from cluster.results.engine import EngineExit, ProfileWindow
from cluster.results.facts import HostFacts
from cluster.results.finding import Finding, Severity
from cluster.results.level import LevelRecord
from cluster.results.store import RunDirectory
from cluster.results.summary import Calibration, Summary
from cluster.units import NS_PER_S


@dataclass(frozen=True)
class Outcome:
    """A run that came to its end, or was interrupted."""

    summary: Summary
    directory: RunDirectory


def carry_out(experiment: Experiment, view: LiveView) -> Outcome:
    """Carry out `experiment` and save everything it produced.

    Raises:
        ClusterError: nothing could be measured, or nothing could be saved.
    """
    planned = plan(experiment, frozenset(os.sched_getaffinity(0)))
    protocol = compile_protocol(experiment, planned)
    with stop_signals_interrupt(), ExitStack() as held:
        # From the moment on that there is a directory, an interruption leaves a summary in it.
        held.enter_context(undisturbed())
        directory = RunDirectory.create(Path(experiment.output_directory), experiment.name)
        directory.save_experiment(dump_experiment(experiment))
        return _Run(experiment, planned, protocol, directory, view).carry_out(held.close)


class _Run:
    def __init__(
        self,
        experiment: Experiment,
        planned: Plan,
        protocol: CompiledProtocol,
        directory: RunDirectory,
        view: LiveView,
    ) -> None:
        self._experiment = experiment
        self._plan = planned
        self._protocol = protocol
        self._directory = directory
        self._view = view
        self._started = datetime.now(UTC)
        self._began_ns = time.monotonic_ns()
        self._records: list[LevelRecord] = []
        self._findings: list[Finding] = []
        self._calibrations: list[Calibration] = []
        self._interrupted = False

    def carry_out(self, heed_signals: Callable[[], None]) -> Outcome:
        with EngineSide(self._experiment, self._plan) as side:
            try:
                heed_signals()
                self._load(side)
            except KeyboardInterrupt as stop:
                self._interrupt(stop)
            last_output = ""
            try:
                last_output = self._wind_up(side)
            except KeyboardInterrupt as stop:
                self._interrupt(stop)
            with undisturbed():
                side.close()
                self._findings.extend(side.findings())
                self._directory.save_summary(self._summarise(side, last_output))
        with undisturbed():
            render_run(self._directory)
            return Outcome(self._directory.load_summary(), self._directory)

    def _load(self, side: EngineSide) -> None:
        for note in self._plan.notes:
            self._view.message(note)
        with ExitStack() as stack:
            fleet = self._start(side, stack)
            places = places_of(fleet)
            hosts = {name: place.host for name, place in places.items()}
            facts = self._save_facts(side, fleet)
            self._calibrate(side, fleet, places, facts)
            for level in self._plan.levels:
                watcher = LevelWatcher(level, self._view, self._directory)
                run = LevelRun(self._experiment, self._protocol, level, fleet, hosts, side, watcher)
                record = self._carry_out_level(run)
                if record is None:
                    return
                self._keep(record)
                if record.ended_early:
                    self._interrupted |= record.ended_early == INTERRUPTED
                    return

    def _start(self, side: EngineSide, stack: ExitStack) -> Fleet:
        # Ray stays on this thread: its processes end with the thread that started them.
        agents = self._experiment.agents.count
        self._view.message(f"starting the engine side and {agents} agent{'s' * (agents > 1)}")
        with ThreadPoolExecutor(1, thread_name_prefix="engine-side") as beside:
            engine_side = beside.submit(side.start)
            fleet = stack.enter_context(start_fleet(self._experiment))
            claim_stop_signals()
            engine_side.result()
        self._directory.append_event("started", engine=side.process, fleet=self._experiment.fleet)
        return fleet

    def _carry_out_level(self, run: LevelRun) -> LevelRecord | None:
        """The level's record, or None when it could not start and earlier ones are kept."""
        self._view.level_started(run.level)
        try:
            return run.carry_out()
        except FleetError as error:
            if not self._records:
                raise
            self._directory.append_event("level-failed", level=run.level.index, why=error.message)
            self._findings.append(
                Finding(
                    severity=Severity.INVALID,
                    code="level-did-not-start",
                    message=f"Level {run.level.index + 1} did not start: {error.message}",
                    advice=error.hint,
                    level=run.level.index,
                )
            )
            return None

    def _keep(self, record: LevelRecord) -> None:
        self._records.append(record)
        summary = summarise_level(record, self._experiment.abort, self._calibrations)
        self._directory.save_level(record, summary)
        self._view.level_ended(summary)

    def _save_facts(self, side: EngineSide, fleet: Fleet) -> Mapping[str, HostFacts]:
        """Facts of every host; returned are those of the load hosts, by agent."""
        facts = {} if side.facts is None else {side.facts.hostname: side.facts}
        by_agent = fleet.facts().ok
        for place in by_agent.values():
            facts.setdefault(place.hostname, place)
        self._directory.save_facts(list(facts.values()))
        return by_agent

    def _calibrate(
        self,
        side: EngineSide,
        fleet: Fleet,
        places: Mapping[str, Place],
        facts: Mapping[str, HostFacts],
    ) -> None:
        self._calibrations = calibrate_hosts(
            self._experiment,
            self._plan,
            fleet,
            side,
            places=places,
            facts=facts,
            say=self._view.message,
        )
        for calibration in self._calibrations:
            self._directory.append_event("calibrated", what=in_words(calibration))
        hosts = {name: place.host for name, place in places.items()}
        for share in planned_shares(self._plan.levels, hosts, self._calibrations):
            if share.too_much:
                self._view.message(share.sentence)

    def _interrupt(self, stop: KeyboardInterrupt) -> None:
        self._interrupted = True
        self._view.message(f"{str(stop) or 'interrupted'}: stopping; what was measured is kept")
        self._directory.append_event("interrupted", signal=str(stop))

    def _wind_up(self, side: EngineSide) -> str:
        """After the load: the profile comes home, then the engine ends."""
        try:
            if self._records:
                self._view.message("resolving the profile's symbols on the engine's host")
                side.end_windows()
                self._add_profiles(
                    side.finish(self._orders(side), self._directory.profile_directory)
                )
        except KeyboardInterrupt as stop:
            self._interrupt(stop)
        with undisturbed():
            return side.stop_engine()

    def _orders(self, side: EngineSide) -> dict[int, int]:
        return {
            record.level.index: answered_between(record, *side.profiled_ns[record.level.index])
            for record in self._records
            if record.level.index in side.profiled_ns
        }

    def _add_profiles(self, windows: Sequence[ProfileWindow]) -> None:
        by_level = {window.level: window for window in windows}
        self._records = [
            replace(record, profile=by_level.get(record.level.index)) for record in self._records
        ]
        for record in self._records:
            summary = summarise_level(record, self._experiment.abort, self._calibrations)
            self._directory.save_level(record, summary)

    def _engine_exit(self, side: EngineSide) -> EngineExit | None:
        ended = side.ended
        if ended is None:
            return None
        level = self._records[-1].level if self._records else None
        offered = level.offered_per_s if level else None
        at = f" at {offered:,.0f} orders/s" if offered else ""
        return EngineExit(
            level=level.index if level else None,
            offered_per_s=offered,
            exit_status=ended.exit_status,
            signal=ended.signal,
            last_output=(ended.stderr_tail or ended.stdout_tail).strip(),
            sentence=f"The engine ended by itself{at}: {how_it_ended(ended)}.",
        )

    def _summarise(self, side: EngineSide, last_output: str) -> Summary:
        facts = RunFacts(
            version=__version__,
            started_at=self._started.isoformat(timespec="seconds"),
            duration_s=(time.monotonic_ns() - self._began_ns) / NS_PER_S,
            source=side.source,
            process=side.process,
            protocol=self._protocol.title,
            interrupted=self._interrupted,
            engine_exit=self._engine_exit(side),
            last_output=last_output,
            capabilities=side.capabilities,
            no_profile=side.no_profile,
            findings=self._findings,
            calibrations=self._calibrations,
        )
        return summarise_run(self._records, self._experiment, facts)
