"""How many independent orders would tell as much: neighbours in time wait for the same reasons."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

Floats = NDArray[np.float64]

FREQUENCIES: Final = 16
PIECES_MIN: Final = 8


@dataclass(frozen=True)
class Dependence:
    """How much wider than for independent orders the spread of a mean over orders is."""

    variance_ratio: float  # of the mean's variance, over that of independent orders; at least 1
    degrees: int  # of freedom that this estimate has


def dependence(orders: Floats, sums: Floats, variance: float) -> tuple[Dependence | None, str]:
    """How orders depend on each other, from their sums over equal pieces of time.

    Args:
        orders: in each piece. Shape (pieces,).
        sums: of a quantity of these orders. Shape (pieces,).
        variance: of the quantity among all orders, above 0.

    Returns:
        The dependence and "", or None and why it can't be told.

    Source:
        E. Lazarus, D. Lewis, J. Stock, M. Watson, "HAR Inference: Recommendations for Practice",
        Journal of Business and Economic Statistics 36 (4), 2018: equal-weighted cosines.
    """
    pieces, total = len(orders), float(orders.sum())
    if pieces < PIECES_MIN:
        return None, f"{pieces} pieces of time are too few to see how orders depend on each other"
    # A ratio of two sums: pieces hold unequal numbers of orders.
    rest = sums - sums.sum() / total * orders
    degrees = min(FREQUENCIES, (pieces - 1) // 2)
    waves = dct(rest, type=2, norm="ortho")[1 : degrees + 1]
    long_run = pieces * float(waves @ waves) / degrees
    return Dependence(max(1.0, long_run / (total * variance)), degrees), ""


def effective_count(orders: int, found: Dependence) -> float:
    """So many independent orders would tell as much as `orders` dependent ones."""
    return math.inf if not orders else orders / found.variance_ratio
