"""Where an axis has its ticks, and how they are written. Pure arithmetic."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from cluster.units import format_ns

_LOG_FROM_RATIO: Final = 8  # a wider range hides its low end on a linear axis
_SUBDIVIDED_DECADES: Final = 2.2
_SUBDIVIDED: Final = (1, 2, 5)

Axis = dict[str, object]


def duration_axis(values_ns: Iterable[float | None], title: str) -> Axis:
    """A logarithmic axis of durations in ns, with ticks such as 10 µs."""
    low, high = _bounds(values_ns, (1_000, 1_000_000))
    # An axis over less than a decade would make noise look like a trend.
    middle = math.sqrt(low * high)
    low, high = min(low, middle / 3.2), max(high, middle * 3.2)
    ticks = _log_ticks(low, high)
    return {
        "title": {"text": title},
        "type": "log",
        "range": [math.log10(low) - 0.12, math.log10(high) + 0.15],
        "tickvals": ticks,
        "ticktext": [format_ns(tick) for tick in ticks],
    }


def load_axis(values_per_s: Iterable[float | None], title: str) -> Axis:
    """An axis of rates: logarithmic when the levels differ much, linear from 0 otherwise."""
    known = [value for value in values_per_s if value]
    low, high = _bounds(known, (1_000, 100_000))
    if high / low < _LOG_FROM_RATIO:
        return {"title": {"text": title}, "rangemode": "tozero", "tickformat": "~s"}
    ticks = _log_ticks(low, high)
    return {
        "title": {"text": title},
        "type": "log",
        "range": [math.log10(low) - 0.12, math.log10(high) + 0.12],
        "tickvals": ticks,
        "ticktext": [short_number(tick) for tick in ticks],
    }


def short_number(value: float) -> str:
    """Write 20000 as 20k."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _bounds(values: Iterable[float | None], default: tuple[float, float]) -> tuple[float, float]:
    known = [value for value in values if value]
    return (min(known), max(known)) if known else default


def _log_ticks(low: float, high: float) -> Sequence[float]:
    decades = math.log10(high / low)
    steps = _SUBDIVIDED if decades < _SUBDIVIDED_DECADES else (1,)
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    ticks = [step * 10.0**power for power in powers for step in steps]
    return [tick for tick in ticks if low / 1.35 <= tick <= high * 1.35]
