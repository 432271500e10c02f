"""Clients that send when they are told to, whatever was due."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cluster.experiment.model import Bursts, Hawkes
from cluster.results.level import LevelRecord
from cluster.results.over_time import MS_PER_S, Activity, sample_slice
from cluster.units import NS_PER_MS, NS_PER_S


def poisson(rng: np.random.Generator, rate_per_s: float, seconds: float) -> np.ndarray:
    """Times of a Poisson process, ns after the start, rising."""
    orders = rng.poisson(rate_per_s * seconds)
    return np.sort(rng.uniform(0, seconds, orders)) * NS_PER_S


def in_bursts(
    rng: np.random.Generator, rate_per_s: float, seconds: int, bursts: Bursts
) -> np.ndarray:
    """A Poisson process in the time that bursts are on."""
    on_s = seconds * bursts.on_ns / bursts.period_ns
    times = poisson(rng, rate_per_s * bursts.period_ns / bursts.on_ns, on_s)
    return times // bursts.on_ns * bursts.period_ns + times % bursts.on_ns


def hawkes(rng: np.random.Generator, rate_per_s: float, seconds: int, law: Hawkes) -> np.ndarray:
    """A stationary self-exciting process, built as the families that it consists of."""
    n, decay_s, before_s = law.branching_ratio, law.decay_ns / NS_PER_S, 20 * law.memory_s
    parents = rng.poisson(rate_per_s * (1 - n) * (seconds + before_s))
    generation = rng.uniform(-before_s, seconds, parents)
    family = [generation]
    while len(generation):
        children = rng.poisson(n, len(generation))
        generation = np.repeat(generation, children) + rng.exponential(decay_s, children.sum())
        family.append(generation)
    times = np.concatenate(family)
    return np.sort(times[(times >= 0) & (times < seconds)]) * NS_PER_S


def held_until(times_ns: np.ndarray, tick_ns: float) -> np.ndarray:
    """What a client sends that only looks at its schedule every so often."""
    return np.ceil(times_ns / tick_ns) * tick_ns


def with_sends(record: LevelRecord, sends_ns: Sequence[np.ndarray], **level: object) -> LevelRecord:
    """The record with the agents sending at these times after the start; facts of its level."""
    agents = [
        replace(agent, activity=activity(record, np.asarray(times)))
        for agent, times in zip(record.agents, sends_ns, strict=True)
    ]
    plan = replace(record.level, **level)  # type: ignore[arg-type]
    return replace(record, agents=tuple(agents), level=plan)


def activity(record: LevelRecord, times_ns: np.ndarray) -> tuple[Activity, ...]:
    """What a client that sends at these times records of each second."""
    piece = sample_slice(record.level.offered_per_s)
    return tuple(
        _second(second, np.floor(times_ns[times_ns // NS_PER_S == second]) % NS_PER_S, piece)
        for second in range(record.completed_s)
    )


def _second(index: int, after_ns: np.ndarray, piece) -> Activity:
    start = piece.start_ns(index)
    inside = (after_ns >= start) & (after_ns < start + piece.width_ns)
    return replace(
        Activity.empty(index),
        sent_per_ms=np.bincount((after_ns // NS_PER_MS).astype(np.int64), minlength=MS_PER_S),
        send_sample_ns=after_ns[inside].astype(np.int64),
    )
