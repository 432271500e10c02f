"""The agents' cumulative counts as functions of the time since the common start."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cluster.results.agent import Progress
from cluster.results.level import LevelRecord
from cluster.results.orders import OrderCounts
from cluster.units import NS_PER_S

Floats = NDArray[np.float64]
Quantity = Callable[[Progress], int]


def answered(progress: Progress) -> int:
    """Orders answered so far."""
    return progress.orders.answered


def due(progress: Progress) -> int:
    """Orders due so far."""
    return progress.orders.intended


def sent(progress: Progress) -> int:
    """Orders sent so far."""
    return progress.orders.sent


def waiting(progress: Progress) -> int:
    """Orders due and not answered: in flight, or still in the client."""
    return progress.in_flight + progress.backlog


@dataclass(frozen=True)
class Samples:
    """One agent's progress over the time since its start."""

    elapsed_s: Floats
    progress: tuple[Progress, ...]

    def at(self, times_s: Floats, quantity: Quantity) -> Floats:
        """`quantity` at `times_s`, straight between samples, constant before and after."""
        values = np.array([quantity(sample) for sample in self.progress], np.float64)
        return np.interp(times_s, self.elapsed_s, values)


def samples(record: LevelRecord) -> list[Samples]:
    """Every sampled agent's samples, each against the start in its own clock."""
    start_ns = {agent.agent: agent.start_ns for agent in record.agents}
    found = []
    for name, progress in record.progress.items():
        if progress and name in start_ns:
            whole = _from_the_start(tuple(progress), start_ns[name])
            elapsed = [(sample.time_ns - start_ns[name]) / NS_PER_S for sample in whole]
            found.append(Samples(np.array(elapsed, np.float64), whole))
    return found


def _from_the_start(progress: tuple[Progress, ...], start_ns: int) -> tuple[Progress, ...]:
    """The samples, with that of the start itself: at the start nothing was due or sent."""
    if progress[0].time_ns <= start_ns:
        return progress
    start = Progress(start_ns, OrderCounts(), 0, 0, progress[0].connections_open, finished=False)
    return (start, *progress)


def total_at(agents: Sequence[Samples], times_s: Floats, quantity: Quantity) -> Floats:
    """`quantity` of all agents together at `times_s`."""
    total = np.zeros(len(times_s))
    for agent in agents:
        total += agent.at(times_s, quantity)
    return total


def covered(agents: Sequence[Samples], from_s: float, to_s: float) -> tuple[float, float] | None:
    """The part of a window in which every agent was sampled; None when that is nothing."""
    if not agents:
        return None
    low = max([from_s, *(float(agent.elapsed_s[0]) for agent in agents)])
    high = min([to_s, *(float(agent.elapsed_s[-1]) for agent in agents)])
    return (low, high) if high > low else None


def mean_rate(
    agents: Sequence[Samples], from_s: float, to_s: float, quantity: Quantity
) -> float | None:
    """How fast `quantity` rose in a window, per second; None when it was not sampled."""
    window = covered(agents, from_s, to_s)
    if window is None:
        return None
    low, high = total_at(agents, np.array(window), quantity)
    return float(high - low) / (window[1] - window[0])


def answered_between(record: LevelRecord, start_ns: int, end_ns: int) -> int:
    """Orders answered between two times of the driver's clock, as far as the load was sampled."""
    times_s = np.array([start_ns - record.start_ns, end_ns - record.start_ns]) / NS_PER_S
    before, after = total_at(samples(record), times_s, answered)
    return round(float(after - before))
