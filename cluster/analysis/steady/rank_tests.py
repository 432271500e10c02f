"""Trend and change of a series by ranks, with its autocorrelation taken into account.

Ranks, because a single stall must not decide; autocorrelation, because neighbouring points of a
load are alike and every test for independent points then rejects far too often.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# What isotonic regression takes from the correlation of neighbours, rounded up: found by
# simulation, AR(1) with 0 to 0.7 and 20 to 120 points. docs/measurement.md has what comes of it.
ISOTONIC_TAKES: Final = 0.3
CORRELATION_MAX: Final = 0.97
BIAS_PARAMETERS: Final = 4


@dataclass(frozen=True)
class MonotoneTrend:
    """A straight line of least ranks, and whether there is a trend at all."""

    slope: float  # per step; Theil-Sen
    p: float  # two-sided; Mann-Kendall


@dataclass(frozen=True)
class Change:
    """Where a series changes its level, if it does."""

    place: int  # the first point of the new level
    before: float  # median
    after: float
    p: float


def monotone_trend(values: Floats) -> MonotoneTrend:
    """Whether a series rises or falls, however.

    The variance of Mann and Kendall's S grows with autocorrelation as that of a mean does, by
    1 + 2 Σ (1 - k/n) r^k. The correlation r of neighbours is that of the residuals of a straight
    line or, if that is less, of an isotonic curve: a trend that is no line must not be taken for
    correlation, which would hide it.

    Args:
        values: at equal steps. Shape (n,), n ≥ 4.

    Source:
        H. B. Mann, Econometrica 13, 1945; M. G. Kendall, "Rank Correlation Methods", 1975;
        P. K. Sen, JASA 63, 1968; S. Yue, C. Y. Wang, Water Resources Management 18, 2004: the
        effective sample size. The isotonic residuals are ours.
    """
    n = len(values)
    if np.ptp(values) == 0:
        return MonotoneTrend(0.0, 1.0)
    steps = np.arange(n, dtype=np.float64)
    tau = float(scipy.stats.kendalltau(steps, values).statistic)
    slope = float(scipy.stats.theilslopes(values, steps).slope)
    ties = np.unique(values, return_counts=True)[1]
    pairs = n * (n - 1) / 2
    tied = float((ties * (ties - 1) / 2).sum())
    score = tau * math.sqrt(pairs * (pairs - tied))
    variance = (
        n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1.0) * (2 * ties + 5)).sum())
    ) / 18
    fit = scipy.optimize.isotonic_regression(values, increasing=score > 0).x
    by_curve = max(_neighbours(values - fit) + ISOTONIC_TAKES, 0.0)
    by_line = _unbiased(_neighbours(_ranks(values - slope * steps)), n)
    variance *= _inflation(min(by_curve, by_line), n)
    z = max(abs(score) - 1, 0.0) / math.sqrt(variance)
    return MonotoneTrend(slope, math.erfc(z / math.sqrt(2)))


def change_point(values: Floats) -> Change:
    """Where a series most likely changes from one level to another, and whether it is chance.

    Args:
        values: at equal steps. Shape (n,), n ≥ 4.

    Source:
        A. N. Pettitt, "A non-parametric approach to the change-point problem", Applied Statistics
        28 (2), 1979: p ≈ 2 exp(-6 K² / (n³ + n²)), conservative with few points. K² is divided
        by the variance's growth through autocorrelation, that of the residuals about both levels.
    """
    n = len(values)
    ranks = _ranks(values)
    steps = np.arange(1, n)
    scores = np.abs(2 * np.cumsum(ranks)[:-1] - steps * (n + 1))
    # Pettitt's own place leans to the middle; by its deviation, it does not.
    place = int(np.argmax(scores / np.sqrt(steps * (n - steps)))) + 1
    before, after = float(np.median(values[:place])), float(np.median(values[place:]))
    residuals = values - np.where(np.arange(n) < place, before, after)
    inflation = _inflation(_unbiased(_neighbours(_ranks(residuals)), n), n)
    exponent = -6 * float(scores.max()) ** 2 / (n**3 + n**2) / inflation
    return Change(place, before, after, min(1.0, 2 * math.exp(exponent)))


def holm(p_values: list[float]) -> list[float]:
    """P values that hold for all tests of a family together.

    Source:
        S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal
        of Statistics 6 (2), 1979.
    """
    adjusted, worst = [1.0] * len(p_values), 0.0
    for done, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        worst = max(worst, min(1.0, p_values[place] * (len(p_values) - done)))
        adjusted[place] = worst
    return adjusted


def _ranks(values: Floats) -> Floats:
    ranks: Floats = scipy.stats.rankdata(values)
    return ranks


def _neighbours(values: Floats) -> float:
    """The correlation of each point with the next."""
    centred = values - values.mean()
    total = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / total if total > 0 else 0.0


def _unbiased(correlation: float, n: int) -> float:
    """Without what few points take from a correlation (Marriott and Pope, Biometrika 41, 1954)."""
    return (n * correlation + 1) / max(n - BIAS_PARAMETERS, 1)


def _inflation(correlation: float, n: int) -> float:
    """How much more a sum of n points varies than one of independent points, AR(1)."""
    r = min(max(correlation, 0.0), CORRELATION_MAX)
    lags = np.arange(1, n)
    return float(1 + 2 * np.sum((1 - lags / n) * r**lags))
