"""What a verdict is judged on, and how an observation is written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cluster.analysis.observed import Observed
from cluster.results.summary import Calibration, Evidence, Invariance, LevelSummary

Cause = Literal["engine", "network", "client"]
CAUSES: Final[tuple[Cause, ...]] = ("engine", "network", "client")

# Shares of time on a CPU beyond which a thread has none left, and below which it has plenty.
BUSY: Final = 0.9
IDLE: Final = 0.5
PATH_SHARE_HIGH: Final = 0.5  # of the service time, spent on the way


@dataclass(frozen=True)
class Case:
    """What a verdict is judged on."""

    seen: Observed  # the deciding level
    levels: Sequence[LevelSummary]  # all of its trial; predictions taken back when the engine polls
    spinning: str  # why the engine's CPU time says nothing; "" when it does
    calibrations: Sequence[Calibration] = ()  # what the load hosts can do by themselves
    invariance: Invariance | None = None  # of the run


def row(
    quantity: str,
    value: str,
    sentence: str,
    *,
    supports: Cause | None = None,
    against: tuple[Cause, ...] = (),
    weight: float = 0.0,
) -> Evidence:
    """One row of the evidence; without weight it says nothing either way."""
    return Evidence(
        quantity=quantity,
        value=value,
        sentence=sentence,
        supports=supports,
        against=list(against),
        weight=weight,
    )


def rtt_us(case: Case) -> float | None:
    """The kernel's smoothed TCP round trip, mean over agents, microseconds."""
    means = [agent.tcp.rtt_us_mean for agent in case.seen.record.agents if agent.tcp]
    return sum(means) / len(means) if means else None
