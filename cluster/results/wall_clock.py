"""Where the driver's monotonic clock stands against the wall clock."""

import time
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class WallClock:
    """How the driver's monotonic clock maps to the wall clock, read once per run."""

    monotonic_ns: int
    epoch_ns: int
    error_ns: int  # half of how long reading both took

    @classmethod
    def read(cls) -> Self:
        """Read the wall clock between two reads of the monotonic clock."""
        before, epoch, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        return cls((before + after) // 2, epoch, (after - before + 1) // 2)

    def epoch_of(self, monotonic_ns: int) -> int:
        """The wall clock's ns since 1970 at a moment of the monotonic clock."""
        return self.epoch_ns + monotonic_ns - self.monotonic_ns
