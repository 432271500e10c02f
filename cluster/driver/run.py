"""One run, from experiment to report: the order of everything, and nothing else."""

import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cluster import __version__
from cluster.analysis.run import RunFacts, summarise_run
from cluster.driver.engine_side import EngineSide, how_it_ended
from cluster.driver.left_behind import by_host, look_at_hosts
from cluster.driver.levels import Levels
from cluster.driver.offer import highest_rate_per_s, offer_in_words
from cluster.driver.run_findings import is_of_note, left_behind
from cluster.driver.signals import claim_stop_signals, stop_signals_interrupt, undisturbed
from cluster.experiment.model import Experiment
from cluster.experiment.plan import Plan, plan
from cluster.experiment.target import require_permitted
from cluster.experiment.wire import CompiledProtocol, compile_protocol
from cluster.experiment.writer import dump_experiment
from cluster.fleet.protocol import Fleet
from cluster.fleet.start import start_fleet
from cluster.report.live import LiveView
from cluster.report.render import render_run
from cluster.results.engine import EngineExit
from cluster.results.finding import Finding
from cluster.results.left_behind import LeftBehind
from cluster.results.store import RunDirectory
from cluster.results.summary import Summary
from cluster.units import NS_PER_S


@dataclass(frozen=True)
class Outcome:
    """A run that came to its end, or was interrupted."""

    summary: Summary
    directory: RunDirectory


def carry_out(experiment: Experiment, view: LiveView) -> Outcome:
    """Carry out `experiment` and save everything it produced.

    Raises:
        ConfigError: the experiment can't be laid out, or load may not go to its target.
        ClusterError: nothing could be measured, or nothing could be saved.
    """
    planned = plan(experiment, frozenset(os.sched_getaffinity(0)))
    protocol = compile_protocol(experiment, planned)
    addresses = require_permitted(experiment)
    with stop_signals_interrupt(), ExitStack() as held:
        # From the moment on that there is a directory, an interruption leaves a summary in it.
        held.enter_context(undisturbed())
        directory = RunDirectory.create(Path(experiment.output_directory), experiment.name)
        directory.save_experiment(dump_experiment(experiment))
        view.message(offer_in_words(experiment, planned, addresses))
        directory.append_event(
            "target",
            address=experiment.engine.address,
            port=experiment.engine.port,
            resolved=", ".join(addresses),
            highest_per_s=highest_rate_per_s(planned),
            authorized=experiment.engine.i_am_authorized_to_load,
        )
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
        self._levels = Levels(experiment, planned, protocol, directory, view)
        self._findings: list[Finding] = []
        self._left_behind: list[LeftBehind] = []
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
                self._look_for_what_is_left(side)
                self._directory.save_summary(self._summarise(side, last_output))
        with undisturbed():
            render_run(self._directory)
            return Outcome(self._directory.load_summary(), self._directory)

    def _load(self, side: EngineSide) -> None:
        for note in self._plan.notes:
            self._view.message(note)
        with ExitStack() as stack:
            fleet = self._start(side, stack)
            self._levels.carry_out(side, fleet, stack)

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

    def _interrupt(self, stop: KeyboardInterrupt) -> None:
        self._interrupted = True
        self._view.message(f"{str(stop) or 'interrupted'}: stopping; what was measured is kept")
        self._directory.append_event("interrupted", signal=str(stop))

    def _wind_up(self, side: EngineSide) -> str:
        """After the load: the profile comes home, then the engine ends."""
        try:
            if self._levels.records:
                self._levels.bring_profiles_home(side)
        except KeyboardInterrupt as stop:
            self._interrupt(stop)
        with undisturbed():
            return side.stop_engine()

    def _look_for_what_is_left(self, side: EngineSide) -> None:
        """After everything was closed: what does the run leave on its hosts?"""
        agents = self._levels.left_behind
        here = look_at_hosts(side, self._levels.fleet_marks, socket.gethostname())
        self._left_behind = by_host([*agents, *here])
        self._findings.extend(map(left_behind, filter(is_of_note, self._left_behind)))
        for record in self._left_behind:
            self._directory.append_event(
                "looked-for-remains",
                host=record.host,
                looked_for="; ".join(record.looked_for),
                found="; ".join(record.found),
                not_looked=record.not_looked,
            )

    def _engine_exit(self, side: EngineSide) -> EngineExit | None:
        ended = side.ended
        if ended is None:
            return None
        records = self._levels.records
        level = records[-1].level if records else None
        offered = level.offered_per_s if level else None
        at = f" at {offered:,.0f} orders/s" if offered else ""
        if level and len(self._plan.trials) > 1:
            at += f" in trial {level.trial + 1}"
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
            interrupted=self._interrupted or self._levels.interrupted,
            engine_exit=self._engine_exit(side),
            last_output=last_output,
            capabilities=side.capabilities,
            no_profile=side.no_profile,
            findings=[*self._levels.findings, *self._findings],
            calibrations=self._levels.calibrations,
            left_behind=self._left_behind,
            engine_clock=side.clock_readings,
        )
        return summarise_run(self._levels.records, self._experiment, facts)
