"""Whether a level was in a steady state: what was left out, what moved, and do its books agree."""

from typing import Final

from cluster.analysis.finding import finding
from cluster.analysis.observed import Observed
from cluster.analysis.steady.level_series import level_series
from cluster.analysis.steady.littles_law import littles_law
from cluster.analysis.steady.stationarity import ALPHA, judge
from cluster.analysis.steady.warm_up import warm_up_end_s
from cluster.results.finding import Finding, Severity
from cluster.results.summary import SeriesTest, Steadiness

NAMES: Final = {"rate": "answered rate", "in flight": "number of orders in flight"}


def steadiness(seen: Observed, unstable: str = "") -> Steadiness:
    """Judge a level's control window.

    Args:
        seen: the level.
        unstable: why there is no steady state at its rate; empty: there may be one.
    """
    control = seen.control.seconds
    intervals = [i for agent in seen.record.agents for i in agent.intervals]
    warm_up = warm_up_end_s(intervals, control.stop)
    series = judge(level_series(seen))
    law, no_law = littles_law(seen, unstable)
    late = _warms_up_within(warm_up.ends_s, control)
    told = [test.steady for test in series if test.steady is not None]
    missing = {}
    if warm_up.ends_s is None:
        missing["warm_up_ends_s"] = warm_up.why
    if law is None:
        missing["littles_law"] = no_law
    if not (told or unstable or late):
        missing["steady"] = "no series is long enough to be tested"
    return Steadiness(
        discarded_s=control.start,
        warm_up_ends_s=warm_up.ends_s,
        series=series,
        littles_law=law,
        steady=False if unstable or late else (all(told) if told else None),
        not_measured=missing,
    )


def steadiness_findings(seen: Observed, found: Steadiness, unstable: str = "") -> list[Finding]:
    """What of a level's steadiness the reader must know."""
    return [f for f in (_not_steady(seen, found, unstable), _law_broken(seen, found)) if f]


def _not_steady(seen: Observed, found: Steadiness, unstable: str) -> Finding | None:
    moved = [_moved(test) for test in found.series if test.steady is False]
    ends_s, control = found.warm_up_ends_s, seen.control.seconds
    if ends_s is not None and _warms_up_within(ends_s, control):
        moved.insert(0, f"the warm-up ended only after {ends_s - control.start:g} s")
    if unstable or not moved:
        return None  # a finding of its own says more
    return finding(
        seen,
        Severity.WARNING,
        "not-steady",
        f"Within the control window of {len(control)} s {'; '.join(moved)}.",
        "The engine was still warming up, its state grows, or something else came and went. "
        "Percentiles mix what was before with what came after. Lengthen `measure.warmup_s`, or "
        "look at the level's time line.",
    )


def _warms_up_within(ends_s: float | None, control: range) -> bool:
    """Whether orders of the warm-up are among those that count, for a second or more."""
    return ends_s is not None and ends_s >= control.start + 1


def _moved(test: SeriesTest) -> str:
    """What a series did, with its number."""
    name = NAMES.get(test.series, test.series)
    if test.change_at_s is not None:
        return f"the {name} changed at {test.change_at_s:g} s"
    if test.mann_kendall_p is not None and test.mann_kendall_p < ALPHA:
        return f"the {name} drifted by {test.drift_ratio or 0:+.0%} of its mean"
    return f"the {name} wandered (ADF p {test.adf_p:.2f}, KPSS p {test.kpss_p:.2f})"


def _law_broken(seen: Observed, found: Steadiness) -> Finding | None:
    law = found.littles_law
    if law is None or abs(law.deviation_ratio) <= law.tolerance_ratio:
        return None
    return finding(
        seen,
        Severity.INVALID,
        "littles-law",
        "The books of orders and of times contradict each other: "
        f"{_orders(law.in_flight_mean)} orders were in flight on the average, and rate times "
        f"service time is {_orders(law.rate_times_service)} ({law.deviation_ratio:+.1%}, where "
        f"{law.tolerance_ratio:.1%} may be chance).",
        "Recorded times are not those of the orders that were counted: a fault of loadcluster, or "
        "of a clock that steps. Don't use this level; please report it.",
    )


def _orders(mean: float) -> str:
    return f"{mean:.3g}" if mean < 1000 else f"{mean:,.0f}"  # noqa: PLR2004 - three digits do
