"""How many independent orders would tell as much: neighbours in time wait for the same reasons."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.special import chdtri, fdtri

Floats = NDArray[np.float64]

# Slowest waves over the window that are looked at, i.e. degrees of freedom of the estimate: as
# many as the data allow. Decided by simulation: benchmarks/interval_coverage.py.
WAVES: Final = (16, 8, 4)
PIECES_MIN: Final = 10
# What varies slowly must do so in this many independent stretches for each wave.
STRETCHES_PER_WAVE: Final = 4
CONFIDENCE: Final = 0.99  # of the tests that refuse


@dataclass(frozen=True)
class Dependence:
    """How much wider than for independent orders the spread of a mean over orders is."""

    variance_ratio: float  # of the mean's variance, over that of independent orders
    degrees: int  # of freedom that this estimate has

    @property
    def beyond_chance(self) -> bool:
        """Independent orders show so much in fewer than one of twenty windows."""
        return self.variance_ratio * self.degrees > float(chdtri(self.degrees, 0.05))

    def effective_count(self, orders: int) -> float:
        """So many independent orders would tell as much as `orders` of these; at most `orders`."""
        return orders / max(1.0, self.variance_ratio)


INDEPENDENT: Final = Dependence(1.0, 1_000_000)  # known, not estimated


def dependence(orders: Floats, sums: Floats, variance: float) -> tuple[Dependence | None, str]:
    """How orders depend on each other, from their sums over equal pieces of time.

    Batch means see slow variation through sums over a few long batches. The slowest cosine waves
    over the window see it too, with less bias at the same number of degrees of freedom.

    Args:
        orders: in each piece. Shape (pieces,).
        sums: of a quantity of these orders. Shape (pieces,).
        variance: of the quantity among all orders, above 0.

    Returns:
        The dependence and "", or None and why it can't be told.

    Source:
        E. Lazarus, D. Lewis, J. Stock, M. Watson, "HAR Inference: Recommendations for Practice",
        Journal of Business and Economic Statistics 36 (4), 2018: equal-weighted cosines, with
        Student's t. A spectrum near frequency 0 for a mean's interval: P. Heidelberger, P. Welch,
        Communications of the ACM 24 (4), 1981.
    """
    pieces, total = len(orders), float(orders.sum())
    if pieces < PIECES_MIN:
        return None, (
            f"how orders depend on each other can't be seen in {pieces} pieces of time, "
            f"{PIECES_MIN} are needed"
        )
    # A ratio of two sums, by its linear part: pieces hold unequal numbers of orders.
    rest = sums - sums.sum() / total * orders
    # Of independent orders every wave has power 1 in the mean.
    power = dct(rest, type=2, norm="ortho")[1:] ** 2 * (pieces / (total * variance))
    for waves in WAVES:
        if 2.5 * waves <= pieces and _resolved(power, waves):
            return Dependence(float(power[:waves].mean()), waves), ""
    return None, (
        "times change so slowly that the window holds too few independent stretches: "
        "measure for longer"
    )


def _resolved(power: Floats, waves: int) -> bool:
    """Whether the slowest waves are alike: slower ones that do not fit would be as strong."""
    slow, next_ones = power[: waves // 2].mean(), power[waves : 3 * waves]
    if slow > _f_quantile(waves // 2, len(next_ones)) * next_ones.mean():
        return False
    # What varies beyond chance, in total, over its share of each slow wave: that many stretches
    # of the window are independent.
    quick = power[len(power) // 2 :]
    chance = max(1.0, float(quick.mean()))
    low = float(power[:waves].mean())
    if low <= _f_quantile(waves, len(quick)) * chance:
        return True
    return float((power - chance).sum()) >= STRETCHES_PER_WAVE * waves * (low - chance)


@cache
def _f_quantile(above: int, below: int) -> float:
    return float(fdtri(above, below, CONFIDENCE))
