"""Response times of orders that depend on each other, with the truth known, for interval_coverage.

Each run is what a level's control window would have recorded.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtri

from cluster.analysis.uncertainty.intervals import mean_interval
from cluster.analysis.uncertainty.latency import Percentile, percentile_with_interval
from cluster.analysis.uncertainty.pieces import SlotPieces
from cluster.results.histogram import Histogram
from cluster.results.over_time import COARSE_LEN, SLOTS_PER_S, coarse_bucket
from cluster.results.summary import Uncertainty

Floats = NDArray[np.float64]
Times = tuple[Floats, Floats]  # when due, s, rising; response times, ns. Each of shape (orders,)


@dataclass(frozen=True)
class Process:
    """A stationary law of response times, and its true figures in ns."""

    name: str
    draw: Callable[[np.random.Generator, int], Times]  # of that many seconds
    percentile: Callable[[float], float]  # above 0, below 100
    mean: float
    correlation_s: float  # time in which it forgets; 0: at once


def independent(rate_per_s: float) -> Process:
    """Lognormal times of Poisson orders that have nothing to do with each other."""

    def draw(rng: np.random.Generator, seconds: int) -> Times:
        due = _poisson(rng, rate_per_s, seconds)
        return due, 1e5 * rng.lognormal(0, 0.7, len(due))

    return Process("independent lognormal", draw, _lognormal(0.7), 1e5 * math.exp(0.245), 0)


def modulated(rate_per_s: float, correlation_s: float, spread: float = 0.7) -> Process:
    """Lognormal times whose level is an autoregression: engine states that come and go."""
    step_s = min(0.01, correlation_s / 10)

    def draw(rng: np.random.Generator, seconds: int) -> Times:
        due = _poisson(rng, rate_per_s, seconds)
        keeps = math.exp(-step_s / correlation_s)
        shocks = rng.normal(0, math.sqrt(1 - keeps**2), round(seconds / step_s) + 1)
        shocks[0] = rng.normal()
        level = lfilter([1], [1, -keeps], shocks)[(due / step_s).astype(int)]
        return due, 1e5 * np.exp(spread * level + 0.7 * rng.normal(size=len(due)))

    sigma = math.hypot(spread, 0.7)
    name = f"lognormal by an AR(1) of {correlation_s:g} s"
    return Process(name, draw, _lognormal(sigma), 1e5 * math.exp(sigma**2 / 2), correlation_s)


def single_server(rate_per_s: float, utilisation: float) -> Process:
    """Response times of M/M/1 by Lindley's recursion: exponential, for ever in queues.

    Source:
        D. Lindley, 1952: W' = max(0, W + S - A). It forgets in 1 / (μ (1 - √utilisation)²):
        J. Cohen, "The Single Server Queue", 1982.
    """
    served_per_s = rate_per_s / utilisation
    mean_ns = 1e9 / (served_per_s - rate_per_s)

    def draw(rng: np.random.Generator, seconds: int) -> Times:
        orders = round(rate_per_s * seconds + 6 * math.sqrt(rate_per_s * seconds)) + 10
        gaps = rng.exponential(1 / rate_per_s, orders)
        service = rng.exponential(1 / served_per_s, orders)
        first = rng.exponential(mean_ns / 1e9) if rng.random() < utilisation else 0.0
        walk = np.cumsum(np.concatenate(([first], service[:-1] - gaps[1:])))
        waits = walk - np.minimum(np.minimum.accumulate(walk), 0)
        due = np.cumsum(gaps)
        inside = due < seconds
        return due[inside], (waits + service)[inside] * 1e9

    return Process(
        f"M/M/1 at {utilisation:g}",
        draw,
        lambda percentile: -mean_ns * math.log(1 - percentile / 100),
        mean_ns,
        1 / (served_per_s * (1 - math.sqrt(utilisation)) ** 2),
    )


@dataclass(frozen=True)
class Recorded:
    """What a level's window would have kept of a run."""

    histogram: Histogram
    pieces: SlotPieces

    def percentile(self, percentile: float) -> Percentile:
        """By the code under test."""
        return percentile_with_interval(self.histogram, percentile, 0, (self.pieces,))

    def mean(self) -> Uncertainty | None:
        """By the code under test."""
        return mean_interval(self.histogram, (self.pieces,))[0]


def record(due_s: Floats, response_ns: Floats, seconds: int) -> Recorded:
    """Record a run as the load client does."""
    slots = seconds * SLOTS_PER_S
    times = response_ns.astype(np.int64)
    slot = (due_s * SLOTS_PER_S).astype(np.int64)
    places = np.bincount(slot * COARSE_LEN + coarse_bucket(times), minlength=slots * COARSE_LEN)
    pieces = SlotPieces(
        np.bincount(slot, minlength=slots),
        places.reshape(slots, COARSE_LEN),
        np.bincount(slot, times, minlength=slots).astype(np.int64),
    )
    return Recorded(Histogram.from_values(times), pieces)


@dataclass(frozen=True)
class Coverage:
    """How often an interval was given, and how often it then held the truth."""

    runs: int
    given: int
    held: int

    @property
    def given_ratio(self) -> float:
        """Of all runs."""
        return self.given / self.runs

    @property
    def held_ratio(self) -> float:
        """Of the runs with an interval."""
        return self.held / self.given if self.given else math.nan

    @property
    def wrong_ratio(self) -> float:
        """Runs with an interval that does not hold the truth, of all runs."""
        return (self.given - self.held) / self.runs


FIGURES = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "mean": 0.0}


def coverage(process: Process, seconds: int, runs: int, seed: int) -> dict[str, Coverage]:
    """Simulate `runs` runs and ask each for its intervals."""
    rng = np.random.default_rng(seed)
    given = dict.fromkeys(FIGURES, 0)
    held = dict.fromkeys(FIGURES, 0)
    for _ in range(runs):
        seen = record(*process.draw(rng, seconds), seconds)
        for name, percentile in FIGURES.items():
            if percentile:
                told, truth = seen.percentile(percentile).interval, process.percentile(percentile)
            else:
                told, truth = seen.mean(), process.mean
            if told is not None:
                given[name] += 1
                held[name] += told.high is None or told.low <= truth <= told.high
    return {name: Coverage(runs, given[name], held[name]) for name in FIGURES}


def _poisson(rng: np.random.Generator, rate_per_s: float, seconds: int) -> Floats:
    return np.sort(rng.random(rng.poisson(rate_per_s * seconds)) * seconds)


def _lognormal(sigma: float) -> Callable[[float], float]:
    return lambda percentile: 1e5 * math.exp(sigma * float(ndtri(percentile / 100)))
