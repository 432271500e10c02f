"""When perf counted and sampled."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HostWindow:
    """One profile window. Times are the engine host's CLOCK_MONOTONIC, in ns.

    From the acknowledgement of `enable` to the sending of `disable`: within it perf was surely
    on. It may have been on a little longer at both ends.
    """

    level: int
    start_ns: int
    end_ns: int

    @property
    def duration_ns(self) -> int:
        """Length in ns."""
        return self.end_ns - self.start_ns
