"""Several trials of the same level: what differs from run to run, which no single run can tell."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final

import numpy as np

from cluster.analysis.uncertainty.intervals import student_t_975
from cluster.results.finding import Finding, Severity
from cluster.results.summary import Latency, LevelSummary, RepeatedFigure
from cluster.units import format_ns, format_rate

# Trials differ when the intervals within them are apart and the figure is so much higher.
DIFFERS_RATIO: Final = 1.1


@dataclass(frozen=True)
class _Figure:
    name: str
    of: Callable[[LevelSummary], float | None]
    why: Callable[[LevelSummary], str]  # there is none


def _percentile(name: str) -> _Figure:
    return _Figure(
        f"response {name.replace('_', '.')}",
        lambda level: getattr(level.response_ns, name),
        lambda level: level.response_ns.not_measured.get(name, "not measured"),
    )


FIGURES: Final = (
    _Figure(
        "throughput_per_s",
        lambda level: level.throughput_per_s.mean,
        lambda level: level.throughput_per_s.not_measured.get("mean", "not measured"),
    ),
    *map(_percentile, ("p50", "p99", "p99_9")),
)


def trials_of(levels: Sequence[LevelSummary]) -> list[list[LevelSummary]]:
    """Levels that were run more than once with the same load and clients, each in its trials."""
    same: dict[object, list[LevelSummary]] = {}
    seen: Counter[object] = Counter()
    for level in levels:
        if level.clients == "planned":
            load = level.arrivals, level.offered_per_s, level.in_flight, level.speed
            # A load that stands twice in one trial is two levels.
            same.setdefault((load, seen[load, level.trial]), []).append(level)
            seen[load, level.trial] += 1
    return [trials for trials in same.values() if len(trials) > 1]


def repeated_figures(levels: Sequence[LevelSummary]) -> list[RepeatedFigure]:
    """Throughput and response percentiles of repeated levels, with the interval between runs."""
    return [_repeated(trials, figure) for trials in trials_of(levels) for figure in FIGURES]


def _repeated(trials: Sequence[LevelSummary], figure: _Figure) -> RepeatedFigure:
    values = [figure.of(level) for level in trials]
    known = [float(value) for value in values if value is not None]
    offered = trials[0].offered_per_s
    if len(known) < len(trials):
        # The mean of the rest would be that of the runs in which it was good.
        without = trials[values.index(None)]
        why = f"trial {without.trial + 1} has none: {figure.why(without)}"
        return RepeatedFigure(
            offered_per_s=offered,
            figure=figure.name,
            values=known,
            mean=None,
            low=None,
            high=None,
            half_width_ratio=None,
            not_measured=why,
        )
    mean, half = between_runs(known)
    return RepeatedFigure(
        offered_per_s=offered,
        figure=figure.name,
        values=known,
        mean=mean,
        low=max(0.0, mean - half),
        high=mean + half,
        half_width_ratio=half / mean if mean else None,
    )


def between_runs(values: Sequence[float]) -> tuple[float, float]:
    """Mean of one figure over at least two runs, and half of its 95 % interval.

    Source:
        Student's t, x ± t(R - 1, 0.975) · s / √R; why runs and not orders: Y. Zhang, D. Meisner, J.
        Mars, L. Tang, "Treadmill: Attributing the Source of Tail Latency through Precise Load
        Testing and Statistical Inference", ISCA 2016 (performance hysteresis).
    """
    runs = len(values)
    error = float(np.std(values, ddof=1)) / math.sqrt(runs)
    return float(np.mean(values)), student_t_975(runs - 1) * error


def trials_agree(levels: Sequence[LevelSummary]) -> list[Finding]:
    """Trials of a level are as alike as the intervals within each of them say."""
    return [found for trials in trials_of(levels) if (found := _differ(trials)) is not None]


def _differ(trials: Sequence[LevelSummary]) -> Finding | None:
    apart = [
        (ratio, name, one, other)
        for name in ("p50", "p99")
        for one, other in permutations(trials, 2)
        if (ratio := _higher(one.response_ns, other.response_ns, name)) > DIFFERS_RATIO
    ]
    if not apart:
        return None
    _, name, one, other = max(apart, key=lambda pair: pair[0])
    low, high = getattr(one.response_ns, name), getattr(other.response_ns, name)
    rate = trials[0].offered_per_s
    load = "the closed loop" if rate is None else format_rate(rate)
    return Finding(
        severity=Severity.WARNING,
        code="trials-differ",
        message=f"Trials of {load} differ by more than chance within them explains: the response "
        f"{name} was {format_ns(low)} in trial {one.trial + 1} and {format_ns(high)} in trial "
        f"{other.trial + 1}. A single run would have been taken for exact.",
        advice="Read the interval between runs, and repeat more often (`measure.trials`).",
        level=trials[0].index,
    )


def _higher(one: Latency, other: Latency, name: str) -> float:
    """How much higher a percentile of `other` is, beyond both intervals; 0: it is not."""
    low, high = getattr(one, name), getattr(other, name)
    below, above = one.intervals.get(name), other.intervals.get(name)
    if not low or not high or below is None or above is None or below.high is None:
        return 0.0
    return high / low if below.high < above.low else 0.0
