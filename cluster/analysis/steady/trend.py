"""Whether a series of samples rises, by a straight line through them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z_ONE_SIDED_1_PERCENT = 2.326


@dataclass(frozen=True)
class Trend:
    """The least-squares line through a series."""

    slope_per_s: float
    significant: bool  # the slope is above 0 at 1 %, one-sided


def rising(times_s: NDArray[np.float64], values: NDArray[np.float64]) -> Trend | None:
    """Fit a line and test its slope; None with fewer than four samples.

    Args:
        times_s: when sampled. Shape (n,).
        values: what was sampled. Shape (n,).

    Source:
        Draper and Smith, "Applied Regression Analysis", 1998, section 1.4: t = b / s(b).
    """
    n = len(times_s)
    if n < 4:  # noqa: PLR2004 - two degrees of freedom, below which t has no use
        return None
    centred = times_s - times_s.mean()
    spread = float(centred @ centred)
    if spread == 0:
        return None
    slope = float(centred @ (values - values.mean())) / spread
    residuals = values - values.mean() - slope * centred
    error = math.sqrt(float(residuals @ residuals) / (n - 2) / spread)
    significant = slope > 0 and slope > student_t_99(n - 2) * error
    return Trend(slope, significant)


def student_t_99(degrees: int) -> float:
    """Student's t at 99 %, one-sided.

    Source:
        Abramowitz and Stegun, 1964, 26.7.5: expansion around the normal quantile. Below five
        degrees, where it is short by up to a third, the table's values.
    """
    table = {1: 31.821, 2: 6.965, 3: 4.541, 4: 3.747}
    if degrees in table:
        return table[degrees]
    z, v = Z_ONE_SIDED_1_PERCENT, degrees
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / v + second / v**2 + third / v**3
