"""The flame graph: static as SVG, interactive as HTML. Our own drawing, nothing to load.

Width is share of the unit (samples, or ns off the CPU), callers stand below callees, and siblings
are in the order of their names: from left to right is not time.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Final

from cluster.report.flame_tree import Frame, layout
from cluster.report.foreign import visible
from cluster.report.frames import Kind, frame_colour, legend_colour, short_name
from cluster.units import format_ns

_SVG_WIDTH: Final = 1200
_ROW: Final = 18
_MARGIN: Final = 12
_HEADER: Final = 44
_CHARACTER_WIDTH: Final = 6.7  # of the 11 px monospace face, a little generous
_NO_STACKS: Final = "No stacks were sampled."


def flamegraph_svg(folded: Mapping[str, int], *, title: str, unit: str) -> str:
    """Draw folded stacks as a static SVG with a tooltip on every frame.

    Args:
        folded: stacks "root;…;leaf" → amount of `unit`.
        title: one line above the graph.
        unit: "samples" or "ns".
    """
    frames = layout(folded)
    depth = max((frame.depth for frame in frames), default=0)
    height = _HEADER + (depth + 1) * _ROW + _MARGIN
    boxes = "\n".join(_svg_frame(frame, frames[0], height, unit) for frame in frames)
    nothing = "" if frames else f'<text x="{_MARGIN}" y="{_HEADER}">{_NO_STACKS}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SVG_WIDTH} {height}" '
        f'width="100%" role="img" aria-label="{_xml_text(title)}">\n'
        "<style>text { font: 11px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; "
        "fill: #1c1b1a } .title { font: 600 15px system-ui, 'DejaVu Sans', sans-serif } "
        "g:hover rect { stroke: #000 }</style>\n"
        f'<rect width="{_SVG_WIDTH}" height="{height}" fill="#fff"/>\n'
        f'<text class="title" x="{_MARGIN}" y="26">{_xml_text(title)}</text>\n'
        f"{nothing}{boxes}\n</svg>\n"
    )


def _svg_frame(frame: Frame, root: Frame, height: int, unit: str) -> str:
    scale = (_SVG_WIDTH - 2 * _MARGIN) / root.total
    x = _MARGIN + frame.start * scale
    y = height - _MARGIN - (frame.depth + 1) * _ROW
    width = frame.total * scale
    text = _fitting(short_name(frame.name), width)
    label = f'<text x="{x + 3:.1f}" y="{y + 12.5:.1f}">{_xml_text(text)}</text>' if text else ""
    return (
        f"<g><title>{_xml_text(_tooltip(frame, root, unit))}</title>"
        f'<rect x="{x:.2f}" y="{y}" width="{max(width - 0.5, 0.3):.2f}" height="{_ROW - 1}" '
        f'rx="1.5" fill="{frame_colour(frame.name, frame.kind)}"/>{label}</g>'
    )


def _xml_text(text: str) -> str:
    """Text for an XML document, which may not hold control characters even when escaped."""
    return escape(
        "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
    )


def _fitting(text: str, width: float) -> str:
    room = int((width - 6) / _CHARACTER_WIDTH)
    if room < 3:  # noqa: PLR2004 - two letters and an ellipsis tell nobody anything
        return ""
    return text if len(text) <= room else text[: room - 1] + "…"


def _tooltip(frame: Frame, root: Frame, unit: str) -> str:
    return (
        f"{frame.name}\n"
        f"total {format_amount(frame.total, unit)} ({frame.total / root.total:.2%}), "
        f"self {format_amount(frame.own, unit)} ({frame.own / root.total:.2%})"
    )


def format_amount(value: int, unit: str) -> str:
    """Write an amount of the graph's unit."""
    return format_ns(value) if unit == "ns" else f"{value:,} {unit}"


def flamegraph_html(folded: Mapping[str, int], *, title: str, unit: str) -> str:
    """The interactive flame graph as a page of its own that loads nothing."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n"
        f"<style>\n{asset('flamegraph_page.css')}{flamegraph_style()}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n"
        f"{flamegraph_fragment(folded, label=title, unit=unit)}"
        f"<script>\n{flamegraph_script()}</script>\n</body>\n</html>\n"
    )


def flamegraph_fragment(folded: Mapping[str, int], *, label: str, unit: str) -> str:
    """The interactive flame graph as markup for a page.

    The page needs `flamegraph_style` and, behind the last fragment, `flamegraph_script` once.
    """
    frames = layout(folded)
    if not frames:
        return f"<p>{_NO_STACKS}</p>\n"
    keys = "Arrow keys move, Enter zooms, Escape resets, / searches."
    return (
        '<div class="flame">\n<div class="flame-bar">\n'
        '<input class="flame-search" type="search" placeholder="Search (regular expression)" '
        'aria-label="Search functions by regular expression">\n'
        '<button class="flame-reset" type="button" disabled>Reset</button>\n'
        '<span class="flame-found" role="status"></span>\n</div>\n'
        '<div class="flame-details" aria-live="polite"></div>\n'
        f'<div class="flame-stage" tabindex="0" role="application" '
        f'aria-label="{escape(label)}. {keys}"></div>\n'
        f"{_legend(frames)}"
        f'<script type="application/json">{_data(frames, unit)}</script>\n</div>\n'
    )


def _legend(frames: Sequence[Frame]) -> str:
    kinds = {frame.kind for frame in frames[1:]}
    entries = "".join(
        f'<li><i style="background-color:{legend_colour(kind)}"></i>{kind.value}</li>'
        for kind in Kind
        if kind in kinds
    )
    return f'<ul class="flame-legend">{entries}</ul>\n'


def _data(frames: Sequence[Frame], unit: str) -> str:
    """The frames as JSON that can't end its script element: names come from the engine's host."""
    index: dict[tuple[str, Kind], int] = {}
    for frame in frames:
        index.setdefault((frame.name, frame.kind), len(index))
    names = [
        {
            "whole": visible(name),
            "short": visible(short_name(name)),
            "kind": kind.value,
            "colour": frame_colour(name, kind),
        }
        for name, kind in index
    ]
    boxes = [[f.depth, f.start, f.total, f.own, index[f.name, f.kind]] for f in frames]
    return script_json({"unit": unit, "names": names, "frames": boxes})


def script_json(data: object) -> str:
    """JSON for inside a script element: no `<`, `>` or `&` that a browser could act on."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def flamegraph_style() -> str:
    """The style sheet of the interactive graph."""
    return asset("flamegraph.css")


def flamegraph_script() -> str:
    """The program of the interactive graph; it brings every fragment of the page to life."""
    return asset("flamegraph.js")


def asset(name: str) -> str:
    """A file of the templates folder, as text."""
    return (files("cluster.report") / "templates" / name).read_text(encoding="utf-8")
