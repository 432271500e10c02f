"""A window cut into equal pieces of time, with what its orders took in each."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cluster.results.agent import Interval
from cluster.results.over_time import COARSE_LEN, SLOTS_PER_S

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pieces:
    """Response times of all agents, slot by slot; an order without an answer is in no bucket."""

    due: NDArray[np.int64]  # Shape (pieces,)
    response: NDArray[np.int64]  # by coarse bucket. Shape (pieces, COARSE_LEN)
    response_sum_ns: NDArray[np.int64]  # Shape (pieces,)

    def slower_than(self, bucket: int) -> Floats:
        """Orders due in each piece that took longer than the buckets below `bucket`."""
        slower: Floats = (self.due - self.response[:, :bucket].sum(axis=1)).astype(np.float64)
        return slower


def pieces_of(intervals: Iterable[Interval], seconds: range) -> Pieces:
    """Merge the slots of all agents; a second of which nothing is known has no orders."""
    slots = len(seconds) * SLOTS_PER_S
    due = np.zeros(slots, np.int64)
    response = np.zeros((slots, COARSE_LEN), np.int64)
    sums = np.zeros(slots, np.int64)
    for interval in intervals:
        if interval.index in seconds:
            start = (interval.index - seconds.start) * SLOTS_PER_S
            place = slice(start, start + SLOTS_PER_S)
            due[place] += interval.slots.due
            response[place] += interval.slots.response
            sums[place] += interval.slots.response_sum_ns
    return Pieces(due, response, sums)
