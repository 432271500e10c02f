"""Findings about how long a level lasted: what was waited for, and did not come."""

from cluster.analysis.finding import finding
from cluster.analysis.observed import Observed
from cluster.analysis.steady.warm_up import warm_up_end_s
from cluster.analysis.uncertainty.enough import until_reached
from cluster.results.finding import Finding, Severity
from cluster.units import format_half_width


def warm_up_over(seen: Observed) -> Finding | None:
    """The response time had settled when the control window began, at the latest allowed time.

    Before that bound it is the driver that waits; where it stopped waiting, there was no reason.
    """
    level, control = seen.record.level, seen.windows.control
    if level.warmup_at_most_s is None or level.warmup_s < level.warmup_longest_s or not control:
        return None
    intervals = [interval for agent in seen.record.agents for interval in agent.intervals]
    found = warm_up_end_s(intervals, control.stop)
    if not found.unsettled and (found.ends_s is None or found.ends_s <= level.warmup_s):
        return None
    when = (
        "had not settled when the control window ended"
        if found.ends_s is None
        else f"settled {found.ends_s:.2f} s after the start"
    )
    return finding(
        seen,
        Severity.WARNING,
        "not-warmed-up",
        f"The control window began after {level.warmup_s} s, as late as `measure.warmup_at_most_s` "
        f"allows, but the response time {when}.",
        "Allow for a longer warm-up, or lower the rate: a queue that grows never settles.",
    )


def known_well_enough(seen: Observed) -> Finding | None:
    """The percentile of `measure.until` is known as exactly as was asked for."""
    level, control = seen.record.level, seen.windows.control
    until = level.until
    if until is None or len(control) < level.control_longest_s:
        return None
    intervals = [interval for agent in seen.record.agents for interval in agent.intervals]
    found = until_reached(intervals, control, until.percent, until.half_width_ratio)
    if found.reached:
        return None
    name = until.percentile.replace("_", ".")
    width = (
        f"the interval of {name} is not known ({found.why})"
        if found.half_width_ratio is None
        else f"{name} is known to {format_half_width(found.half_width_ratio)}"
    )
    return finding(
        seen,
        Severity.WARNING,
        "interval-too-wide",
        f"After {len(control)} s, the most that `measure.until` allows, {width}; "
        f"{format_half_width(until.half_width_ratio)} was asked for.",
        "Raise `measure.until.at_most_s`, or ask for less.",
    )
