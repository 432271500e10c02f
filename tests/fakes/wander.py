"""Series that are stationary and yet wander: neighbouring points depend on each other."""

import numpy as np
from numpy.typing import NDArray


def autoregressive(
    rng: np.random.Generator, points: int, correlation: float, deviation: float
) -> NDArray[np.float64]:
    """An AR(1) series around 0 in its stationary state. Shape (points,)."""
    shocks = rng.normal(0, deviation * np.sqrt(1 - correlation**2), points)
    series = np.empty(points)
    level = rng.normal(0, deviation)
    for place, shock in enumerate(shocks):
        level = correlation * level + shock
        series[place] = level
    return series
