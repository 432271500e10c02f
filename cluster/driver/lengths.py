"""How long the windows of a level are, decided while it runs. Pure: intervals in, lengths out."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Final, Protocol

from cluster.analysis.steady.warm_up import WarmUp, warm_up_end_s
from cluster.analysis.uncertainty.enough import Reached, until_reached
from cluster.experiment.plan import Level
from cluster.results.agent import Interval
from cluster.units import format_half_width

# Agents are told a second ahead when the load ends: everything they do until then is due anyway.
LEAD_S: Final = 1


class WarmUpTest(Protocol):
    """Tells when the warm-up of a level was over: `analysis/steady/warm_up.py`."""

    def __call__(self, intervals: Sequence[Interval], until_s: int) -> WarmUp:
        """See `warm_up_end_s`."""


class EnoughTest(Protocol):
    """Tells whether a percentile is known exactly enough: `analysis/uncertainty/enough.py`."""

    def __call__(
        self,
        intervals: Sequence[Interval],
        window: range,
        percentile: float,
        half_width_ratio: float,
    ) -> Reached:
        """See `until_reached`."""


@dataclass(frozen=True)
class LengthTests:
    """What decides how long a level lasts."""

    warm_up_end: WarmUpTest = warm_up_end_s
    enough: EnoughTest = until_reached


@dataclass
class Lengths:
    """The windows of one level, as they stand; they only ever grow, and not beyond `longest_s`.

    The control window begins where the warm-up is over, keeps at least its planned length, and
    goes on until the percentile asked for is known exactly enough. The profile window follows it.
    """

    planned: Level
    tests: LengthTests = field(default_factory=LengthTests)
    remark: str = ""  # for who looks on: how far the control window is from its goal
    settled: bool = field(init=False)  # nothing moves any more

    def __post_init__(self) -> None:
        self.level = self.planned  # with the windows as they stand
        self.settled = self.planned.longest_s == self.planned.duration_s
        self._warm = self.planned.warmup_longest_s == self.planned.warmup_s

    def is_asked(self, second: int) -> bool:
        """Whether it must be decided at the end of `second` if the control window ends."""
        return not self.settled and second >= self.level.control_end_s - LEAD_S

    def decide(self, intervals: Sequence[Interval], closed_s: int) -> str:
        """Move the windows or settle them, by what has been measured so far.

        Args:
            intervals: of all agents, of the seconds before `closed_s`.
            closed_s: so many seconds have been handed over by all of them.

        Returns:
            What moved: `warm-up`, `control`; or `settled`.
        """
        if not self._warm and self._warm_up_moved(intervals, closed_s):
            return "warm-up"
        self._warm = True
        if self._control_moved(intervals):
            return "control"
        self.settled = True
        return "settled"

    def _warm_up_moved(self, intervals: Sequence[Interval], closed_s: int) -> bool:
        now_s, longest_s = self.level.warmup_s, self.planned.warmup_longest_s
        found = self.tests.warm_up_end(intervals, closed_s)
        ends_s = now_s if found.ends_s is None else max(now_s, ceil(found.ends_s))
        if found.unsettled:
            ends_s = now_s + 1
        if min(ends_s, longest_s) == now_s:
            return False
        self.level = replace(self.level, warmup_s=min(ends_s, longest_s))
        return True

    def _control_moved(self, intervals: Sequence[Interval]) -> bool:
        level, until = self.level, self.planned.until
        if until is None:
            return False
        window = range(level.warmup_s, level.control_end_s)
        found = self.tests.enough(intervals, window, until.percent, until.half_width_ratio)
        known = found.half_width_ratio
        width = "unknown yet" if known is None else format_half_width(known)
        name, wanted = until.percentile.replace("_", "."), format_half_width(until.half_width_ratio)
        self.remark = f"{name} {width}, until {wanted}"
        if found.reached or level.control_s >= level.control_longest_s:
            return False
        self.level = replace(level, control_s=level.control_s + 1)
        return True

    def cut_to(self, ended_s: int) -> None:
        """No order is due from `ended_s` on, though nothing went wrong: a file was at its end.

        The control window ends there. It keeps its planned length if it can, should its beginning
        have been moved: what was planned is measured, and that it was not warmed up is told.
        """
        planned, level = self.planned, self.level
        if planned.control_end_s <= ended_s < level.control_end_s:
            warmup_s = min(level.warmup_s, ended_s - planned.control_s)
            self.level = replace(level, warmup_s=warmup_s, control_s=ended_s - warmup_s)
        elif ended_s < planned.control_end_s:
            self.level = planned
        self.settled = True
