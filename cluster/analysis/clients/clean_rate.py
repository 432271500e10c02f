"""Finding the highest rate that a load client sends on time: what is tried, and what it tells."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from cluster.analysis.clients.lag import Doings, judge_lag
from cluster.analysis.verdict.case import BUSY
from cluster.analysis.windows import Merged
from cluster.results.histogram import Histogram

# Two rates so near are one: the lower is what is told, so it is at most a tenth too low.
PRECISION: Final = 1.1
STEP: Final = 2.0  # how fast rates rise until one is not clean
LEAST_PER_S: Final = 1_000.0  # below it a percentile would need longer than a trial
# A trial is over in less than a second: answers that lag behind by more than this share of it do so
# because somebody can't keep up.
ANSWERED_RATIO: Final = 0.95

# A client that has no CPU for a hundredth of the time is late with as many orders: that is its p99.
WAITED_RATIO: Final = 0.01
OTHERS_RATIO: Final = 0.05  # the kernel's ticks tell no less of a moment so short
TRIES: Final = 2
TRIES_AMID_OTHERS: Final = 3

Bound = Literal["client", "reflector", "other load"]


@dataclass(frozen=True)
class Trial:
    """A rate that was tried for a moment."""

    window: Merged  # every order of it
    answered_ratio: float  # of the orders due, when the last one was
    in_flight_bound: bool  # as many were unanswered as the client allows itself
    rwnd_limited_ratio: float | None  # of the sending time
    reflector_busy_ratio: float | None  # its busiest thread on the CPU; None: not seen from here
    run_queue_ratio: float | None  # the client's worst thread, ready without a CPU
    others_ratio: float | None  # of the client's CPUs, used by neither it nor the reflector
    crowded: bool  # workers and reflector have to share CPUs: they wait for each other

    @property
    def disturbed(self) -> bool:
        """Whether something else used the client's CPUs: then it tells of that."""
        waited = not self.crowded and (self.run_queue_ratio or 0) > WAITED_RATIO
        return waited or (self.others_ratio or 0) > OTHERS_RATIO


def bound_of(trial: Trial) -> Bound | None:
    """What kept a rate from being clean, or None when it was clean.

    A rate is clean when the level's own rules find no order late (`judge_lag`), and the answers
    kept up. What was not clean is the doing of other load when that took the CPU from the client,
    of the reflector when it pushed back or had no CPU time left, else of the client.
    """
    orders = trial.window.orders
    lag = judge_lag(
        trial.window,
        unsent=0 if orders.lost else orders.unsent,
        rwnd_limited_ratio=trial.rwnd_limited_ratio,
        in_flight_bound=trial.in_flight_bound,
        doings=Doings(Histogram.empty(), None, 0),
    )
    missing = orders.timed_out + orders.lost
    if orders.sent and not (lag.late or missing or trial.answered_ratio < ANSWERED_RATIO):
        return None
    if trial.disturbed:
        return "other load"
    no_time_left = (trial.reflector_busy_ratio or 0) >= BUSY
    return "reflector" if lag.fault == "engine" or no_time_left or missing else "client"


@dataclass(frozen=True)
class CleanRate:
    """The outcome of a search."""

    rate_per_s: float | None  # None: no rate was clean
    bound_by: Literal["client", "reflector", "other load", "time"]


def highest_clean_rate(
    bound_at: Callable[[float], Bound | None], guess_per_s: float, may_go_on: Callable[[], bool]
) -> CleanRate:
    """The highest clean rate, by doubling until one is not clean and by bisection then.

    A rate that is not clean is tried again: a moment's disturbance is not its fault.

    Args:
        bound_at: tries a rate: what bounded it, or None when it was clean.
        guess_per_s: where to start.
        may_go_on: whether there is time for another trial.

    Returns:
        With time enough, a rate at most a tenth below the limit.
    """
    clean: float | None = None
    beyond = math.inf
    bound: Bound | None = None
    rate = guess_per_s
    while may_go_on() and (clean is None or beyond > PRECISION * clean):
        found = _tried(bound_at, rate, may_go_on)
        if found is None:
            clean = rate
        else:
            beyond, bound = rate, found
        if clean is None:
            rate = beyond / STEP
            if rate < LEAST_PER_S:
                break
        else:
            rate = math.sqrt(clean * beyond) if beyond < math.inf else clean * STEP
    return CleanRate(clean, bound or "time")


def _tried(
    bound_at: Callable[[float], Bound | None], rate_per_s: float, may_go_on: Callable[[], bool]
) -> Bound | None:
    tried = 0
    while True:
        found = bound_at(rate_per_s)
        tried += 1
        tries = TRIES_AMID_OTHERS if found == "other load" else TRIES
        if found is None or tried >= tries or not may_go_on():
            return found
