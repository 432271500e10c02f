"""95 % intervals of percentiles, from order statistics and the number of effective orders."""

import math

from scipy.special import stdtrit

from cluster.analysis.effective_sample import Dependence, dependence
from cluster.analysis.pieces import Pieces
from cluster.results.histogram import Histogram
from cluster.results.over_time import COARSE_LEN, coarse_bucket
from cluster.results.summary import Uncertainty

TWO_SIDED_95 = 0.975


def percentile_dependence(
    pieces: Pieces, value_ns: int, percentile: float
) -> tuple[Dependence | None, str]:
    """How orders depend on each other in whether they take longer than a percentile.

    The slots know times by coarse buckets: of the two edges around `value_ns` the one counts at
    which orders depend on each other more.
    """
    bucket = int(coarse_bucket(value_ns))
    due = pieces.due.astype(float)
    found, reasons = [], []
    for edge in (bucket, min(bucket + 1, COARSE_LEN)):
        slower = pieces.slower_than(edge)
        share = float(slower.sum() / due.sum())
        if not 0 < share < 1:
            continue
        one, why = dependence(due, slower, share * (1 - share))
        if one is None:
            reasons.append(why)
        else:
            found.append(one)
    if not found:
        return None, reasons[0] if reasons else f"p{percentile:g}: all times are alike"
    return max(found, key=lambda one: one.variance_ratio), ""


def percentile_uncertainty(
    histogram: Histogram, percentile: float, unanswered: int, found: Dependence
) -> tuple[Uncertainty | None, str]:
    """The 95 % interval of a percentile, those orders without an answer counted as +∞.

    Source:
        Le Boudec, "Performance Evaluation of Computer and Communication Systems", 2010, section
        2.2: ranks np ± η√(np(1 - p)), with the effective number of orders within the root and
        Student's t for η, because that number is itself an estimate.
    """
    orders, share = histogram.total + unanswered, percentile / 100
    effective = orders / found.variance_ratio
    half = float(stdtrit(found.degrees, TWO_SIDED_95)) * math.sqrt(share * (1 - share) / effective)
    low = math.floor(orders * (share - half))
    high = math.ceil(orders * (share + half)) + 1
    if low < 1 or high > orders:
        return None, (
            f"{effective:,.0f} effective orders of {orders:,} are too few for an interval "
            f"of p{percentile:g}"
        )
    if low > histogram.total:
        return None, f"p{percentile:g} falls among the {unanswered:,} orders without an answer"
    bounded = high <= histogram.total
    return Uncertainty(
        low=histogram.value_at_rank(low),
        high=histogram.value_at_rank(high) if bounded else None,
        effective_count=effective,
    ), ""
