"""Whether gaps between orders are those of a law: as an effect, as a chance, and as a time."""

import math
from typing import Final

import numpy as np
from scipy.special import kolmogi

from cluster.analysis.clients.send_law import Floats, SendLaw

# With a million gaps any test rejects any clock: what counts is how far the distributions are
# apart. 0.02: one order in fifty has a gap that it should not have.
DISTANCE_MAX: Final = 0.02

THIN: Final = 4096  # of so many gaps an Anderson-Darling test sees what 0.02 is, and hardly less
ANDERSON_DARLING_5_PERCENT: Final = 1.341

_LEAST_GAP_NS: Final = 0.5  # half of what the clock resolves: two orders in the same ns


def distance(gaps_ns: Floats, law: SendLaw) -> float:
    """Kolmogorov and Smirnov's distance of exponential gaps, the rate known, to the law's: 0 to 1.

    With U = 1 - exp(-λΔ) the gaps of the law are uniform.
    """
    uniform = np.sort(-np.expm1(-gaps_ns / law.gap_ns))
    n = len(uniform)
    steps = np.arange(n + 1) / n
    return float(max((steps[1:] - uniform).max(), (uniform - steps[:-1]).max()))


def distance_by_chance(gaps: int, alpha: float) -> float:
    """The distance beyond which the law itself comes with chance `alpha` only."""
    return float(kolmogi(alpha)) / math.sqrt(gaps)


def moved_ns(gaps_ns: Floats, law: SendLaw, share: float) -> float:
    """By how much gaps must have been stretched or shrunk, at least, to be those of the law.

    The least δ with F(x - δ) - share ≤ G(x) ≤ F(x + δ) + share for every x, of the law's
    distribution F and the gaps' G: Lévy's distance with the two tolerances kept apart. When every
    order but a few leaves within δ of its time, every gap but a few is off by no more than δ.

    Args:
        gaps_ns: the gaps. Shape (n,), n above 0.
        law: with known gaps.
        share: this part of the gaps may be anything.
    """
    ordered = np.sort(gaps_ns)
    steps = np.arange(len(ordered) + 1) / len(ordered)
    short_by = law.gap_quantile(steps[1:] - share) - ordered
    long_by = ordered - law.gap_quantile(steps[:-1] + share)
    return max(0.0, float(short_by.max()), float(long_by.max()))


def anderson_darling(gaps_ns: Floats) -> float:
    """A*² = A² (1 + 0.6 / n) of a thin of the gaps, against exponential gaps of whatever mean.

    Every so-many-th gap is taken, which keeps independent gaps independent.

    Source:
        D'Agostino and Stephens, "Goodness-of-Fit Techniques", 1986, section 4.9.
    """
    thin = gaps_ns[:: math.ceil(len(gaps_ns) / THIN)]
    scaled = np.sort(np.maximum(thin, _LEAST_GAP_NS)) / thin.mean()
    n = len(scaled)
    odd = 2 * np.arange(1, n + 1) - 1
    # ln z + ln (1 - z of the other end), z = 1 - exp(-x)
    logs = np.log(-np.expm1(-scaled)) - scaled[::-1]
    a_2 = -n - float((odd * logs).sum()) / n
    return a_2 * (1 + 0.6 / n)


def anderson_darling_p(statistic: float) -> float:
    """The chance of an A*² at least so large under the law.

    Source:
        D'Agostino and Stephens, 1986, table 4.14, exponential with the origin known.
    """
    a = statistic
    if a < 0.26:  # noqa: PLR2004 - the table's own bounds, here and below
        return 1 - math.exp(-12.2204 + 67.459 * a - 110.3 * a * a)
    if a < 0.51:  # noqa: PLR2004
        return 1 - math.exp(-6.1327 + 20.218 * a - 18.663 * a * a)
    if a < 0.95:  # noqa: PLR2004
        return math.exp(0.9209 - 3.353 * a + 0.3 * a * a)
    # Beyond 10 the parabola turns back.
    a = min(a, 10.0)
    return math.exp(0.731 - 3.009 * a + 0.15 * a * a)
