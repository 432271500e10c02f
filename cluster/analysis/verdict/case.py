"""What a verdict is judged on, and how an observation is written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cluster.analysis.observed import Observed
from cluster.analysis.utilisation import busiest
from cluster.results.histogram import Histogram
from cluster.results.summary import Calibration, Evidence, Invariance, LevelSummary

Cause = Literal["engine", "network", "client"]
CAUSES: Final[tuple[Cause, ...]] = ("engine", "network", "client")

# Shares of time on a CPU beyond which a thread has none left, and below which it has plenty.
BUSY: Final = 0.9
IDLE: Final = 0.5
PATH_SHARE_HIGH: Final = 0.5  # of the service time, spent on the way
ENGINE_SHARE_LOW: Final = 0.2  # of the service time, spent between the engine's read and its reply

# Looks at the engine's sockets that find something unread, of all looks: about the share of time in
# which the engine is busy. An engine at its limit is always behind, and one that waits for orders
# reads each as it comes. Between the two nothing follows.
UNREAD_OFTEN: Final = 0.8
UNREAD_SELDOM: Final = 0.2
UNREAD_BYTES: Final = 64 * 1024  # a thousand orders and more


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


def times_of(case: Case, quantity: Literal["service", "engine"]) -> Histogram:
    """Times of the control window's orders; of all orders, where none of those was ever sent.

    Clients far behind their schedule send in the window what was due before it.
    """
    inside: Histogram = getattr(case.seen.control, quantity)
    if inside.total:
        return inside
    agents = case.seen.record.agents
    return Histogram.sum(getattr(i, quantity) for agent in agents for i in agent.intervals)


def unread_often(case: Case) -> bool:
    """Whether orders waited for the engine in nearly every look at its sockets."""
    window = case.seen.record.engine_control
    return bool(window and window.unread_ratio is not None and window.unread_ratio >= UNREAD_OFTEN)


def is_behind(case: Case) -> bool:
    """Whether orders lay unread in the engine's sockets, many or nearly always."""
    window = case.seen.record.engine_control
    most = window.receive_queue_bytes_max if window else None
    return unread_often(case) or (most or 0) >= UNREAD_BYTES


def waits_for_orders(case: Case) -> bool:
    """Whether the engine had read what had come, and had time: no order waits for such an engine.

    The time of a thread that polls is not known; what it leaves unread is.
    """
    window = case.seen.record.engine_control
    thread = busiest(case.seen.engine_threads)
    if window is None or window.unread_ratio is None or thread is None:
        return False
    idle = bool(case.spinning) or thread.utilisation_ratio + thread.run_queue_ratio < IDLE
    return idle and window.unread_ratio <= UNREAD_SELDOM


def answers_at_once(case: Case) -> bool:
    """Whether the engine's own times say that orders spend next to no time in it."""
    engine, service = times_of(case, "engine").mean, times_of(case, "service").mean
    return engine is not None and bool(service) and engine <= ENGINE_SHARE_LOW * (service or 0)


def rtt_us(case: Case) -> float | None:
    """The kernel's smoothed TCP round trip, mean over agents, microseconds."""
    means = [agent.tcp.rtt_us_mean for agent in case.seen.record.agents if agent.tcp]
    return sum(means) / len(means) if means else None
