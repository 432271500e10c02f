"""What the engine sustained, and which level shows where it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cluster.analysis.client_rules import NOT_THE_LOAD
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

    The deciding level is the lowest open-loop level above the sustained one whose rate was not
    reached; without one, the closed-loop level, where something is at its limit by construction;
    without that, of those above the sustained one, the level at which clients were latest; without
    that, the highest level, at which nothing was at its limit.
    """
    opened = [level for level in levels if level.arrivals != "closed"]
    closed = [level for level in levels if level.arrivals == "closed"]
    sustained = _highest([level for level in opened if level.valid])
    closed_loop = _highest([level for level in closed if level.valid])
    deciding, limit = _deciding(opened, closed, sustained, engine_exit, interrupted)
    return Capacity(sustained, closed_loop, deciding, limit)


def _deciding(
    opened: Sequence[LevelSummary],
    closed: Sequence[LevelSummary],
    sustained: LevelSummary | None,
    engine_exit: EngineExit | None,
    interrupted: bool,
) -> tuple[LevelSummary | None, LimitKind]:
    if engine_exit is not None and engine_exit.level is not None:
        for level in (*opened, *closed):
            if level.index == engine_exit.level:
                return level, "engine-ended"
    last = max((level.index for level in (*opened, *closed)), default=None)
    above = [
        level
        for level in opened
        if _failed(level, LIMIT_CODES)
        and (sustained is None or (level.offered_per_s or 0) > (sustained.offered_per_s or 0))
        and not (interrupted and level.index == last and level.ended_early)
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
