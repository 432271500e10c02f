"""The latency budget: where the mean response time goes, as bars and as a table."""

from collections.abc import Sequence
from typing import Final

from cluster.report.cells import Cell, Table, columns, duration, missing, ratio, words
from cluster.report.levels import level_name
from cluster.results.summary import BudgetPart, LevelSummary
from cluster.units import format_ns

# In the order of an order's way. Clients blue, network green, engine orange, unknown grey.
COLOURS: Final = {
    "send lag": "#274f7a",
    "client kernel, out": "#3d85c6",
    "network": "#3a9d78",
    "engine queue": "#e3b04b",
    "engine": "#e08a2e",
    "client kernel, in": "#7fb2df",
    "rest": "#8b9099",
}
_BAR_PX: Final = 46
_MARGIN_PX: Final = 150


def budget_table(levels: Sequence[LevelSummary]) -> Table:
    """Every leg of every level: its mean, its share, and how that is known."""
    names = ("Level", "Leg", "Mean", "Share", "Known", "How")
    rows = tuple(_row(level, part) for level in levels for part in level.budget)
    return Table(columns(names, words=("Level", "Leg", "Known", "How")), rows)


def _row(level: LevelSummary, part: BudgetPart) -> tuple[Cell, ...]:
    unknown = part.mean_ns is None
    return (
        words(level_name(level)),
        words(part.part),
        missing(f"{part.part}: {part.how}") if unknown else duration(part.mean_ns),
        missing(f"{part.part}: {part.how}") if unknown else ratio(part.share),
        words(part.known),
        words(part.how),
    )


def budget_result(levels: Sequence[LevelSummary]) -> str:
    """The longest leg at the highest open-loop level, in one sentence."""
    for level in reversed([v for v in levels if v.budget and v.offered_per_s is not None]):
        longest = max(level.budget, key=lambda part: part.mean_ns or 0)
        if longest.mean_ns is not None and longest.share is not None:
            return (
                f"At {level_name(level)} the longest leg of the mean response time is "
                f"{longest.part}: {format_ns(longest.mean_ns)}, {longest.share:.0%} of it"
            ).replace("%", " %")
    return "No level has a latency budget"


def budget_traces(levels: Sequence[LevelSummary]) -> list[dict[str, object]]:
    """One stacked bar per level, in shares of its mean response time."""
    shown = [level for level in levels if level.budget]
    names = [level_name(level) for level in shown]
    return [
        {
            "type": "bar",
            "orientation": "h",
            "name": leg,
            "y": names,
            "x": [_share(level, leg) for level in shown],
            "text": [_text(level, leg) for level in shown],
            "textposition": "none",
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {"color": colour},
        }
        for leg, colour in COLOURS.items()
        if any(_share(level, leg) for level in shown)
    ]


def budget_height_px(levels: Sequence[LevelSummary]) -> int:
    """So high that every bar has room."""
    return _MARGIN_PX + _BAR_PX * sum(bool(level.budget) for level in levels)


def _part(level: LevelSummary, leg: str) -> BudgetPart | None:
    return next((part for part in level.budget if part.part == leg), None)


def _share(level: LevelSummary, leg: str) -> float | None:
    part = _part(level, leg)
    return part.share * 100 if part is not None and part.share is not None else None


def _text(level: LevelSummary, leg: str) -> str:
    part = _part(level, leg)
    if part is None or part.mean_ns is None:
        return ""
    return f"{level_name(level)}: {leg} {format_ns(part.mean_ns)} ({part.known})"
