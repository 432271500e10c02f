"""Puts counts and stacks of one window together."""

from collections.abc import Callable, Mapping, Sequence

from cluster.profile.aggregate import WindowStacks, fold, hot_functions
from cluster.profile.perf_stat import StatRow, counters_of
from cluster.profile.ratios import ratios_of
from cluster.profile.window import HostWindow
from cluster.results.engine import ProfileWindow


def profile_window(
    window: HostWindow,
    rows: Sequence[StatRow],
    stacks: WindowStacks | None,
    names: Mapping[str, str],
    *,
    sample_event: str,
    unavailable: Mapping[str, str],
    why_no_counters: str,
    orders: int | None,
    to_driver_ns: Callable[[int], int],
) -> ProfileWindow:
    """One window as the results hold it.

    Args:
        window: In the host's clock.
        rows: Of perf stat, of this window.
        stacks: Of perf record; None when there are none at all.
        names: Mangled → readable.
        sample_event: What was sampled; empty without samples.
        unavailable: Event → why it was not counted.
        why_no_counters: Why perf stat gave nothing, when it did; empty otherwise.
        orders: Answered in the window; None when unknown.
        to_driver_ns: From the host's clock to the driver's.
    """
    counters = counters_of(rows, unavailable)
    if why_no_counters:
        counters = [
            counter
            if counter.value is not None or counter.event in unavailable
            else counter.model_copy(update={"why": why_no_counters})
            for counter in counters
        ]
    ratios = ratios_of(counters, orders)
    return ProfileWindow(
        level=window.level,
        start_ns=to_driver_ns(window.start_ns),
        end_ns=to_driver_ns(window.end_ns),
        counters=counters,
        ratios=ratios.values,
        ratios_not_measured=ratios.not_measured,
        samples=stacks.samples if stacks else 0,
        sample_event=sample_event,
        lost_samples=stacks.lost if stacks else 0,
        hot_functions=hot_functions(stacks.on_cpu, names) if stacks else [],
        folded=fold(stacks.on_cpu, names) if stacks else {},
        off_cpu_folded=fold(stacks.off_cpu_ns, names) if stacks else {},
    )
