"""HdrHistogram's counts as a value that merges exactly.

The layout is that of the native recorder: values 1 ns to one hour at three significant digits, so
every histogram of every worker, agent and run has the same buckets and merging is an addition.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
from hdrh.histogram import HdrHistogram
from numpy.typing import ArrayLike, NDArray

LOWEST_NS: Final = 1
HIGHEST_NS: Final = 3_600_000_000_000
SIGNIFICANT_DIGITS: Final = 3

# 2 · 10³ values at single-unit resolution need 2048 sub-buckets, of which each further bucket
# repeats the upper half at twice the width.
SUB_BUCKETS: Final = 2048
HALF: Final = SUB_BUCKETS // 2
HALF_MAGNITUDE: Final = 10
BUCKETS: Final = 32  # 2048 · 2³¹ is the first power of two of that form above HIGHEST_NS
COUNTS_LEN: Final = (BUCKETS + 1) * HALF

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Histogram:
    """A distribution of durations in ns: the used buckets of HdrHistogram's counts array.

    Percentiles, minimum, maximum, mean and deviation are those of the hdrh package, bit for bit,
    except that an empty histogram has none: they are None, not 0.
    """

    indices: Integers  # of the used buckets, strictly rising
    counts: Integers  # of each, above 0

    @classmethod
    def empty(cls) -> Self:
        """A histogram without values: the neutral element of `+`."""
        return cls._frozen(np.empty(0, np.int64), np.empty(0, np.int64))

    @classmethod
    def from_sparse(cls, indices: ArrayLike, counts: ArrayLike) -> Self:
        """Take over buckets of the native recorder.

        Args:
            indices: buckets of the counts array, strictly rising. Shape (used,).
            counts: values in each. Shape (used,).

        Raises:
            ValueError: lengths differ, an index is out of range or out of order, a count negative.
        """
        index_array = np.array(indices, dtype=np.int64).reshape(-1)
        count_array = np.array(counts, dtype=np.int64).reshape(-1)
        if len(index_array) != len(count_array):
            raise ValueError(f"{len(index_array)} buckets and {len(count_array)} counts")
        if len(index_array) and not (
            index_array[0] >= 0
            and index_array[-1] < COUNTS_LEN
            and bool(np.all(np.diff(index_array) > 0))
        ):
            raise ValueError(f"buckets must rise strictly within 0 to {COUNTS_LEN - 1}")
        if np.any(count_array < 0):
            raise ValueError("a count is negative")
        used = count_array > 0
        return cls._frozen(index_array[used], count_array[used])

    @classmethod
    def from_values(cls, values_ns: ArrayLike) -> Self:
        """Record values.

        Args:
            values_ns: durations in ns, each 0 to the layout's highest. Shape (n,).

        Raises:
            ValueError: a value is negative or above the layout.
        """
        values = np.array(values_ns, dtype=np.int64).reshape(-1)
        if np.any(values < 0) or np.any(values >= SUB_BUCKETS << (BUCKETS - 1)):
            raise ValueError(f"values must lie within 0 and {HIGHEST_NS} ns")
        return cls._frozen(*np.unique(_bucket_of(values), return_counts=True))

    @classmethod
    def sum(cls, histograms: Iterable["Histogram"]) -> Self:
        """Merge any number of histograms exactly; their order does not matter."""
        dense = np.zeros(COUNTS_LEN, np.int64)
        for histogram in histograms:
            dense[histogram.indices] += histogram.counts
        used = np.flatnonzero(dense)
        return cls._frozen(used, dense[used])

    @classmethod
    def _frozen(cls, indices: Integers, counts: Integers) -> Self:
        indices.setflags(write=False)
        counts.setflags(write=False)
        return cls(indices, counts)

    def __add__(self, other: "Histogram") -> "Histogram":
        return Histogram.sum((self, other))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return np.array_equal(self.indices, other.indices) and np.array_equal(
            self.counts, other.counts
        )

    def __hash__(self) -> int:
        return hash((self.indices.tobytes(), self.counts.tobytes()))

    def __repr__(self) -> str:
        return f"Histogram(total={self.total}, min={self.min}, max={self.max})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Only the buckets cross a process border, not what was computed from them; small types
        # where they do, since a histogram travels once per second, agent and quantity.
        counts = self.counts
        small = len(counts) == 0 or int(counts.max()) < 2**32
        return (
            Histogram._from_process,
            (self.indices.astype(np.uint32), counts.astype(np.uint32) if small else counts),
        )

    @classmethod
    def _from_process(cls, indices: NDArray[np.uint32], counts: NDArray[np.integer[Any]]) -> Self:
        # It was a histogram there, and checked: a driver of a thousand agents can't check it again.
        return cls._frozen(indices.astype(np.int64), counts.astype(np.int64))

    @cached_property
    def _cumulative(self) -> Integers:
        return np.cumsum(self.counts)

    @property
    def values_ns(self) -> Integers:
        """The upper edges of the used buckets, ns, rising. Shape (used,)."""
        return _highest_of(self.indices)

    @property
    def total(self) -> int:
        """How many values were recorded."""
        return int(self._cumulative[-1]) if len(self.counts) else 0

    @property
    def min(self) -> int | None:
        """The lower edge of the lowest used bucket, ns; None when empty."""
        return int(_lowest_of(self.indices[:1])[0]) if len(self.indices) else None

    @property
    def max(self) -> int | None:
        """The upper edge of the highest used bucket, ns; None when empty."""
        return int(_highest_of(self.indices[-1:])[0]) if len(self.indices) else None

    @property
    def mean(self) -> float | None:
        """Mean of the buckets' middles, ns; None when empty."""
        if not len(self.indices):
            return None
        # Python's integers: an hour in ns times 10⁷ orders leaves 64 bits.
        middles = _middle_of(self.indices).tolist()
        pairs = zip(self.counts.tolist(), middles, strict=True)
        return float(sum(count * middle for count, middle in pairs)) / self.total

    @property
    def stdev(self) -> float | None:
        """Standard deviation of the buckets' middles, over all values, ns; None when empty."""
        mean = self.mean
        if mean is None:
            return None
        deviations = _middle_of(self.indices) * 1.0 - mean
        # cumsum adds in the order of the buckets, as hdrh does; numpy's pairwise sum would differ
        # in the last bit.
        return math.sqrt(float(np.cumsum(deviations * deviations * self.counts)[-1]) / self.total)

    def percentile(self, q: float) -> int | None:
        """The value at or below which `q` percent of the values lie, ns; None when empty.

        Args:
            q: 0 to 100. The rank is ⌊q · n / 100 + ½⌋, at least 1; the answer is the upper edge
                of the bucket that holds it (its lower edge for q = 0).

        Raises:
            ValueError: `q` is outside 0 to 100.
        """
        if not 0 <= q <= 100:  # noqa: PLR2004 - percent
            raise ValueError(f"a percentile lies within 0 and 100, not {q}")
        if not len(self.indices):
            return None
        rank = max(int(q * self.total / 100 + 0.5), 1)
        return self.value_at_rank(min(rank, self.total), lower_edge=q == 0)

    def value_at_rank(self, rank: int, *, lower_edge: bool = False) -> int:
        """The `rank`-th smallest value (1 is the smallest), as the edge of its bucket, ns.

        Raises:
            ValueError: there are fewer values.
        """
        if not 1 <= rank <= self.total:
            raise ValueError(f"rank {rank} of {self.total} values")
        place = int(np.searchsorted(self._cumulative, rank, side="left"))
        edge_of = _lowest_of if lower_edge else _highest_of
        return int(edge_of(self.indices[place : place + 1])[0])

    def count_at_or_below(self, value_ns: int) -> int:
        """How many values lie in buckets up to and including the one of `value_ns`."""
        if value_ns < 0 or not len(self.indices):
            return 0
        bucket = _bucket_of(np.array([min(value_ns, HIGHEST_NS)], np.int64))[0]
        place = int(np.searchsorted(self.indices, bucket, side="right"))
        return int(self._cumulative[place - 1]) if place else 0

    def encode(self) -> str:
        """The histogram as HdrHistogram's V2 compressed base64, which its other tools read."""
        hdr = HdrHistogram(LOWEST_NS, HIGHEST_NS, SIGNIFICANT_DIGITS)
        if len(self.indices):
            np.frombuffer(hdr.counts, np.int64)[self.indices] = self.counts
            hdr.set_internal_tacking_values(int(self.indices[0]), int(self.indices[-1]), self.total)
        return str(hdr.encode().decode("ascii"))

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read what `encode` or another HdrHistogram tool wrote.

        Raises:
            ValueError: it is not such a histogram, or one of another layout.
        """
        try:
            hdr = HdrHistogram.decode(text)
        except Exception as error:  # hdrh raises whatever the damage happens to break
            raise ValueError(f"not an HdrHistogram: {error!r}") from error
        return cls.from_hdr(hdr)

    @classmethod
    def from_hdr(cls, hdr: HdrHistogram) -> Self:
        """Take the counts of an hdrh histogram.

        Raises:
            ValueError: it has another layout.
        """
        layout = (
            hdr.lowest_trackable_value,
            hdr.highest_trackable_value,
            hdr.significant_figures,
        )
        if layout != (LOWEST_NS, HIGHEST_NS, SIGNIFICANT_DIGITS):
            raise ValueError(f"a histogram of layout {layout} (lowest, highest, digits)")
        counts = np.frombuffer(hdr.counts, np.int64)
        used = np.flatnonzero(counts)
        return cls.from_sparse(used, counts[used])


def _bucket_of(values: Integers) -> Integers:
    """The place of each value in the counts array."""
    exponents = np.frexp((values | (SUB_BUCKETS - 1)).astype(np.float64))[1].astype(np.int64)
    shifts = exponents - (HALF_MAGNITUDE + 1)
    return (shifts << HALF_MAGNITUDE) + (values >> shifts)


def _shift_of(indices: Integers) -> Integers:
    shifts: Integers = np.maximum((indices >> HALF_MAGNITUDE) - 1, 0)
    return shifts


def _lowest_of(indices: Integers) -> Integers:
    shifts = _shift_of(indices)
    return (indices - (shifts << HALF_MAGNITUDE)) << shifts


def _highest_of(indices: Integers) -> Integers:
    return _lowest_of(indices) + (np.int64(1) << _shift_of(indices)) - 1


def _middle_of(indices: Integers) -> Integers:
    return _lowest_of(indices) + ((np.int64(1) << _shift_of(indices)) >> 1)
