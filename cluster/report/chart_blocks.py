"""The charts of the page: what each shows, how to read it, and the data behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

from cluster.report.budget_views import budget_result, budget_table
from cluster.report.cells import Table
from cluster.report.level_tables import (
    curve_table,
    parts_table,
    response_table,
    throughput_table,
)
from cluster.report.levels import (
    curve_levels,
    curve_result,
    is_closed,
    parts_result,
    response_result,
    throughput_result,
)
from cluster.report.time_line import TimeLine, time_line_result, time_line_table
from cluster.results.summary import LevelSummary


@dataclass(frozen=True)
class Chart:
    """A chart's heading, what it shows, how to read it, and the data behind it."""

    heading: str
    key: str  # of the figure
    result: str
    reading: str
    data: Table
    is_empty: bool


def chart_blocks(levels: Sequence[LevelSummary], line: TimeLine) -> tuple[Chart, ...]:
    """The charts in the order of the page; one without data is marked empty."""
    nothing = not levels
    return (
        Chart(
            "Throughput",
            "throughput",
            throughput_result(levels),
            "Each point is the mean over the control window, its bar reaches from the slowest to "
            "the fastest second. On the dotted line the engine answers all that is offered; below "
            "it, orders pile up. An open diamond is closed-loop: nothing was offered, so it stands "
            "at its own throughput. A cross marks a level that is not valid.",
            throughput_table(levels),
            nothing,
        ),
        Chart(
            "Response time",
            "response",
            response_result(levels),
            "Response time counts from the moment an order was due, so waiting is never forgotten. "
            "Flat lines mean that the engine has reserves; where they turn upwards, queues begin. "
            "Closed-loop points are open diamonds and say nothing of what users see.",
            response_table(levels),
            nothing,
        ),
        Chart(
            "Percentile curve",
            "curve",
            curve_result(levels),
            "Every mark to the right is ten times rarer. A curve that bends up early has a long "
            "tail; a step shows a pause that hit a fixed share of the orders. A curve ends where "
            "there are too few orders to say more." + _thinned(levels),
            curve_table(levels),
            not any(level.curve for level in levels),
        ),
        Chart(
            "Parts of the response time",
            "parts",
            parts_result(levels),
            "Send lag is the load client's own lateness, engine time is inside the engine, and "
            "what service time has beyond engine time is network and kernel. When send lag comes "
            "near response time, the client was measured rather than the engine.",
            parts_table(levels),
            not any(not is_closed(level) for level in levels),
        ),
        Chart(
            "Latency budget",
            "budget",
            budget_result(levels),
            "An order's way, leg by leg, as means: they add up, percentiles do not. Send lag and "
            "client kernel are the client's, engine queue and engine the engine's. What no clock "
            "saw is what is left; the table says how each leg is known.",
            budget_table(levels),
            not any(level.budget for level in levels),
        ),
        Chart(
            "Time line",
            "time-line",
            time_line_result(line),
            "Levels stand one after another; shading shows warm-up (grey), control (green), "
            "profile (violet) and drain. Answered should cover offered; in flight that rises "
            "within a level means that the engine falls behind."
            + (
                f" Each point covers {line.seconds_per_point} s: rates are means, response times "
                "and queues the worst second."
                if line.seconds_per_point > 1
                else ""
            ),
            time_line_table(line),
            not line.points,
        ),
    )


def _thinned(levels: Sequence[LevelSummary]) -> str:
    drawn, known = len(curve_levels(levels)), sum(bool(level.curve) for level in levels)
    return "" if drawn == known else f" Of {known} levels, {drawn} are drawn."
