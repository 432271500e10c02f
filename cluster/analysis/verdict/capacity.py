"""What the engine sustained, and which level shows where it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cluster.analysis.clients.client_rules import NOT_THE_LOAD
from cluster.experiment.plan import Level, Plan
from cluster.results.engine import EngineExit
from cluster.results.finding import Severity
from cluster.results.summary import LevelSummary

# Findings that say a rate was not sustained, whoever held it back.
LIMIT_CODES = frozenset(
    {
        *NOT_THE_LOAD,
        "rate-not-reached",
        "unstable-at-this-rate",
        "orders-unanswered",
        "ended-early",
    }
)

# Findings after which the others say nothing about a rate: part of the load was not there.
FAILED_CODES = frozenset({"agent-lost", "books-unbalanced"})

LimitKind = Literal["rate", "closed-loop", "engine-ended", "late", "none"]


@dataclass(frozen=True)
class Capacity:
    """What a run found out about rates."""

    sustained: LevelSummary | None  # the valid open-loop level with the highest throughput
    closed_loop: LevelSummary | None  # the valid closed-loop level with the highest throughput
    deciding: LevelSummary | None  # the level that shows the limit, or else the highest one
    # How the deciding level shows it; late: the rate was reached, but by clients that were late;
    # none: nothing was at its limit.
    limit: LimitKind

    @property
    def sustained_per_s(self) -> float | None:
        """Answered orders per second that were sustained with open-loop load."""
        return self.sustained.throughput_per_s.mean if self.sustained else None

    @property
    def closed_loop_max_per_s(self) -> float | None:
        """Answered orders per second with a fixed number kept in flight."""
        return self.closed_loop.throughput_per_s.mean if self.closed_loop else None


def capacity(
    levels: Sequence[LevelSummary],
    engine_exit: EngineExit | None = None,
    *,
    interrupted: bool = False,
) -> Capacity:
    """Find the sustained and the deciding level.

    Levels that only compare the clients are left out. With several trials a load counts as
    sustained if it was valid in each of them: one that an engine takes on some days is none to
    promise. The figure is the lowest of its trials.

    The deciding level is the lowest open-loop level above the sustained one whose rate was not
    reached; without one, the closed-loop level, where something is at its limit by construction;
    without that, of those above the sustained one, the level at which clients were latest; without
    that, the highest level, at which nothing was at its limit.
    """
    planned = [level for level in levels if level.clients == "planned"]
    last = max((level.index for level in planned), default=None)
    cut = [v for v in planned if interrupted and v.index == last and v.ended_early]
    trials = _trials(planned, interrupted=interrupted)
    opened = [level for level in planned if level.arrivals != "closed"]
    closed = [level for level in planned if level.arrivals == "closed"]
    sustained = _highest(_confirmed(opened, trials, cut))
    closed_loop = _highest(_confirmed(closed, trials, cut))
    deciding, limit = _deciding(opened, closed, sustained, engine_exit, cut)
    return Capacity(sustained, closed_loop, deciding, limit)


def level_to_repeat(planned: Plan, levels: Sequence[LevelSummary]) -> Level | None:
    """The level at which clients are compared: the highest valid one, open-loop if there is any.

    Of the last trial, as it was planned: its process is the one that still runs.
    """
    found = capacity(levels)
    chosen = found.sustained or found.closed_loop
    if chosen is None:
        return None
    trial = planned.trials[-1]
    return trial[chosen.index % len(trial)]


def _trials(levels: Sequence[LevelSummary], *, interrupted: bool) -> set[int]:
    """The trials that were to tell; not the one that the user ended before its time."""
    trials = {level.trial for level in levels}
    return trials - {max(trials)} if interrupted and len(trials) > 1 else trials


def _confirmed(
    levels: Sequence[LevelSummary], trials: set[int], cut: Sequence[LevelSummary]
) -> list[LevelSummary]:
    """Of each load that was valid in every trial, the one with the lowest throughput.

    A load that a trial did not reach, since a lower one ended its rise, is not confirmed by it.
    """
    by_load: dict[tuple[float | None, ...], list[LevelSummary]] = {}
    for level in levels:
        if level not in cut or len(trials) == 1:
            by_load.setdefault(_load(level), []).append(level)
    return [
        min(repetitions, key=lambda level: level.throughput_per_s.mean or 0)
        for repetitions in by_load.values()
        if all(level.valid for level in repetitions)
        and {level.trial for level in repetitions} >= trials
    ]


def _load(level: LevelSummary) -> tuple[float | None, ...]:
    """What makes levels repetitions of each other; what a file offered is known afterwards only."""
    return (level.speed, None if level.speed else level.offered_per_s, level.in_flight)


def _deciding(
    opened: Sequence[LevelSummary],
    closed: Sequence[LevelSummary],
    sustained: LevelSummary | None,
    engine_exit: EngineExit | None,
    cut: Sequence[LevelSummary],
) -> tuple[LevelSummary | None, LimitKind]:
    if engine_exit is not None and engine_exit.level is not None:
        for level in (*opened, *closed):
            if level.index == engine_exit.level:
                return level, "engine-ended"
    above = [
        level
        for level in opened
        if _failed(level, LIMIT_CODES)
        and (sustained is None or (level.offered_per_s or 0) > (sustained.offered_per_s or 0))
        and level not in cut
    ]
    # Clients that are late leave a rate unproven; one that was not reached shows where it ends.
    not_reached = [level for level in above if _failed(level, LIMIT_CODES - NOT_THE_LOAD)]
    if not_reached:
        return min(not_reached, key=lambda level: level.offered_per_s or 0), "rate"
    measured = _highest(closed)
    if measured is not None:
        return measured, "closed-loop"
    if above:
        return max(above, key=lambda level: level.send_lag_ns.p99 or 0), "late"
    return sustained or _highest(opened), "none"


def _failed(level: LevelSummary, codes: frozenset[str]) -> bool:
    invalid = {f.code for f in level.findings if f.severity is Severity.INVALID}
    return bool(invalid & codes) and not invalid & FAILED_CODES


def _highest(levels: Sequence[LevelSummary]) -> LevelSummary | None:
    measured = [level for level in levels if level.throughput_per_s.mean]
    return max(measured, key=lambda level: level.throughput_per_s.mean or 0, default=None)
