"""A whole run: from its levels to its summary."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cluster.analysis.clients.client_rules import clients_failed
from cluster.analysis.clients.invariance import client_invariance, invariance_finding
from cluster.analysis.clock_summary import clock_findings, clock_summaries
from cluster.analysis.level import summarise_observed
from cluster.analysis.memory import memory
from cluster.analysis.observed import Observed, observe
from cluster.analysis.stacks import functions_of
from cluster.analysis.uncertainty.repeated import repeated_figures, trials_agree
from cluster.analysis.utilisation import spinning_reason, without_predictions
from cluster.analysis.verdict.capacity import FAILED_CODES, Capacity, capacity
from cluster.analysis.verdict.conclude import conclude
from cluster.experiment.model import Experiment
from cluster.results.clock import HostClock
from cluster.results.engine import (
    Capability,
    EngineExit,
    EngineSource,
    HotFunction,
    ProfileWindow,
)
from cluster.results.finding import Finding, Severity
from cluster.results.left_behind import LeftBehind
from cluster.results.level import LevelRecord
from cluster.results.summary import (
    Calibration,
    EngineSummary,
    LevelSummary,
    ProfileSummary,
    Summary,
)

# Findings that make the run invalid at whatever level they are: the measurement itself failed.
RUN_CODES = FAILED_CODES


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run besides its levels."""

    version: str  # of loadcluster
    started_at: str  # ISO 8601, UTC
    duration_s: float
    source: EngineSource
    process: str  # name and pid, or why unknown
    protocol: str = ""  # its schema's title
    interrupted: bool = False
    engine_exit: EngineExit | None = None
    last_output: str = ""
    capabilities: Sequence[Capability] = ()
    artefacts: Sequence[str] = ()
    no_profile: str = ""  # why there is no profile at all, when that is known
    findings: Sequence[Finding] = field(default_factory=tuple)  # of the driver, about the run
    calibrations: Sequence[Calibration] = ()
    left_behind: Sequence[LeftBehind] = ()
    engine_clock: HostClock | None = None


def summarise_run(
    records: Sequence[LevelRecord], experiment: Experiment, facts: RunFacts
) -> Summary:
    """Everything a run says, from its levels in the order they were run."""
    observed = [observe(record) for record in records]
    levels = [summarise_observed(seen, experiment.abort, facts.calibrations) for seen in observed]
    spinning = spinning_reason(levels)
    if spinning:
        levels = without_predictions(levels, spinning)
    # A level that only compares the clients says nothing new about the engine.
    planned = [level for level in levels if level.clients == "planned"]
    seen_planned = [seen for seen in observed if seen.record.level.clients == "planned"]
    found = capacity(planned, facts.engine_exit, interrupted=facts.interrupted)
    profiled = _profile_of(found, seen_planned)
    in_process = experiment.fleet == "in-process"
    invariance = client_invariance(levels, observed, one_process=in_process)
    verdict = conclude(
        planned,
        seen_planned,
        scenarios=experiment.scenarios,
        baseline=experiment.baseline,
        engine_exit=facts.engine_exit,
        hot_functions=profiled.hot_functions if profiled else (),
        spinning=spinning,
        interrupted=facts.interrupted,
        calibrations=facts.calibrations,
        invariance=invariance,
    )
    return Summary(
        name=experiment.name,
        version=facts.version,
        protocol=facts.protocol,
        started_at=facts.started_at,
        duration_s=facts.duration_s,
        valid=_valid(planned, found, facts),
        interrupted=facts.interrupted,
        findings=[
            *facts.findings,
            *_run_findings(planned, found, facts, spinning),
            *trials_agree(planned),
            *filter(None, [invariance_finding(invariance)]),
            *clock_findings(records, facts.engine_clock),
        ],
        verdict=verdict,
        levels=levels,
        engine=_engine(experiment, facts, seen_planned, found, profiled),
        profile=_profile(facts, profiled),
        calibrations=list(facts.calibrations),
        trials=1 + max((level.trial for level in levels), default=0),
        invariance=invariance,
        repeated=repeated_figures(planned),
        left_behind=list(facts.left_behind),
        clocks=clock_summaries(records, facts.engine_clock),
    )


def _valid(levels: Sequence[LevelSummary], found: Capacity, facts: RunFacts) -> bool:
    """Whether the run's figures can be trusted.

    A level beyond the engine's limit is meant to fail: it does not make the run invalid. Clients
    that ended the rise do, and so does a run without any valid level.
    """
    told = [finding for level in levels for finding in level.findings] + list(facts.findings)
    invalid = [f for f in told if f.severity is Severity.INVALID]
    deciding = found.deciding
    by_clients = deciding is not None and clients_failed(deciding.findings)
    return (
        (found.sustained is not None or found.closed_loop is not None)
        and facts.engine_exit is None
        and not by_clients
        and not any(f.code in RUN_CODES or f.level is None for f in invalid)
    )


def _run_findings(
    levels: Sequence[LevelSummary], found: Capacity, facts: RunFacts, spinning: str
) -> list[Finding]:
    """What the reader of the whole run must know; the levels have their own besides."""
    findings = []
    if facts.engine_exit is not None:
        findings.append(
            Finding(
                severity=Severity.INVALID,
                code="engine-ended",
                message=facts.engine_exit.sentence,
                advice="What was measured before is kept. See the engine's last output.",
                level=facts.engine_exit.level,
            )
        )
    if facts.interrupted:
        findings.append(
            Finding(
                severity=Severity.WARNING,
                code="interrupted",
                message=f"The run was interrupted; {len(levels)} levels were begun.",
            )
        )
    if found.sustained is None:
        why = "none was run" if all(x.arrivals == "closed" for x in levels) else "none is valid"
        findings.append(
            Finding(
                severity=Severity.WARNING if found.closed_loop else Severity.INVALID,
                code="no-sustained-rate",
                message=f"No rate is known to be sustained: of open-loop levels {why}.",
                advice="Offer lower rates (`load.rates_per_s`).",
            )
        )
    if found.closed_loop is not None:
        findings.append(
            Finding(
                severity=Severity.NOTE,
                code="closed-loop-maximum",
                message="The maximum was found closed-loop: each order waits for an answer to "
                "another, so its response times leave out the waiting of orders not yet sent.",
                advice="Take percentiles from the open-loop levels.",
                level=found.closed_loop.index,
            )
        )
    if spinning:
        findings.append(
            Finding(
                severity=Severity.NOTE,
                code="engine-polls",
                message=f"No maximum is predicted from CPU time: {spinning}.",
            )
        )
    serious = [f for level in levels for f in level.findings if f.code in RUN_CODES]
    return findings + serious


def _profile_of(found: Capacity, observed: Sequence[Observed]) -> ProfileWindow | None:
    """The deciding level's profile, or else that of the level with the highest throughput."""
    profiled = [seen for seen in observed if seen.record.profile is not None]
    best = max(
        profiled,
        key=lambda seen: (
            found.deciding is not None and seen.index == found.deciding.index,
            seen.throughput.mean or 0,
        ),
        default=None,
    )
    return best.record.profile if best else None


def _engine(
    experiment: Experiment,
    facts: RunFacts,
    observed: Sequence[Observed],
    found: Capacity,
    profiled: ProfileWindow | None,
) -> EngineSummary:
    deciding = found.deciding
    return EngineSummary(
        source=facts.source,
        address=f"{experiment.engine.address}:{experiment.engine.port}",
        process=facts.process,
        counters=profiled.counters if profiled else [],
        ratios=profiled.ratios if profiled else {},
        ratios_not_measured=profiled.ratios_not_measured if profiled else {},
        memory=memory(_of_one_trial(observed)),
        threads=deciding.engine_threads if deciding else [],
        exit=facts.engine_exit,
        last_output=facts.last_output,
    )


def _of_one_trial(observed: Sequence[Observed]) -> list[Observed]:
    """The levels of the last trial: an engine that was started anew has forgotten the others."""
    last = max((seen.record.level.trial for seen in observed), default=0)
    return [seen for seen in observed if seen.record.level.trial == last]


def _profile(facts: RunFacts, profiled: ProfileWindow | None) -> ProfileSummary:
    off_cpu: list[HotFunction] = functions_of(profiled.off_cpu_folded) if profiled else []
    why = "" if profiled else (facts.no_profile or "no level had a profile window")
    return ProfileSummary(
        level=profiled.level if profiled else None,
        sample_event=profiled.sample_event if profiled else "",
        samples=profiled.samples if profiled else 0,
        lost_samples=profiled.lost_samples if profiled else 0,
        hot_functions=profiled.hot_functions if profiled else [],
        off_cpu=off_cpu,
        capabilities=list(facts.capabilities),
        artefacts=list(facts.artefacts),
        not_measured=why,
    )
