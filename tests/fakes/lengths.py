"""Tests of how long a level must last whose answers are known beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cluster.analysis.steady.warm_up import WarmUp
from cluster.analysis.uncertainty.enough import Reached
from cluster.driver.lengths import LengthTests
from cluster.results.agent import Interval


@dataclass
class KnownLengths:
    """The warm-up ends when it is said to, and the interval narrows as 1 / √ seconds."""

    warm_up_ends_s: float | None = 0.0
    unsettled_until_s: int = 0  # asked with less, the test says that it may not be over
    half_width_after_1_s: float = 0.0
    asked_at: list[int] = field(default_factory=list)
    windows: list[range] = field(default_factory=list)

    def warm_up_end(self, intervals: Sequence[Interval], until_s: int) -> WarmUp:
        """See `warm_up_end_s`."""
        assert all(interval.index < until_s for interval in intervals)
        self.asked_at.append(until_s)
        if until_s < self.unsettled_until_s:
            return WarmUp(None, "not over yet", unsettled=True)
        return WarmUp(self.warm_up_ends_s, "")

    def enough(
        self,
        intervals: Sequence[Interval],
        window: range,
        percentile: float,
        half_width_ratio: float,
    ) -> Reached:
        """See `until_reached`."""
        assert percentile > 1
        self.windows.append(window)
        seconds = len({interval.index for interval in intervals} & set(window))
        if not seconds:
            return Reached(reached=False, half_width_ratio=None, why="no second was measured yet")
        ratio = float(self.half_width_after_1_s / seconds**0.5)
        return Reached(reached=ratio <= half_width_ratio, half_width_ratio=ratio, why="as known")

    @property
    def tests(self) -> LengthTests:
        """As a level takes them."""
        return LengthTests(self.warm_up_end, self.enough)
