"""The whole run second by second: levels one after another, with their windows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from cluster.report.cells import Table, columns, count, duration, missing, rate, words
from cluster.report.levels import is_closed, level_name
from cluster.results.summary import LevelSummary, Second
from cluster.units import format_ns

POINTS_MAX: Final = 1_500  # beyond, several seconds share a point, or the page would not open


@dataclass(frozen=True)
class Point:
    """One second, or a few, of one level: rates are means, durations and queues the worst."""

    level: str
    phase: str
    time_s: float
    length_s: int
    offered_per_s: float | None  # None: closed-loop
    answered_per_s: float
    response_p50_ns: int | None
    response_p99_ns: int | None
    in_flight: int
    backlog: int


@dataclass(frozen=True)
class Span:
    """One window of one level."""

    level: str
    phase: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class TimeLine:
    """Points and windows over the seconds of load; pauses between levels are left out."""

    points: tuple[Point, ...]
    spans: tuple[Span, ...]
    seconds_per_point: int


def time_line(levels: Sequence[LevelSummary], points_max: int = POINTS_MAX) -> TimeLine:
    """Lay the levels' seconds one after another.

    Long runs are thinned: a point then stands for several seconds of one window, with the worst
    second's percentiles, since percentiles can't be averaged.
    """
    total = sum(len(level.seconds) for level in levels)
    per_point = max(1, -(-total // points_max))
    points: list[Point] = []
    spans: list[Span] = []
    time_s = 0.0
    for level in levels:
        for phase, group in groupby(level.seconds, key=lambda second: second.phase):
            seconds = list(group)
            spans.append(Span(level_name(level), phase, time_s, time_s + len(seconds)))
            points += [
                _point(level, time_s + i, seconds[i : i + per_point])
                for i in range(0, len(seconds), per_point)
            ]
            time_s += len(seconds)
    return TimeLine(tuple(points), tuple(spans), per_point)


def _point(level: LevelSummary, time_s: float, seconds: Sequence[Second]) -> Point:
    length = len(seconds)
    offered = sum(second.offered for second in seconds) / length
    return Point(
        level=level_name(level),
        phase=seconds[0].phase,
        time_s=time_s,
        length_s=length,
        offered_per_s=None if is_closed(level) else offered,
        answered_per_s=sum(second.answered for second in seconds) / length,
        response_p50_ns=_worst(second.response_p50_ns for second in seconds),
        response_p99_ns=_worst(second.response_p99_ns for second in seconds),
        in_flight=max(second.in_flight for second in seconds),
        backlog=max(second.backlog for second in seconds),
    )


def _worst(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def time_line_result(line: TimeLine) -> str:
    """What the time line shows, in one sentence."""
    measured = [
        (point.response_p99_ns, point)
        for point in line.points
        if point.phase == "control"
        and point.offered_per_s is not None
        and point.response_p99_ns is not None
    ]
    if not measured:
        return "No second of an open-loop control window was measured"
    worst_ns, worst = max(measured, key=lambda pair: pair[0])
    return (
        f"The slowest second of the control windows had a p99 of {format_ns(worst_ns)}, "
        f"{worst.time_s:.0f} s into the load, at {worst.level}"
    )


def time_line_table(line: TimeLine) -> Table:
    """The data behind the time line."""
    names = (
        "Time",
        "Level",
        "Window",
        "Offered load",
        "Answered",
        "p50",
        "p99",
        "In flight",
        "Backlog",
    )
    rows = tuple(
        (
            words(f"{point.time_s:.0f}"),
            words(point.level),
            words(point.phase),
            missing("closed-loop: nothing was offered")
            if point.offered_per_s is None
            else rate(point.offered_per_s),
            rate(point.answered_per_s),
            duration(point.response_p50_ns, "too few orders were due in this second"),
            duration(point.response_p99_ns, "too few orders were due in this second"),
            count(point.in_flight),
            count(point.backlog),
        )
        for point in line.points
    )
    return Table(columns(names, words=("Level", "Window")), rows)
