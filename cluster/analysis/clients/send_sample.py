"""Send times and counts of a window, in the clock of their law."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cluster.analysis.clients.send_law import Floats, SendLaw
from cluster.results.over_time import MS_PER_S, Activity, Counts, SampleSlice
from cluster.units import NS_PER_MS, NS_PER_S

# A sample that was cut ends at a time unknown once workers are merged. Leaving out its second
# leaves out the fullest ones: more than a few of them, and the rest is no sample.
CUT_SECONDS_MAX = 0.05


@dataclass(frozen=True)
class GapSample:
    """Gaps between orders sent one after another, in the law's clock."""

    gaps_ns: Floats
    why_none: str = ""


def gap_sample(activity: Sequence[Activity], piece: SampleSlice, law: SendLaw) -> GapSample:
    """The gaps between the orders of the sample slices.

    A gap that reaches beyond its slice is not seen whole, and the wider a gap the likelier it is
    to: the gaps inside are too short on the average. For exponential gaps the slices are therefore
    laid end to end: a Poisson process with pieces cut out of it is one still, since what is left of
    a gap is exponential again. Then no gap is cut but the last. Slices of a whole second, at low
    rates, are laid where they were. Constant gaps are taken from inside the slices: there is no law
    of them by which a short one could be told from a cut one.
    """
    whole = [second for second in activity if not second.sample_cut]
    none = np.zeros(0)
    if len(activity) - len(whole) > CUT_SECONDS_MAX * len(activity):
        return GapSample(none, "more orders fell into the sample's slices than could be kept")
    if not whole or not piece.width_ns:
        return GapSample(none, "no send times were sampled")
    parts, offset = [], 0.0
    for second in whole:
        begins = second.index * NS_PER_S
        start = begins + piece.start_ns(second.index)
        from_ns, to_ns = law.clock([start, start + piece.width_ns])
        parts.append(law.clock(begins + second.send_sample_ns) - from_ns + offset)
        offset += float(to_ns - from_ns)
    if law.gaps == "constant":
        return GapSample(np.concatenate([np.diff(part) for part in parts]))
    return GapSample(np.diff(np.concatenate([[0.0], *parts])))


@dataclass(frozen=True)
class BinnedCounts:
    """Orders sent in consecutive lengths of time, and how long the law ran in each."""

    length_ns: int
    orders: Counts  # Shape (seconds, bins per second)
    running_ns: Floats  # likewise
    mean: float  # orders of a length in which the law ran throughout


def binned(activity: Sequence[Activity], length_ms: int, law: SendLaw) -> BinnedCounts:
    """Count by lengths of 1 ms to 1 s; at least one second, and one order, must be there."""
    bins = MS_PER_S // length_ms
    orders = np.stack([s.sent_per_ms for s in activity]).reshape(-1, bins, length_ms).sum(axis=2)
    edges = np.arange(bins + 1) * length_ms * NS_PER_MS
    clock = law.clock(np.array([s.index * NS_PER_S for s in activity])[:, None] + edges)
    running = np.diff(clock, axis=1)
    length_ns = length_ms * NS_PER_MS
    mean = float(orders.sum() / max(running.sum(), 1) * length_ns)
    return BinnedCounts(length_ns, orders, running, mean)
