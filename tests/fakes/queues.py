"""Queues whose waiting is known: by theory, and order by order from schedule and service times.

The load client's Poisson schedule and the reference engine's service times are functions of their
seeds. Both are computed here again, so that Lindley's recursion gives each order's response time.
"""

import math
from collections.abc import Iterator
from decimal import Decimal, localcontext
from itertools import islice
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Law = Literal["constant", "exponential"]
Times = NDArray[np.float64]

_MASK: Final = 2**64 - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15


def _mixed(value: int) -> int:
    """One step of SplitMix64 (Steele, Lea and Flood, 2014)."""
    value = (value + _GOLDEN) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def _rotated(value: int, by: int) -> int:
    return ((value << by) | (value >> (64 - by))) & _MASK


def _units(state: list[int]) -> Iterator[float]:
    """Uniform numbers in (0, 1] of xoshiro256** (Blackman and Vigna, 2018)."""
    s0, s1, s2, s3 = state
    while True:
        drawn = (_rotated((s1 * 5) & _MASK, 7) * 9) & _MASK
        shifted = (s1 << 17) & _MASK
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = _rotated(s3, 45)
        yield 1.0 - (drawn >> 11) * 2.0**-53


def _exponentials(state: list[int], mean: float) -> Iterator[float]:
    return (-mean * math.log(unit) for unit in _units(state))


def schedule_s(rate_per_s: float, level_seed: int, orders: int) -> Times:
    """When the only worker of the only agent has its Poisson orders due, after the start, s."""
    seed, who = level_seed & _MASK, 0
    state = [
        _mixed(who),
        _mixed(seed ^ _mixed(who)),
        _mixed(seed),
        _mixed((seed + who + 1) & _MASK),
    ]
    gaps = np.fromiter(_exponentials(state, 1 / rate_per_s), np.float64, orders)
    return np.cumsum(gaps)


def service_times_s(law: Law, mean_s: float, seed: int) -> Iterator[float]:
    """The reference engine's service times with `--queue-seed`, order by order."""
    state = [_mixed((seed + word * _GOLDEN) & _MASK) for word in range(4)]
    if law == "exponential":
        yield from _exponentials(state, mean_s)
    while True:
        yield mean_s


def responses_s(arrivals_s: Times, services_s: Iterator[float]) -> Times:
    """Response times of one server, first in first out (Lindley, 1952). Takes one service each."""
    left = 0.0
    found = np.empty(len(arrivals_s))
    for number, (arrival, service) in enumerate(
        zip(arrivals_s.tolist(), islice(services_s, len(arrivals_s)), strict=True)
    ):
        left = max(arrival, left) + service
        found[number] = left - arrival
    return found


def mean_wait(law: Law, load: float) -> float:
    """Mean wait before service in service times, at a `load` below 1 (Pollaczek, Khinchine)."""
    return load / (1 - load) if law == "exponential" else load / (2 * (1 - load))


def response_percentile(law: Law, load: float, percentile: float) -> float:
    """A percentile of the response time, in mean service times."""
    beyond = 1 - percentile / 100
    if law == "exponential":
        return -math.log(beyond) / (1 - load)
    low, high = 0.0, 1.0
    while md1_wait_exceeds(load, high) > beyond:
        high *= 2
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if md1_wait_exceeds(load, middle) > beyond else (low, middle)
    return 1 + high


def md1_wait_exceeds(load: float, service_times: float) -> float:
    """P(W > x) of M/D/1 (Erlang, 1909): exact, with digits enough for its alternating sum.

    P(W ≤ x) = (1 - u) Σ_k (-u(x - k))^k / k! · e^(u(x - k)), k = 0 … ⌊x⌋. u: load, x: in services.
    """
    with localcontext() as context:
        context.prec = 60 + int(2 * service_times)
        rho, x = Decimal(load), Decimal(service_times)
        total, factorial = Decimal(0), Decimal(1)
        for k in range(int(service_times) + 1):
            factorial *= max(k, 1)
            away = rho * (x - k)
            power = Decimal(1) if k == 0 else (-away) ** k
            total += power / factorial * away.exp()
        return float(1 - (1 - rho) * total)
