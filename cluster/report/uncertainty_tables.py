"""How exactly the figures are known: within a run, and between runs."""

from collections.abc import Sequence
from typing import Final

from cluster.report.cells import (
    DASH,
    Cell,
    Table,
    columns,
    count,
    duration,
    missing,
    reason_of,
    words,
)
from cluster.report.levels import level_name
from cluster.results.summary import Latency, LevelSummary, RepeatedFigure, Summary, Uncertainty
from cluster.units import format_ns, format_rate

_FIGURES: Final = {"mean": "mean", "p50": "p50", "p95": "p95", "p99": "p99", "p99.9": "p99_9"}
_OLDER: Final = "not computed: the run is older than intervals"
NO_BOUND: Final = "no bound"


def half_width(latency: Latency, name: str) -> str:
    """Half the width of a figure's interval, such as `± 4 %`; "" where there is none."""
    value: float | None = getattr(latency, name)
    interval = latency.intervals.get(name)
    if not value or interval is None:
        return ""
    if interval.high is None:
        return "or more"
    percent = (interval.high - interval.low) / 2 / value * 100
    return f"± {percent:.0f} %" if percent >= 1 else f"± {max(percent, 0.1):.1f} %"


def interval_table(levels: Sequence[LevelSummary]) -> Table:
    """Every figure of the response time with its interval and what it rests on."""
    names = ("Level", "Figure", "Value", "Low", "High", "Effective orders", "Orders")
    rows = tuple(
        _interval_row(level, shown, name)
        for level in levels
        if level.response_ns.intervals or level.response_ns.no_interval
        for shown, name in _FIGURES.items()
    )
    return Table(columns(names, words=("Level", "Figure")), rows)


def _interval_row(level: LevelSummary, shown: str, name: str) -> tuple[Cell, ...]:
    latency = level.response_ns
    interval = latency.intervals.get(name)
    value = duration(getattr(latency, name), reason_of(latency.not_measured, name))
    why = reason_of(latency.no_interval, name) or value.reason or _OLDER
    return (
        words(level_name(level)),
        words(shown),
        value,
        *_ends(interval, why),
        count(round(interval.effective_count) if interval else None, why),
        count(latency.count),
    )


def _ends(interval: Uncertainty | None, why: str) -> tuple[Cell, Cell]:
    if interval is None:
        return missing(why), missing(why)
    high = Cell(NO_BOUND, tone="bad") if interval.high is None else duration(interval.high)
    return duration(interval.low), high


def repeated_table(repeated: Sequence[RepeatedFigure]) -> Table:
    """Figures over trials, with the interval between runs."""
    names = ("Level", "Figure", "Trials", "Mean", "Low", "High", "Half-width")
    return Table(
        columns(names, words=("Level", "Figure", "Trials")),
        tuple(_repeated_row(figure) for figure in repeated),
    )


def _repeated_row(figure: RepeatedFigure) -> tuple[Cell, ...]:
    write = format_rate if "per_s" in figure.figure else format_ns
    why = figure.not_measured or "an interval between runs needs two trials at least"
    width = figure.half_width_ratio
    return (
        words("closed-loop" if figure.offered_per_s is None else format_rate(figure.offered_per_s)),
        words(figure.figure.replace("_per_s", "").replace("_ns", "").replace("_", " ")),
        words(", ".join(write(value) for value in figure.values) or DASH),
        missing(why) if figure.mean is None else Cell(write(figure.mean)),
        missing(why) if figure.low is None else Cell(write(max(figure.low, 0))),
        missing(why) if figure.high is None else Cell(write(figure.high)),
        missing(why) if width is None else Cell(f"± {width:.1%}".replace("%", " %")),
    )


def uncertainty_result(summary: Summary) -> str:
    """How exactly the p99 is known at the highest level that has one, in one sentence."""
    for level in reversed(summary.levels):
        width = half_width(level.response_ns, "p99")
        if width and level.offered_per_s is not None:
            within = "no upper bound" if width == "or more" else width
            trials = f"; {summary.trials} trials" if summary.trials > 1 else ""
            return f"p99 at {level_name(level)}: {within} within the run{trials}"
    return "No percentile has an interval"
