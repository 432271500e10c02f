"""Percentiles that can be believed: unanswered orders count, and too little data gives none."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cluster.analysis.uncertainty.intervals import (
    mean_interval,
    percentile_dependence,
    percentile_interval,
)
from cluster.analysis.uncertainty.pieces import Pieces
from cluster.results.histogram import Histogram
from cluster.results.summary import CurvePoint, Latency, Uncertainty

# η² for 95 % confidence. With n · (1 - p) < 3.84 the order-statistic interval of percentile p
# reaches beyond the largest value, so the data has no such percentile. Le Boudec, "Performance
# Evaluation of Computer and Communication Systems", 2010, section 2.2.
EXISTENCE: Final = 3.84

# So begins the reason why an unstable level has no response times.
UNSTABLE: Final = "unstable at this rate"

PERCENTILES: Final = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "p99_9": 99.9}
FIGURES: Final = ("min", "mean", *PERCENTILES, "max", "stdev")
CURVE_POINTS_PER_DECADE: Final = 10
CURVE_DECADES: Final = 8


def orders_needed(percentile: float) -> int:
    """How many orders a percentile (0 to below 100) needs to exist at 95 % confidence."""
    # Rounded before the ceiling: 1 - 0.99 is not exact, and 384 orders are enough for p99.
    return math.ceil(round(EXISTENCE / (1 - percentile / 100), 6))


def percentile_of(
    histogram: Histogram, percentile: float, unanswered: int = 0
) -> tuple[int | None, str]:
    """A percentile over all orders, those without an answer counted as +∞.

    Args:
        histogram: durations of the answered orders, ns.
        percentile: above 0, below 100.
        unanswered: orders without an answer.

    Returns:
        The value in ns and "", or None and why there is none.
    """
    orders = histogram.total + unanswered
    needed = orders_needed(percentile)
    if orders < needed:
        return None, f"p{percentile:g} needs {needed:,} orders; there are {orders:,}"
    rank = max(int(percentile * orders / 100 + 0.5), 1)
    if rank > histogram.total:
        return None, (
            f"p{percentile:g} falls among the {unanswered:,} of {orders:,} orders that were "
            "never answered: it is beyond every measured time"
        )
    return histogram.value_at_rank(rank), ""


@dataclass(frozen=True)
class Percentile:
    """A percentile with its interval, either None with the reason."""

    value_ns: int | None
    why: str
    interval: Uncertainty | None
    no_interval: str


def percentile_with_interval(
    histogram: Histogram, percentile: float, unanswered: int, over_time: Sequence[Pieces]
) -> Percentile:
    """As `percentile_of`, but counting the orders that are independent of each other in effect.

    Args:
        histogram: durations of the answered orders, ns.
        percentile: above 0, below 100.
        unanswered: orders without an answer.
        over_time: the same orders in pieces of time, the finest first.
    """
    value, why = percentile_of(histogram, percentile, unanswered)
    if value is None:
        return Percentile(None, why, None, why)
    found, why = percentile_dependence(over_time, value)
    if found is None:
        return Percentile(value, "", None, why)
    orders, needed = histogram.total + unanswered, orders_needed(percentile)
    effective = found.effective_count(orders)
    if effective < needed:
        why = (
            f"p{percentile:g} needs {needed:,} independent orders; the {orders:,} tell as much as "
            f"{effective:,.0f}, because neighbours in time are alike"
        )
        return Percentile(None, why, None, why)
    interval, why = percentile_interval(histogram, percentile, unanswered, found)
    return Percentile(value, "", interval, why)


def latency(
    histogram: Histogram,
    unanswered: int = 0,
    empty: str = "no order was answered",
    over_time: Sequence[Pieces] = (),
) -> Latency:
    """Sum up a distribution of durations.

    An order without an answer takes longer than any time measured. It therefore counts in every
    percentile, and with one of them there is no largest time, no mean and no deviation.

    Args:
        histogram: durations of the answered orders, ns.
        unanswered: orders without an answer.
        empty: why there is nothing to sum up, should that be so.
        over_time: the same orders in pieces of time, the finest first: intervals come from them.
    """
    if not histogram.total and not unanswered:
        return Latency(
            count=0, not_measured=dict.fromkeys(FIGURES, empty), **dict.fromkeys(FIGURES)
        )
    values: dict[str, int | None] = {}
    reasons: dict[str, str] = {}
    if not histogram.total:
        reasons |= dict.fromkeys(("min", "mean", "max", "stdev"), empty)
    elif unanswered:
        infinite = f"{unanswered:,} orders were never answered: their time has no bound"
        reasons |= dict.fromkeys(("mean", "max", "stdev"), infinite)
    intervals: dict[str, Uncertainty] = {}
    no_interval: dict[str, str] = {}
    for name, percentile in PERCENTILES.items():
        if not over_time:
            values[name], why = percentile_of(histogram, percentile, unanswered)
        else:
            told = percentile_with_interval(histogram, percentile, unanswered, over_time)
            values[name], why = told.value_ns, told.why
            _keep(name, told.interval, told.no_interval, intervals, no_interval)
        if why:
            reasons[name] = why
    finite = not unanswered
    if over_time:
        unknown = None, reasons.get("mean", "")
        interval, why = mean_interval(histogram, over_time) if finite else unknown
        _keep("mean", interval, why, intervals, no_interval)
    return Latency(
        count=histogram.total + unanswered,
        min=histogram.min,
        mean=histogram.mean if finite else None,
        max=histogram.max if finite else None,
        stdev=histogram.stdev if finite else None,
        not_measured=reasons,
        intervals=intervals,
        no_interval=no_interval,
        **values,
    )


def _keep(
    name: str,
    interval: Uncertainty | None,
    why: str,
    intervals: dict[str, Uncertainty],
    no_interval: dict[str, str],
) -> None:
    if interval is None:
        no_interval[name] = why
    else:
        intervals[name] = interval


def withheld(measured: Latency, why: str) -> Latency:
    """A distribution without its figures, where they would mislead; as it is, if `why` is empty."""
    if not why:
        return measured
    return Latency(
        count=measured.count,
        **dict.fromkeys(FIGURES),
        not_measured=dict.fromkeys(FIGURES, why),
        no_interval=dict.fromkeys([*measured.intervals, *measured.no_interval], why),
    )


def curve(
    histogram: Histogram, unanswered: int = 0, over_time: Sequence[Pieces] = ()
) -> list[CurvePoint]:
    """Points of the percentile curve, evenly spaced in log(1 / (1 - p)), as far as data reach."""
    points = []
    for percentile in _curve_percentiles():
        value = percentile_with_interval(histogram, percentile, unanswered, over_time).value_ns
        if value is None:
            break
        points.append(CurvePoint(percentile=percentile, value_ns=value))
    return points


def _curve_percentiles() -> Iterator[float]:
    steps = (
        100 * (1 - 10 ** (-step / CURVE_POINTS_PER_DECADE))
        for step in range(1, CURVE_POINTS_PER_DECADE * CURVE_DECADES)
    )
    return iter(sorted({round(p, 8) for p in steps} | set(PERCENTILES.values())))
