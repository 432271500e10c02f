"""95 % intervals within a run: by how much may a figure be off by chance."""

import math
from collections.abc import Sequence
from typing import Final

from scipy.special import stdtrit

from cluster.analysis.uncertainty.effective_sample import Dependence, dependence
from cluster.analysis.uncertainty.pieces import Pieces
from cluster.results.histogram import Histogram
from cluster.results.summary import Uncertainty

TWO_SIDED_95: Final = 0.975
# Of few effective orders of a skewed distribution the mean is often too low and so is its spread:
# below, the interval holds the truth in clearly less than 95 % (benchmarks/interval_coverage.py).
EFFECTIVE_FOR_MEAN: Final = 100
ALIKE: Final = "times do not vary enough to see how orders depend on each other"


def percentile_dependence(
    over_time: Sequence[Pieces], value_ns: int
) -> tuple[Dependence | None, str]:
    """How orders depend on each other in whether they take longer than a percentile.

    Args:
        over_time: the same orders in pieces, the finest first; the first that can tell is taken.
            Of two edges around the value the one counts at which orders depend more, unless what
            is seen at both may be chance: then both count, for the larger would be too large.
        value_ns: the percentile.

    Source:
        The indicator series 1[x > q], as for a quantile's asymptotic variance: P. Heidelberger, P.
        Lewis, "Quantile Estimation in Dependent Sequences", Operations Research 32 (1), 1984.
    """
    for pieces in over_time:
        told = []
        for slower in pieces.slower_than(value_ns):
            share = float(slower.sum() / pieces.orders.sum())
            if 0 < share < 1:
                told.append(dependence(pieces.orders, slower, share * (1 - share)))
        unknown = next((why for found, why in told if found is None), "")
        if unknown:
            return None, unknown
        edges = [found for found, _ in told if found is not None]
        if edges:
            return _of_edges(edges), ""
    return None, ALIKE


def _of_edges(edges: Sequence[Dependence]) -> Dependence:
    if any(edge.beyond_chance for edge in edges):
        return max(edges, key=lambda edge: edge.variance_ratio)
    ratio = sum(edge.variance_ratio for edge in edges) / len(edges)
    return Dependence(ratio, min(edge.degrees for edge in edges))


def percentile_interval(
    histogram: Histogram, percentile: float, unanswered: int, found: Dependence
) -> tuple[Uncertainty | None, str]:
    """The 95 % interval of a percentile, orders without an answer counted as +∞.

    Source:
        Le Boudec, "Performance Evaluation of Computer and Communication Systems", 2010, section
        2.2: ranks np ± η√(np(1 - p)), with the effective number of orders within the root and
        Student's t for η, because that number is itself an estimate. The number is cut to that of
        the orders where it is told, not here: t allows for its scatter to both sides.
    """
    orders, share = histogram.total + unanswered, percentile / 100
    variance = share * (1 - share) * found.variance_ratio / orders
    half = student_t_975(found.degrees) * math.sqrt(variance)
    low = math.floor(orders * (share - half))
    high = math.ceil(orders * (share + half)) + 1
    if low < 1 or high > orders:
        return None, (
            f"the interval of p{percentile:g} reaches beyond the data: {orders:,} orders tell as "
            f"much as {found.effective_count(orders):,.0f} independent ones"
        )
    if low > histogram.total:
        return None, f"p{percentile:g} falls among the {unanswered:,} orders without an answer"
    return Uncertainty(
        low=histogram.value_at_rank(low, lower_edge=True),
        high=histogram.value_at_rank(high) if high <= histogram.total else None,
        effective_count=found.effective_count(orders),
    ), ""


def mean_interval(
    histogram: Histogram, over_time: Sequence[Pieces]
) -> tuple[Uncertainty | None, str]:
    """The 95 % interval of the mean of orders that were all answered.

    It is symmetric for the logarithm: durations are skewed, and a mean that is too low comes with
    a spread that is too low.
    """
    mean, stdev = histogram.mean, histogram.stdev
    if not mean or not stdev or not over_time:
        return None, ALIKE
    pieces = over_time[0]
    found, why = dependence(pieces.orders, pieces.sums_ns, stdev**2)
    if found is None:
        return None, why
    effective = found.effective_count(histogram.total)
    if effective < EFFECTIVE_FOR_MEAN:
        return None, (
            f"{histogram.total:,} orders tell as much as {effective:,.0f} independent ones; an "
            f"interval of the mean needs {EFFECTIVE_FOR_MEAN}"
        )
    error = stdev * math.sqrt(found.variance_ratio / histogram.total) / mean
    factor = math.exp(student_t_975(found.degrees) * error)
    return Uncertainty(low=mean / factor, high=mean * factor, effective_count=effective), ""


def student_t_975(degrees: int) -> float:
    """Student's t, for two-sided intervals of 95 %."""
    return float(stdtrit(degrees, TWO_SIDED_95))
