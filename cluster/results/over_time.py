"""What happened within a second: response times slot by slot, and the client's own doings."""

from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cluster.results.histogram import Histogram
from cluster.units import NS_PER_S

Counts = NDArray[np.int64]

SLOTS_PER_S: Final = 20
SLOT_NS: Final = NS_PER_S // SLOTS_PER_S
MS_PER_S: Final = 1000

# Four buckets to an octave: as HdrHistogram's layout with a hundredth of its buckets, enough to
# follow a tail over time. native/client/over_time.h has the same.
COARSE_BITS: Final = 2
COARSE_LEN: Final = 164  # up to an hour


def coarse_bucket(values_ns: ArrayLike) -> Counts:
    """The coarse bucket of each duration, ns, 0 to one hour."""
    values = np.asarray(values_ns, np.int64)
    bits = np.frexp(np.maximum(values, 1).astype(np.float64))[1].astype(np.int64)
    shifts = np.maximum(bits - (COARSE_BITS + 1), 0)
    buckets: Counts = (shifts << COARSE_BITS) + (values >> shifts)
    return buckets


def coarse_edges() -> Counts:
    """The lowest duration of each coarse bucket, ns. Shape (COARSE_LEN,)."""
    index = np.arange(COARSE_LEN, dtype=np.int64)
    shifts = np.maximum((index >> COARSE_BITS) - 1, 0)
    edges: Counts = (index - (shifts << COARSE_BITS)) << shifts
    return edges


@dataclass(frozen=True, eq=False)
class Slots:
    """Response times of the orders of one second, by the twentieth in which they were due.

    An order without an answer is in `due` and in no bucket.
    """

    due: Counts  # orders due. Shape (SLOTS_PER_S,)
    response: Counts  # answered orders by coarse bucket. Shape (SLOTS_PER_S, COARSE_LEN)
    response_sum_ns: Counts  # of the answered orders. Shape (SLOTS_PER_S,)

    @classmethod
    def empty(cls) -> Self:
        """No order."""
        return cls(
            np.zeros(SLOTS_PER_S, np.int64),
            np.zeros((SLOTS_PER_S, COARSE_LEN), np.int64),
            np.zeros(SLOTS_PER_S, np.int64),
        )

    @classmethod
    def from_sparse(
        cls, due: ArrayLike, places: ArrayLike, counts: ArrayLike, response_sum_ns: ArrayLike
    ) -> Self:
        """From the places, slot · COARSE_LEN + bucket, that are not empty."""
        response = np.zeros(SLOTS_PER_S * COARSE_LEN, np.int64)
        response[np.asarray(places, np.int64)] = np.asarray(counts, np.int64)
        return cls(
            np.array(due, np.int64),
            response.reshape(SLOTS_PER_S, COARSE_LEN),
            np.array(response_sum_ns, np.int64),
        )

    @classmethod
    def of_orders(cls, intended_ns: ArrayLike, response_ns: ArrayLike) -> Self:
        """Of answered orders of one second.

        Args:
            intended_ns: when due, after the second began. Shape (n,).
            response_ns: their response times. Shape (n,).
        """
        slots = np.asarray(intended_ns, np.int64) // SLOT_NS
        times = np.asarray(response_ns, np.int64)
        response = np.zeros((SLOTS_PER_S, COARSE_LEN), np.int64)
        np.add.at(response, (slots, coarse_bucket(times)), 1)
        sums = np.zeros(SLOTS_PER_S, np.int64)
        np.add.at(sums, slots, times)
        return cls(response.sum(axis=1), response, sums)

    def __add__(self, other: "Slots") -> "Slots":
        return Slots(
            self.due + other.due,
            self.response + other.response,
            self.response_sum_ns + other.response_sum_ns,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slots) and all(
            np.array_equal(mine, theirs)
            for mine, theirs in (
                (self.due, other.due),
                (self.response, other.response),
                (self.response_sum_ns, other.response_sum_ns),
            )
        )

    def __hash__(self) -> int:
        return hash((self.due.tobytes(), self.response_sum_ns.tobytes()))

    def __reduce__(self) -> tuple[Any, ...]:
        # Nearly all places are empty: only the others cross a process border.
        flat = self.response.ravel()
        places = np.flatnonzero(flat)
        counts = flat[places].astype(np.uint32)
        return Slots.from_sparse, (
            self.due,
            places.astype(np.uint16),
            counts,
            self.response_sum_ns,
        )


@dataclass(frozen=True, eq=False)
class Activity:
    """What a client did in second `index` after the start, by its clock.

    Other than an interval, which holds the orders *due* in a second.
    """

    index: int
    sent_per_ms: Counts  # orders handed to the kernel. Shape (MS_PER_S,)
    in_flight_order_ns: Counts  # integral of orders in flight over each slot. (SLOTS_PER_S,)
    # When orders of the second's sample slice were sent, ns after the second began, rising.
    send_sample_ns: Counts
    sample_cut: bool  # the slice held more than could be kept
    poll_gap: Histogram  # one pass of the event loop to the next, less what it meant to sleep
    # By the kernel's time stamps, of a sample of orders: empty where there are none.
    kernel_send: Histogram  # handed to the kernel → handed to the device
    kernel_receive: Histogram  # came from the device → read by the client

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Activity) and all(
            np.array_equal(getattr(self, field.name), getattr(other, field.name))
            if isinstance(getattr(self, field.name), np.ndarray)
            else getattr(self, field.name) == getattr(other, field.name)
            for field in fields(self)
        )

    def __hash__(self) -> int:
        return hash((self.index, self.sent_per_ms.tobytes()))

    @classmethod
    def empty(cls, index: int) -> Self:
        """Nothing was done."""
        none = Histogram.empty()
        return cls(
            index,
            np.zeros(MS_PER_S, np.int64),
            np.zeros(SLOTS_PER_S, np.int64),
            np.zeros(0, np.int64),
            sample_cut=False,
            poll_gap=none,
            kernel_send=none,
            kernel_receive=none,
        )

    def __add__(self, other: "Activity") -> "Activity":
        """Another worker's or agent's doings in the same second, together with these."""
        if self.index != other.index:
            raise ValueError(f"seconds {self.index} and {other.index} do not merge")
        return Activity(
            self.index,
            self.sent_per_ms + other.sent_per_ms,
            self.in_flight_order_ns + other.in_flight_order_ns,
            np.sort(np.concatenate((self.send_sample_ns, other.send_sample_ns))),
            sample_cut=self.sample_cut or other.sample_cut,
            poll_gap=self.poll_gap + other.poll_gap,
            kernel_send=self.kernel_send + other.kernel_send,
            kernel_receive=self.kernel_receive + other.kernel_receive,
        )


# The golden ratio's fraction in 1/2³²: multiples of it spread evenly over a second.
_STRIDE: Final = 2_654_435_769


@dataclass(frozen=True)
class SampleSlice:
    """Which part of each second a sample of send times is from; the same on every agent.

    In second k it begins `start_ns(k)` after the second, another place each time so that nothing
    periodic hides, and is `width_ns` wide.
    """

    width_ns: int

    def start_ns(self, second: int) -> int:
        """Where the slice of a second begins, ns after it."""
        fraction = (second * _STRIDE) & 0xFFFF_FFFF
        return (fraction * (NS_PER_S - self.width_ns)) >> 32


SAMPLE_ORDERS_PER_S: Final = 2048  # of all agents together, in the mean


def sample_slice(offered_per_s: float | None) -> SampleSlice:
    """The slice in which about SAMPLE_ORDERS_PER_S are due; closed-loop an empty one."""
    if not offered_per_s:
        return SampleSlice(0)
    return SampleSlice(min(NS_PER_S, round(SAMPLE_ORDERS_PER_S / offered_per_s * NS_PER_S)))
