"""The engine's memory over a run."""

from collections.abc import Sequence

from cluster.analysis.observed import Observed
from cluster.results.engine import EngineWindow
from cluster.results.summary import Memory
from cluster.units import NS_PER_S

NOT_WATCHED = "the engine's process was not watched"
UNSUPPORTED_ALLOCATIONS = "allocations are counted only in a run under a heap profiler"


def memory(observed: Sequence[Observed]) -> Memory:
    """Peak, growth and faults.

    Growth is taken between the resident sizes at the ends of the first and the last window:
    warm-up of the first level is left out, growth by more load is not.
    """
    windows = [
        window
        for seen in observed
        for window in (seen.record.engine_control, seen.record.engine_profile)
        if window is not None
    ]
    peaks = [w.peak_rss_bytes for w in windows if w.peak_rss_bytes is not None]
    growth, faults = _growth_bytes_per_s(windows), _minor_faults_per_order(observed)
    missing = {"allocations": UNSUPPORTED_ALLOCATIONS}
    if not peaks:
        missing["peak_bytes"] = NOT_WATCHED
    if growth is None:
        missing["growth_bytes_per_s"] = "it takes two windows in which the engine was watched"
    if faults is None:
        missing["minor_faults_per_order"] = NOT_WATCHED
    return Memory(
        peak_bytes=max(peaks, default=None),
        growth_bytes_per_s=growth,
        minor_faults_per_order=faults,
        allocations=None,
        not_measured=missing,
    )


def _growth_bytes_per_s(windows: Sequence[EngineWindow]) -> float | None:
    sized = [(w.end_ns, w.rss_bytes) for w in windows if w.rss_bytes is not None]
    if len(sized) < 2:  # noqa: PLR2004 - a slope takes two points
        return None
    (first_ns, first), (last_ns, last) = min(sized), max(sized)
    return (last - first) * NS_PER_S / (last_ns - first_ns) if last_ns > first_ns else None


def _minor_faults_per_order(observed: Sequence[Observed]) -> float | None:
    faults = orders = 0
    for seen in observed:
        window = seen.record.engine_control
        if window is not None and window.minor_faults is not None:
            faults += window.minor_faults
            orders += seen.control.orders.answered
    return faults / orders if orders else None
