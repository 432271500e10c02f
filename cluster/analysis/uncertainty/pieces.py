"""A window cut into equal pieces of time, with what its orders took in each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from cluster.results.agent import Interval
from cluster.results.histogram import Histogram
from cluster.results.over_time import COARSE_LEN, SLOTS_PER_S, coarse_bucket

Floats = NDArray[np.float64]


class Pieces(Protocol):
    """Durations of all agents' orders, piece by piece."""

    @property
    def orders(self) -> Floats:
        """Orders of each piece, those without a duration too. Shape (pieces,)."""

    @property
    def sums_ns(self) -> Floats:
        """Sum of each piece's durations. Shape (pieces,)."""

    def slower_than(self, value_ns: int) -> list[Floats]:
        """Orders of each piece that took longer, those without a duration too.

        Where the pieces know times roughly only: once for each of the two times around it that
        they know. Each of shape (pieces,).
        """


@dataclass(frozen=True)
class SlotPieces:
    """Response times by slot. An order without an answer is in no bucket."""

    due: NDArray[np.int64]  # Shape (pieces,)
    response: NDArray[np.int64]  # by coarse bucket. Shape (pieces, COARSE_LEN)
    response_sum_ns: NDArray[np.int64]  # Shape (pieces,)

    @property
    def orders(self) -> Floats:
        """Orders due in each slot."""
        return self.due.astype(np.float64)

    @property
    def sums_ns(self) -> Floats:
        """Of the answered orders."""
        return self.response_sum_ns.astype(np.float64)

    def slower_than(self, value_ns: int) -> list[Floats]:
        """At both edges of the coarse bucket that holds `value_ns`."""
        bucket = int(coarse_bucket(value_ns))
        below = self.response[:, :bucket].sum(axis=1)
        edges = (below, below + self.response[:, bucket])
        return [(self.due - edge).astype(np.float64) for edge in edges]


@dataclass(frozen=True)
class SecondPieces:
    """Any duration by second, exactly."""

    orders: Floats
    histograms: tuple[tuple[int, Histogram], ...]  # which second, what an agent recorded in it

    @property
    def sums_ns(self) -> Floats:
        """By the buckets' middles."""
        return self._each(lambda histogram: (histogram.mean or 0.0) * histogram.total)

    def slower_than(self, value_ns: int) -> list[Floats]:
        """Than the bucket of `value_ns`."""
        return [self.orders - self._each(lambda h: h.count_at_or_below(value_ns))]

    def _each(self, figure: Callable[[Histogram], float]) -> Floats:
        found = np.zeros(len(self.orders))
        for second, histogram in self.histograms:
            found[second] += figure(histogram)
        return found


@dataclass(frozen=True)
class Quantity:
    """Which duration of an interval, and which of its orders have none."""

    histogram: Callable[[Interval], Histogram]
    missing: Callable[[Interval], int]


RESPONSE: Final = Quantity(
    lambda i: i.response, lambda i: i.orders.timed_out + i.orders.lost + i.orders.unsent
)
SERVICE: Final = Quantity(lambda i: i.service, lambda i: i.orders.timed_out + i.orders.lost)
SEND_LAG: Final = Quantity(lambda i: i.send_lag, lambda i: i.orders.unsent)
ENGINE: Final = Quantity(lambda i: i.engine, lambda i: i.orders.timed_out + i.orders.lost)


def over_time(
    intervals: Sequence[Interval], seconds: range, quantity: Quantity
) -> tuple[Pieces, ...]:
    """All agents' durations in `seconds`, in the finest pieces that were recorded first.

    Only response times are known by slot, and where no slots were recorded they are not either.
    """
    chosen = [interval for interval in intervals if interval.index in seconds]
    whole = _by_second(chosen, seconds, quantity)
    if quantity is not RESPONSE:
        return (whole,)
    slots = _by_slot(chosen, seconds)
    return (slots, whole) if slots.due.sum() == whole.orders.sum() else (whole,)


def _by_second(intervals: Iterable[Interval], seconds: range, quantity: Quantity) -> SecondPieces:
    orders = np.zeros(len(seconds))
    histograms = []
    for interval in intervals:
        second, histogram = interval.index - seconds.start, quantity.histogram(interval)
        orders[second] += histogram.total + quantity.missing(interval)
        histograms.append((second, histogram))
    return SecondPieces(orders, tuple(histograms))


def _by_slot(intervals: Iterable[Interval], seconds: range) -> SlotPieces:
    slots = len(seconds) * SLOTS_PER_S
    due = np.zeros(slots, np.int64)
    response = np.zeros((slots, COARSE_LEN), np.int64)
    sums = np.zeros(slots, np.int64)
    for interval in intervals:
        start = (interval.index - seconds.start) * SLOTS_PER_S
        place = slice(start, start + SLOTS_PER_S)
        due[place] += interval.slots.due
        response[place] += interval.slots.response
        sums[place] += interval.slots.response_sum_ns
    return SlotPieces(due, response, sums)
