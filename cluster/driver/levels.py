"""All levels of a run: trial after trial, and at the end a level and its twin."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from cluster.analysis.level import summarise_level
from cluster.analysis.series import answered_between
from cluster.analysis.verdict.capacity import level_to_repeat
from cluster.driver.apart import require_apart
from cluster.driver.calibration import calibrate_hosts, in_words, planned_shares
from cluster.driver.engine_side import EngineSide
from cluster.driver.left_behind import look_at_agents
from cluster.driver.level import INTERRUPTED, LevelRun
from cluster.driver.limits import require_room
from cluster.driver.run_findings import (
    cluster_lost,
    engine_not_restarted,
    invariance_not_tested,
    level_did_not_start,
    trial_did_not_start,
)
from cluster.driver.signals import claim_stop_signals, undisturbed
from cluster.driver.watch import LevelWatcher
from cluster.errors import EngineError, FleetError, HostError
from cluster.experiment.model import Experiment
from cluster.experiment.plan import Level, Plan
from cluster.experiment.twin import pair_of, twin_cpus, why_no_twin
from cluster.experiment.wire import CompiledProtocol
from cluster.fleet.agent import Place
from cluster.fleet.protocol import Fleet
from cluster.fleet.start import places_of, same_clock, start_fleet
from cluster.report.live import LiveView
from cluster.results.engine import ProfileWindow
from cluster.results.facts import HostFacts
from cluster.results.finding import Finding
from cluster.results.left_behind import LeftBehind
from cluster.results.level import LevelRecord
from cluster.results.store import RunDirectory
from cluster.results.summary import Calibration, LevelSummary


@dataclass(frozen=True)
class Meeting:
    """Where a fleet's agents are, and what their hosts are, by agent."""

    places: Mapping[str, Place]
    facts: Mapping[str, HostFacts]


@dataclass
class Levels:
    """Carries out what is planned, and keeps what came of it, however it ends."""

    experiment: Experiment
    planned: Plan
    protocol: CompiledProtocol
    directory: RunDirectory
    view: LiveView
    records: list[LevelRecord] = field(default_factory=list)
    summaries: list[LevelSummary] = field(default_factory=list)  # before their profiles came home
    findings: list[Finding] = field(default_factory=list)
    calibrations: list[Calibration] = field(default_factory=list)
    left_behind: list[LeftBehind] = field(default_factory=list)  # of the agents
    fleet_marks: list[str] = field(default_factory=list)  # of every fleet there was
    interrupted: bool = False
    level_run: type[LevelRun] = LevelRun
    start_fleet: Callable[[Experiment, int], Fleet] = start_fleet
    _fleet: Fleet | None = None  # that carries load now
    _hosts: dict[str, str] = field(default_factory=dict)  # host name by agent
    _same_clock: frozenset[str] = frozenset()  # agents that read the driver's own clock
    _facts: dict[str, HostFacts] = field(default_factory=dict)  # by host name

    def carry_out(self, side: EngineSide, fleet: Fleet, stack: ExitStack) -> None:
        """Every trial, and the comparison of the clients.

        Args:
            side: The engine's, started.
            fleet: Started.
            stack: Ends whatever else has to be started.

        Raises:
            FleetError: not even the first level could start.
        """
        self._fleet = fleet
        try:
            self._carry_out_all(side, fleet, stack)
        except KeyboardInterrupt:
            self._leave()
            raise
        self._leave()

    def _carry_out_all(self, side: EngineSide, fleet: Fleet, stack: ExitStack) -> None:
        meeting = self._meet(fleet, side)
        require_room(self.planned.levels[0].shares, fleet.limits().ok)
        self._calibrate(side, fleet, meeting)
        trials = self.planned.trials
        if len(trials) > 1 and not side.can_restart:
            self.findings.append(engine_not_restarted(side.process, len(trials)))
        for trial, levels in enumerate(trials):
            if trial and not self._begin_trial(side, trial):
                return
            if not self._rise(side, fleet, levels):
                return
        if self.experiment.measure.client_invariance:
            self._compare_clients(side, fleet, stack)

    def _begin_trial(self, side: EngineSide, trial: int) -> bool:
        """Start the engine anew, where it is ours. False: it did not come up again."""
        self.view.message(f"trial {trial + 1} of {len(self.planned.trials)}")
        try:
            if side.can_restart:
                self.bring_profiles_home(side)
                side.restart()
        except (EngineError, HostError) as error:
            self.directory.append_event("trial-failed", trial=trial, why=error.message)
            self.findings.append(trial_did_not_start(trial, error))
            return False
        self.directory.append_event(
            "trial-started", trial=trial, engine=side.process, restarted=side.can_restart
        )
        return True

    def _rise(self, side: EngineSide, fleet: Fleet, levels: Sequence[Level]) -> bool:
        """Carry out the levels of a trial, as far as they go. False: the run ends with them."""
        for level in levels:
            try:
                record = self._carry_out_level(side, fleet, level)
            except FleetError as error:
                if not self.records:
                    raise
                self.directory.append_event("level-failed", level=level.index, why=error.message)
                self.findings.append(level_did_not_start(level, error))
                return False
            if record.ended_early:
                return self._may_go_on(record, side)
        return True

    def _may_go_on(self, record: LevelRecord, side: EngineSide) -> bool:
        """Whether there is still somebody to offer load, and somebody to offer it to."""
        lost = any(agent.lost for agent in record.agents)
        return not (record.ended_early == INTERRUPTED or lost or side.is_gone)

    def _carry_out_level(self, side: EngineSide, fleet: Fleet, level: Level) -> LevelRecord:
        watcher = LevelWatcher(level, self.view, self.directory)
        run = self.level_run(
            self.experiment,
            self.protocol,
            level,
            fleet,
            self._hosts,
            side,
            watcher,
            same_clock=self._same_clock,
        )
        self.view.level_started(level)
        record = run.carry_out()
        self.interrupted |= record.ended_early == INTERRUPTED
        self._keep(record)
        return record

    def _compare_clients(self, side: EngineSide, fleet: Fleet, stack: ExitStack) -> None:
        """The highest valid level once more, and right after it from twice as many clients."""
        try:
            why = self._carry_out_pair(side, fleet, stack)
        except FleetError as error:
            why = error.message
        if why:
            self.directory.append_event("invariance-not-tested", why=why)
            self.findings.append(invariance_not_tested(why))

    def _carry_out_pair(self, side: EngineSide, fleet: Fleet, stack: ExitStack) -> str:
        """Both levels of the comparison; gives why it could not be made, or nothing."""
        level = level_to_repeat(self.planned, self.summaries)
        if level is None:
            return "no level is valid that could be repeated"
        if why := why_no_twin(self.experiment, level):
            return why
        cpus = twin_cpus(self.experiment, self.planned, frozenset(os.sched_getaffinity(0)))
        again, twin = pair_of(self.experiment, level, len(self.planned.levels), cpus)
        record = self._carry_out_level(side, fleet, again)
        if record.ended_early:
            return f"the level that was repeated ended early: {record.ended_early}"
        # One fleet at a time: agents that only wait would take their share of the hosts, too.
        self._leave()
        fleet.close()
        twins = stack.enter_context(self.start_fleet(self.experiment, len(cpus)))
        self._fleet = twins
        claim_stop_signals()
        self._meet(twins, side)
        require_room(twin.shares, twins.limits().ok)
        record = self._carry_out_level(side, twins, twin)
        return f"its twin ended early: {record.ended_early}" if record.ended_early else ""

    def _leave(self) -> None:
        """Note what is left of the load at the agents of a fleet that is about to end."""
        fleet, self._fleet = self._fleet, None
        if fleet is None:
            return
        # Who is lost is not asked again: each answer that does not come is waited for.
        lost = {a.agent: a.lost for record in self.records for a in record.agents if a.lost}
        with undisturbed():
            fleet.release(tuple(agent for agent in fleet.agents if agent not in lost))
            self.fleet_marks += fleet.marks
            port = self.experiment.engine.port
            self.left_behind += look_at_agents(fleet, self._hosts, port, lost)
            if why := fleet.why_headless():
                self.directory.append_event("cluster-lost", why=why)
                self.findings.append(cluster_lost(why))

    def _keep(self, record: LevelRecord) -> None:
        self.records.append(record)
        summary = summarise_level(record, self.experiment.abort, self.calibrations)
        self.summaries.append(summary)
        self.directory.save_level(record, summary)
        self.view.level_ended(summary)

    def _meet(self, fleet: Fleet, side: EngineSide) -> Meeting:
        """Note where the agents are, and what their hosts are."""
        meeting = Meeting(places_of(fleet), fleet.facts().ok)
        self._hosts = {name: place.host for name, place in meeting.places.items()}
        self._same_clock = same_clock(meeting.places)
        beside = require_apart(self.experiment, fleet, meeting.places, side.identity)
        self.findings.extend(finding for finding in beside if finding not in self.findings)
        if side.facts is not None:
            self._facts.setdefault(side.facts.hostname, side.facts)
        for host in meeting.facts.values():
            self._facts.setdefault(host.hostname, host)
        self.directory.save_facts(list(self._facts.values()))
        return meeting

    def _calibrate(self, side: EngineSide, fleet: Fleet, meeting: Meeting) -> None:
        self.calibrations = calibrate_hosts(
            self.experiment,
            self.planned,
            fleet,
            side,
            places=meeting.places,
            facts=meeting.facts,
            say=self.view.message,
        )
        for calibration in self.calibrations:
            self.directory.append_event("calibrated", what=in_words(calibration))
        for share in planned_shares(self.planned.trials[0], self._hosts, self.calibrations):
            if share.too_much:
                self.view.message(share.sentence)

    def bring_profiles_home(self, side: EngineSide) -> None:
        """The windows of the engine's process that ran so far; those of the next are its own."""
        self.view.message("resolving the profile's symbols on the engine's host")
        side.end_windows()
        self._add_profiles(side.finish(self._orders(side), self._profile_directory(side)))

    def _profile_directory(self, side: EngineSide) -> Path:
        if len(self.planned.trials) == 1 or not side.can_restart:
            return self.directory.profile_directory
        trial = self.records[-1].level.trial
        return self.directory.profile_directory / f"trial-{trial + 1:02d}"

    def _orders(self, side: EngineSide) -> dict[int, int]:
        return {
            record.level.index: answered_between(record, *side.profiled_ns[record.level.index])
            for record in self.records
            if record.level.index in side.profiled_ns
        }

    def _add_profiles(self, windows: Sequence[ProfileWindow]) -> None:
        by_level = {window.level: window for window in windows}
        for place, record in enumerate(self.records):
            if window := by_level.get(record.level.index):
                profiled = replace(record, profile=window)
                self.records[place] = profiled
                summary = summarise_level(profiled, self.experiment.abort, self.calibrations)
                self.directory.save_level(profiled, summary)
