"""How a run was measured, in sentences."""

from typing import Final

from cluster.report.levels import is_closed
from cluster.results.summary import Summary

_SOURCES: Final = {
    "reference": "loadcluster's own reference engine, started for this run",
    "command": "an engine started by the experiment's command",
    "running": "an engine that was running already",
}
_WINDOWS: Final = (
    "Figures come from the control window of each level, in which no profiler ran; the profile "
    "window follows it at the same load."
)
_TIMES: Final = (
    "Each order carries three times: intended, sent and received. Durations are kept in "
    "histograms of three significant digits and merged over workers and agents, count by count; "
    "percentiles are never averaged."
)
_SUPPORT: Final = "A percentile that rests on too few orders is left out."


def method(summary: Summary) -> tuple[str, ...]:
    """What the reader must know of how this was measured."""
    engine = summary.engine
    target = f"The target was {_SOURCES[engine.source]}: {engine.process}, at {engine.address}."
    return (target, *_load(summary), _WINDOWS, _TIMES, _SUPPORT)


def _load(summary: Summary) -> list[str]:
    levels = summary.levels
    arrivals = sorted(
        {level.arrivals_in_words or level.arrivals for level in levels if not is_closed(level)}
    )
    sentences = []
    if arrivals:
        sentences.append(
            f"Open-loop load with {' and '.join(arrivals)} arrivals: orders were sent when due; "
            "late ones kept the time they were due."
        )
    if any(is_closed(level) for level in levels):
        sentences.append(
            "The maximum is closed-loop: a fixed number of orders is kept in flight, so its "
            "response times follow from that number and say nothing of users."
        )
    return sentences
