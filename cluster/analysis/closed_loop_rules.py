"""What a closed-loop level's times leave out: the waiting of orders that were never due."""

from typing import Final

import numpy as np

from cluster.analysis.finding import finding
from cluster.analysis.observed import Observed
from cluster.analysis.uncertainty.latency import PERCENTILES, percentile_of
from cluster.results.finding import Finding, Severity
from cluster.results.histogram import Histogram
from cluster.units import NS_PER_S, format_ns

# A queue that is merely full moves little: its orders already wait for all before them.
HIDDEN_RATIO: Final = 2


def waiting_hidden(seen: Observed) -> Finding | None:
    """The percentiles are about those that a schedule at the same rate would have seen."""
    rate, in_flight = seen.throughput.mean, seen.record.level.in_flight
    if not seen.closed_loop or not rate or not in_flight:
        return None
    interval_ns = in_flight * NS_PER_S / rate
    for percentile in PERCENTILES.values():
        measured, _ = percentile_of(seen.control.response, percentile)
        if measured is None:
            return None
        scheduled = percentile_on_schedule(seen.control.response, percentile, interval_ns)
        if scheduled > HIDDEN_RATIO * measured:
            return finding(
                seen,
                Severity.WARNING,
                "closed-loop-hides-waiting",
                f"While the engine did not answer, no order was due: p{percentile:g} reads "
                f"{format_ns(measured)}, and a schedule at the same rate would have found about "
                f"{format_ns(scheduled)}.",
                "Do not read this level's times as response times. Take percentiles from "
                "open-loop levels.",
            )
    return None


def percentile_on_schedule(histogram: Histogram, percentile: float, interval_ns: float) -> float:
    """The percentile, with the orders that were left out while others waited, ns.

    Each place in flight would have sent once per interval. An order that took v stands for those
    that would have been due behind it and taken v - interval, v - 2 · interval and so on, down to
    one interval: HdrHistogram's correction of coordinated omission (Tene).

    Args:
        histogram: durations as measured, ns; not empty.
        percentile: above 0, below 100.
        interval_ns: mean time between two orders of one place in flight.
    """
    values, counts = histogram.values_ns, histogram.counts
    orders = int(np.sum(counts * np.maximum(1, values // interval_ns)))
    beyond_max = (1 - percentile / 100) * orders
    low, high = 0, int(values[-1])
    while low < high:
        middle = (low + high) // 2
        # Left-out orders take an interval at least, so below one only measured ones are counted.
        from_ns = max(float(middle), min(interval_ns, float(values[-1])))
        stands_for = np.where(values > from_ns, np.ceil((values - from_ns) / interval_ns), 0)
        beyond = np.sum(counts * np.maximum(stands_for, values > middle))
        low, high = (middle + 1, high) if beyond > beyond_max else (low, middle)
    return float(low)
