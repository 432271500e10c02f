"""Charts as plotly figures, in plain data: no colour of text or page, those follow the theme.

The only module that imports plotly, and only to inline plotly.js: a figure is a dict, as
plotly.js reads it.
"""

import math
from collections.abc import Sequence
from typing import Final

from plotly.offline import get_plotlyjs

from cluster.report.axes import Axis, duration_axis, load_axis
from cluster.report.budget_views import budget_height_px, budget_traces
from cluster.report.cells import DASH
from cluster.report.levels import curve_levels, is_closed, level_name, load_per_s
from cluster.report.time_line import Point, TimeLine
from cluster.results.summary import LevelSummary
from cluster.units import format_ns, format_rate

Figure = dict[str, object]
Trace = dict[str, object]

# Mid-tones that can be told apart on white and on near-black, also with colour blindness.
_BLUE, _ORANGE, _RED = "#3d85c6", "#e08a2e", "#cf4b4b"
_GREEN, _PURPLE, _GREY = "#3a9d78", "#8a6bd1", "#8b9099"
_PHASE_FILL: Final = {
    "warm-up": "rgba(139,144,153,0.20)",
    "control": "rgba(58,157,120,0.13)",
    "profile": "rgba(138,107,209,0.16)",
    "drain": "rgba(139,144,153,0.10)",
}
_PERCENTILE_STYLE: Final = {
    "p50": ("p50", _GREEN),
    "p99": ("p99", _BLUE),
    "p99_9": ("p99.9", _ORANGE),
    "max": ("max", _RED),
}
_PART_STYLE: Final = {
    "response_ns": ("response time", _BLUE),
    "service_ns": ("service time", _GREEN),
    "engine_ns": ("engine time", _ORANGE),
    "send_lag_ns": ("send lag", _RED),
}
_CURVE_TICKS: Final = (0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999)
# From blue to red over green and orange, as many steps as there are levels.
_LEVEL_HUES: Final = (215, 5)
_LEVEL_MARKS_MAX: Final = 8  # more names than that would overlap


def plotly_script() -> str:
    """plotly.js itself, to be inlined once."""
    script: str = get_plotlyjs()
    return script.replace("</script", "<\\/script")


def throughput_figure(levels: Sequence[LevelSummary]) -> Figure:
    """Throughput over offered load, with the line where both are equal."""
    opened = [level for level in levels if not is_closed(level)]
    closed = [level for level in levels if is_closed(level)]
    loads = [load for load in map(load_per_s, levels) if load]
    traces: list[Trace] = []
    if loads:
        ends = [min(loads), max(loads)]
        traces.append(_line("all that was offered", ends, ends, _GREY, dash="dot"))
    for name, group, colour, symbol in (
        ("open-loop", opened, _BLUE, "circle"),
        ("closed-loop (nothing was offered)", closed, _PURPLE, "diamond-open"),
    ):
        if group:
            traces.append(_throughput_trace(name, group, colour, symbol))
    return _figure(
        traces,
        load_axis(loads, "offered load, orders/s"),
        load_axis(loads, "throughput, orders/s"),
    )


def _throughput_trace(name: str, levels: Sequence[LevelSummary], colour: str, symbol: str) -> Trace:
    through = [level.throughput_per_s for level in levels]
    trace = _markers(name, levels, [t.mean for t in through], colour, symbol)
    trace["error_y"] = {
        "type": "data",
        "symmetric": False,
        "array": [_gap(t.max, t.mean) for t in through],
        "arrayminus": [_gap(t.mean, t.min) for t in through],
        "color": colour,
        "thickness": 1.2,
    }
    trace["text"] = [
        f"{level_name(level)}: {_or_dash(t.mean)} (seconds from {_or_dash(t.min)} to "
        f"{_or_dash(t.max)})"
        for level, t in zip(levels, through, strict=True)
    ]
    return trace


def _gap(high: float | None, low: float | None) -> float:
    return high - low if high is not None and low is not None else 0.0


def _or_dash(value_per_s: float | None) -> str:
    return DASH if value_per_s is None else format_rate(value_per_s)


def response_figure(levels: Sequence[LevelSummary]) -> Figure:
    """Response time percentiles over offered load; closed-loop levels as open diamonds."""
    traces, drawn = [], []
    for field, (name, colour) in _PERCENTILE_STYLE.items():
        for group, symbol in _grouped(levels):
            values = [getattr(level.response_ns, field) for level in group]
            drawn += values
            is_open = symbol == "circle"
            trace = _markers(
                name if is_open else f"{name}, closed-loop", group, values, colour, symbol
            )
            trace["text"] = _value_texts(name, group, values)
            trace["showlegend"] = is_open or len(_grouped(levels)) == 1
            traces.append(trace)
    return _figure(
        traces,
        load_axis(map(load_per_s, levels), "offered load, orders/s"),
        duration_axis(drawn, "response time"),
    )


def parts_figure(levels: Sequence[LevelSummary]) -> Figure:
    """The p99 of response time, service time, engine time and send lag over offered load."""
    traces, drawn = [], []
    opened = [level for level in levels if not is_closed(level)]
    for field, (name, colour) in _PART_STYLE.items():
        values = [getattr(level, field).p99 for level in opened]
        drawn += values
        trace = _markers(f"{name} p99", opened, values, colour, "circle")
        trace["text"] = _value_texts(f"{name} p99", opened, values)
        if field == "response_ns":
            # Service time often lies right on it: the broad line stays visible below.
            trace["line"] = {"color": colour, "width": 9}
            trace["opacity"] = 0.45
        traces.append(trace)
    return _figure(
        traces,
        load_axis(map(load_per_s, opened), "offered load, orders/s"),
        duration_axis(drawn, "p99"),
    )


def budget_figure(levels: Sequence[LevelSummary]) -> Figure:
    """Where the mean response time goes: a stacked bar per level, in per cent."""
    return _figure(
        budget_traces(levels),
        {"title": {"text": "% of the mean response time"}, "range": [0, 100]},
        {"title": {"text": ""}, "type": "category", "autorange": "reversed"},
        height=budget_height_px(levels),
        barmode="stack",
    )


def _grouped(levels: Sequence[LevelSummary]) -> list[tuple[list[LevelSummary], str]]:
    opened = [level for level in levels if not is_closed(level)]
    closed = [level for level in levels if is_closed(level)]
    return [(group, s) for group, s in ((opened, "circle"), (closed, "diamond-open")) if group]


def _value_texts(
    name: str, levels: Sequence[LevelSummary], values: Sequence[float | None]
) -> list[str]:
    return [
        f"{level_name(level)}: {name} {DASH if value is None else format_ns(value)}"
        for level, value in zip(levels, values, strict=True)
    ]


def curve_figure(levels: Sequence[LevelSummary]) -> Figure:
    """Response time over percentile; every further nine has the same room."""
    shown = curve_levels(levels)
    traces, drawn = [], []
    for i, level in enumerate(shown):
        points = [point for point in level.curve if point.percentile < 100]  # noqa: PLR2004
        values = [point.value_ns for point in points]
        drawn += values
        trace = _line(
            level_name(level),
            [100 / (100 - point.percentile) for point in points],
            values,
            _level_colour(i, len(shown)),
            dash="dash" if is_closed(level) else "solid",
        )
        trace["text"] = [
            f"{level_name(level)}: p{point.percentile:g} {format_ns(point.value_ns)}"
            for point in points
        ]
        trace["hovertemplate"] = "%{text}<extra></extra>"
        traces.append(trace)
    deepest = max((max(trace_x(trace), default=1) for trace in traces), default=100)
    ticks = [tick for tick in _CURVE_TICKS if 100 / (100 - tick) <= deepest * 1.05]
    x_axis: Axis = {
        "title": {"text": "percentile of orders"},
        "type": "log",
        "tickvals": [100 / (100 - tick) for tick in ticks],
        "ticktext": [f"{tick:g} %" for tick in ticks],
        "range": [0, math.log10(deepest) + 0.12],
    }
    return _figure(traces, x_axis, duration_axis(drawn, "response time"))


def trace_x(trace: Trace) -> list[float]:
    """The x values of a trace."""
    x = trace["x"]
    return [float(value) for value in x] if isinstance(x, list) else []


def _level_colour(index: int, levels: int) -> str:
    start, end = _LEVEL_HUES
    hue = start + (end - start) * (index / max(levels - 1, 1))
    return f"hsl({hue:.0f},55%,52%)"


def time_line_figure(line: TimeLine) -> Figure:
    """Three panels over the same seconds: rates, response time, orders in flight."""
    points = _with_gaps(line)
    x = [None if p is None else p.time_s + p.length_s / 2 for p in points]
    p99 = [p.response_p99_ns if p else None for p in points]
    p50 = [p.response_p50_ns if p else None for p in points]
    panels = (
        ("offered", [p.offered_per_s if p else None for p in points], _GREY, "y"),
        ("answered", [p.answered_per_s if p else None for p in points], _BLUE, "y"),
        ("response p50", p50, _GREEN, "y2"),
        ("response p99", p99, _ORANGE, "y2"),
        ("in flight", [p.in_flight if p else None for p in points], _PURPLE, "y3"),
        ("backlog", [p.backlog if p else None for p in points], _RED, "y3"),
    )
    traces = []
    for name, values, colour, y_axis in panels:
        trace = _line(name, x, values, colour, shape="hvh", y_axis=y_axis)
        trace["text"] = [
            DASH if v is None else format_ns(v) if y_axis == "y2" else f"{v:,.0f}" for v in values
        ]
        trace["hovertemplate"] = f"{name} %{{text}}<extra></extra>"
        traces.append(trace)
    traces[0]["line"] = {"color": _GREY, "width": 5, "shape": "hvh"}
    end_s = line.spans[-1].end_s if line.spans else 1
    x_axis: Axis = {"title": {"text": "seconds of load"}, "anchor": "y3", "range": [0, end_s]}
    figure = _figure(
        traces,
        x_axis,
        load_axis(_control_rates(line), "orders/s"),
        height=620,
        yaxis2=duration_axis([*p50, *p99], "response time"),
        yaxis3={"title": {"text": "orders"}, "rangemode": "tozero", "tickformat": "~s"},
        shapes=_phase_shapes(line),
        annotations=_level_marks(line),
        hovermode="x unified",
        legend={"orientation": "h", "x": 0, "y": -0.12, "yanchor": "top", "xanchor": "left"},
    )
    layout = figure["layout"]
    assert isinstance(layout, dict)  # noqa: S101 - for the type checker: built a line above
    for axis, domain in (("yaxis", [0.70, 1]), ("yaxis2", [0.35, 0.65]), ("yaxis3", [0, 0.30])):
        layout[axis]["domain"] = domain
    return figure


def _control_rates(line: TimeLine) -> list[float | None]:
    measured = [point for point in line.points if point.phase == "control"]
    return [rate for p in measured for rate in (p.offered_per_s, p.answered_per_s)]


def _with_gaps(line: TimeLine) -> list[Point | None]:
    """The points with a gap before every level, so that lines do not join two levels."""
    points: list[Point | None] = []
    for point in line.points:
        before = points[-1] if points else None
        if before is not None and before.level != point.level:
            points.append(None)
        points.append(point)
    return points


def _phase_shapes(line: TimeLine) -> list[dict[str, object]]:
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": span.start_s,
            "x1": span.end_s,
            "y0": 0,
            "y1": 1,
            "line": {"width": 0},
            "fillcolor": _PHASE_FILL[span.phase],
            "layer": "below",
        }
        for span in line.spans
    ]


def _level_marks(line: TimeLine) -> list[dict[str, object]]:
    starts: dict[str, float] = {}
    for span in line.spans:
        starts.setdefault(span.level, span.start_s)
    every = -(-len(starts) // _LEVEL_MARKS_MAX) or 1
    return [
        {
            "text": level.split(" (")[0],
            "x": start,
            "y": 1,
            "xref": "x",
            "yref": "paper",
            "xanchor": "left",
            "yanchor": "bottom",
            "showarrow": False,
            "font": {"size": 11},
        }
        for level, start in list(starts.items())[::every]
    ]


def _line(
    name: str,
    x: Sequence[float | None],
    y: Sequence[float | None],
    colour: str,
    *,
    dash: str = "solid",
    shape: str = "linear",
    y_axis: str = "y",
) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(x),
        "y": list(y),
        "yaxis": y_axis,
        "line": {"color": colour, "width": 2, "dash": dash, "shape": shape},
    }


def _markers(
    name: str,
    levels: Sequence[LevelSummary],
    values: Sequence[float | None],
    colour: str,
    symbol: str,
) -> Trace:
    """Points over the load; levels that are not valid get a cross."""
    return {
        "type": "scatter",
        "mode": "markers" if symbol.endswith("open") else "lines+markers",
        "name": name,
        "x": [load_per_s(level) for level in levels],
        "y": list(values),
        "marker": {
            "color": colour,
            "size": 10,
            "line": {"color": colour, "width": 2},
            "symbol": [symbol if level.valid else "x-thin" for level in levels],
        },
        "line": {"color": colour, "width": 2},
        "cliponaxis": False,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _figure(
    traces: Sequence[Trace], x_axis: Axis, y_axis: Axis, *, height: int = 400, **more: object
) -> Figure:
    axes = {"xaxis": x_axis, "yaxis": y_axis}
    axes |= {
        name: axis
        for name, axis in more.items()
        if name.startswith("yaxis") and isinstance(axis, dict)
    }
    rest = {name: value for name, value in more.items() if name not in axes}
    layout = {
        "height": height,
        "margin": {"l": 74, "r": 18, "t": 48, "b": 56},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "xanchor": "left"},
        **{name: _dressed(axis) for name, axis in axes.items()},
        **rest,
    }
    return {"data": list(traces), "layout": layout}


def _dressed(axis: Axis) -> Axis:
    title = axis["title"]
    assert isinstance(title, dict)  # noqa: S101 - for the type checker: every axis has a title
    return {**_AXIS, **axis, "title": {**title, "font": {"size": 12.5}, "standoff": 10}}


_AXIS: Final = {
    "gridcolor": "rgba(139,144,153,0.22)",
    "linecolor": "rgba(139,144,153,0.6)",
    "zeroline": False,
    "automargin": True,
    "ticks": "outside",
    "tickcolor": "rgba(139,144,153,0.6)",
    "ticklen": 4,
    "fixedrange": False,
}
