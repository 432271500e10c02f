from typing import Any

import pytest
from plotly.graph_objects import Figure as Validated

from cluster.report.axes import duration_axis, load_axis, short_number
from cluster.report.charts import (
    Figure,
    curve_figure,
    parts_figure,
    plotly_script,
    response_figure,
    throughput_figure,
    time_line_figure,
)
from cluster.report.time_line import time_line
from cluster.results.summary import LevelSummary
from fakes.summary import dead_engine_summary, sample_summary

LEVELS = sample_summary().levels
DEAD_LEVELS = dead_engine_summary().levels


def figures(levels: list[LevelSummary]) -> dict[str, Figure]:
    return {
        "throughput": throughput_figure(levels),
        "response": response_figure(levels),
        "curve": curve_figure(levels),
        "parts": parts_figure(levels),
        "time-line": time_line_figure(time_line(levels)),
    }


def traces(figure: Figure) -> dict[str, Any]:
    data = figure["data"]
    assert isinstance(data, list)
    return {trace["name"]: trace for trace in data}


@pytest.mark.parametrize("levels", [LEVELS, DEAD_LEVELS, LEVELS[-1:], LEVELS[:1], []])
def test_every_figure_is_one_that_plotly_accepts(levels: list[LevelSummary]) -> None:
    for figure in figures(levels).values():
        assert len(figure["data"]) == len(Validated(figure).data)  # type: ignore[arg-type]


def test_every_axis_names_its_quantity() -> None:
    for name, figure in figures(LEVELS).items():
        layout: Any = figure["layout"]
        axes = [key for key in layout if key.startswith(("xaxis", "yaxis"))]
        assert all(layout[axis]["title"]["text"] for axis in axes), name


def test_closed_loop_points_are_diamonds_apart_from_the_line() -> None:
    closed = traces(throughput_figure(LEVELS))["closed-loop (nothing was offered)"]

    assert ([412_300.0], [412_300.0]) == (closed["x"], closed["y"])
    assert ["diamond-open"] == closed["marker"]["symbol"]
    assert closed["mode"] == "markers"


def test_throughput_bars_reach_from_the_slowest_to_the_fastest_second() -> None:
    bars = traces(throughput_figure(LEVELS))["open-loop"]["error_y"]

    assert [62, 310, 620, 1_240] == [round(v) for v in bars["array"]]
    assert [68, 340, 680, 1_360] == [round(v) for v in bars["arrayminus"]]


def test_a_level_that_is_not_valid_is_a_cross() -> None:
    symbols = traces(throughput_figure(DEAD_LEVELS))["open-loop"]["marker"]["symbol"]

    assert ["circle", "circle", "x-thin"] == symbols


def test_what_was_not_measured_is_a_gap_and_never_zero() -> None:
    assert [77_500, 119_000, None] == traces(response_figure(DEAD_LEVELS))["p99"]["y"]


def test_the_percentile_axis_gives_every_nine_the_same_room() -> None:
    curve = traces(curve_figure(LEVELS))["200,000/s"]

    by_percentile = dict(zip([0, 25, 50, 75, 90, 95, 99], curve["x"], strict=False))
    assert pytest.approx({0: 1, 25: 4 / 3, 50: 2, 75: 4, 90: 10, 95: 20, 99: 100}) == by_percentile


def test_closed_loop_curves_are_dashed() -> None:
    curves = traces(curve_figure(LEVELS))

    assert curves["closed-loop (1,024)"]["line"]["dash"] == "dash"
    assert curves["10,000/s"]["line"]["dash"] == "solid"


def test_the_time_line_breaks_between_levels_and_shades_every_window() -> None:
    line = time_line(LEVELS)
    figure = time_line_figure(line)
    layout: Any = figure["layout"]

    answered = traces(figure)["answered"]
    assert len(line.points) + len(LEVELS) - 1 == len(answered["x"])
    assert len(LEVELS) - 1 == answered["x"].count(None)
    assert [(s.start_s, s.end_s) for s in line.spans] == [
        (shape["x0"], shape["x1"]) for shape in layout["shapes"]
    ]


def test_durations_are_ticked_in_their_own_units() -> None:
    axis = duration_axis([20_000, 3_000_000_000], "response time")

    assert ["100 µs", "1 ms", "10 ms", "100 ms", "1 s"] == axis["ticktext"]


def test_near_durations_keep_an_axis_of_a_decade() -> None:
    low, high = duration_axis([100_000, 101_000], "response time")["range"]  # type: ignore[misc]

    assert high - low > 1  # type: ignore[has-type]


def test_levels_of_similar_load_are_on_a_linear_axis() -> None:
    assert "type" not in load_axis([100_000, 200_000], "offered load")
    assert load_axis([10_000, 200_000], "offered load")["type"] == "log"


def test_rates_are_written_short() -> None:
    assert ["500", "20k", "1.5M"] == [short_number(v) for v in (500, 20_000, 1_500_000)]


def test_plotly_can_be_inlined() -> None:
    script = plotly_script()

    assert "</script" not in script.lower()
    assert "newPlot" in script
