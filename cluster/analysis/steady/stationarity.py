"""Whether the series of a level keep their level: trend, change and wandering, judged together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cluster.analysis.steady.rank_tests import Change, change_point, holm, monotone_trend
from cluster.analysis.steady.unit_root import adf_p, kpss_p
from cluster.results.summary import SeriesTest

POINTS_MIN: Final = 10  # for trend and change
POINTS_UNIT_ROOT: Final = 20  # below, the two tests hardly ever agree on anything

# Over all tests of a level together (Holm). Not 0.05, because what is known of a series' own
# correlation is little in short windows: so at most 5 in 100 stationary levels are called anything
# else, by simulation (tests/unit/analysis/test_stationarity.py).
ALPHA: Final = 0.01
# The two that contradict each other by design have no common p: both must say so, and plainly.
ADF_WANDERS: Final = 0.1
KPSS_WANDERS: Final = 0.01

# What matters, of what the series is: enough points find a change of any size. A tenth as between
# two windows elsewhere; answered orders are counts and known better.
MOVED_RATIO: Final = 0.1
MOVED_RATIO_RATE: Final = 0.02


@dataclass(frozen=True)
class Series:
    """A quantity over time, at equal steps."""

    name: str
    times_s: NDArray[np.float64]  # when each step begins, after the start. Shape (n,)
    values: NDArray[np.float64]  # Shape (n,)
    step_s: float
    moved_ratio: float = MOVED_RATIO  # what counts as moved
    why: str = ""  # why it can't be tested, when that is known


@dataclass(frozen=True)
class _Measured:
    """One series with its tests, before what the others say counts."""

    series: Series
    drift_ratio: float
    trend_p: float
    change: Change
    wander_p: tuple[float, float] | None  # ADF, KPSS

    @property
    def moved(self) -> float:
        """By how much the level changed at the change point."""
        before, after = self.change.before, self.change.after
        return abs(after - before) / max(abs(before), 1e-12)

    @property
    def spread(self) -> float:
        """How far the middle eight tenths of the points reach, of their median."""
        low, middle, high = np.percentile(self.series.values, (10, 50, 90))
        return float((high - low) / max(abs(middle), 1e-12))


def judge(family: Sequence[Series]) -> list[SeriesTest]:
    """Test every series of a level.

    A series is not steady when a test that holds for the whole family says so *and* what it saw
    is large enough to matter.
    """
    measured = {
        series.name: _measure(series)
        for series in family
        if not series.why and len(series.values) >= POINTS_MIN
    }
    p_values = [p for found in measured.values() for p in (found.trend_p, found.change.p)]
    together = iter(holm(p_values))
    return [
        _judged(measured[series.name], next(together), next(together))
        if series.name in measured
        else _not_tested(series)
        for series in family
    ]


def _measure(series: Series) -> _Measured:
    values = series.values
    trend = monotone_trend(values)
    mean = max(abs(float(np.mean(values))), 1e-12)
    wander = None
    if len(values) >= POINTS_UNIT_ROOT and np.ptp(values) > 0:
        wander = (adf_p(values), kpss_p(values))
    return _Measured(
        series, trend.slope * len(values) / mean, trend.p, change_point(values), wander
    )


def _judged(found: _Measured, trend_p: float, change_p: float) -> SeriesTest:
    series = found.series
    limit = series.moved_ratio
    changes = change_p < ALPHA and found.moved > limit
    drifts = trend_p < ALPHA and abs(found.drift_ratio) > limit
    wanders = (
        found.wander_p is not None
        and found.wander_p[0] > ADF_WANDERS
        and found.wander_p[1] <= KPSS_WANDERS
        and found.spread > limit
    )
    missing = {}
    if found.wander_p is None:
        why = (
            f"{len(series.values)} points of {series.step_s:g} s; {POINTS_UNIT_ROOT} are needed"
            if len(series.values) < POINTS_UNIT_ROOT
            else "every point is the same"
        )
        missing = dict.fromkeys(("adf_p", "kpss_p"), why)
    return SeriesTest(
        series=series.name,
        points=len(series.values),
        step_s=series.step_s,
        drift_ratio=found.drift_ratio,
        mann_kendall_p=trend_p,
        adf_p=found.wander_p[0] if found.wander_p else None,
        kpss_p=found.wander_p[1] if found.wander_p else None,
        change_at_s=float(series.times_s[found.change.place]) if changes else None,
        steady=not (changes or drifts or wanders),
        not_measured=missing,
    )


def _not_tested(series: Series) -> SeriesTest:
    n = len(series.values)
    why = series.why or f"{n} points of {series.step_s:g} s; {POINTS_MIN} are needed"
    figures = ("drift_ratio", "mann_kendall_p", "adf_p", "kpss_p", "change_at_s", "steady")
    return SeriesTest(
        series=series.name,
        points=n,
        step_s=series.step_s,
        **dict.fromkeys(figures),
        not_measured=dict.fromkeys(figures, why),
    )
