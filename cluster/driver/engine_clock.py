"""The clock of the engine's host, compared with the driver's all through the run."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from cluster.errors import ConnectionFailed, HostError
from cluster.host.clock import ClockOffset, measure_offset
from cluster.host.protocol import Host
from cluster.host.supervised import Supervised
from cluster.results.clock import ClockReading

EVERY_S: Final = 5.0
EXCHANGES_AT_FIRST: Final = 20
EXCHANGES: Final = 4  # later, while there is load


class EngineClock:
    """Reads the clock of a host at once and every few seconds.

    On a thread of its own: a host that is slow to answer holds up nobody. Where the connection is
    lost the readings end, and others say so.
    """

    def __init__(
        self,
        measure: Callable[[int], ClockOffset],
        now_ns: Callable[[], int] = time.monotonic_ns,
        every_s: float = EVERY_S,
    ) -> None:
        """Read it for the first time, and go on until `end`.

        Args:
            measure: the offset by so many exchanges.
            now_ns: the driver's clock.
            every_s: time between two readings.

        Raises:
            HostError: it can't be read.
        """
        self._measure = measure
        self._now_ns = now_ns
        self._every_s = every_s
        self._ended = threading.Event()
        self.readings: list[ClockReading] = []
        self.first = self._read(EXCHANGES_AT_FIRST)
        self._thread = threading.Thread(target=self._go_on, name="engine-clock", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Read no more. Idempotent."""
        self._ended.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._ended.wait(self._every_s):
            try:
                self._read(EXCHANGES)
            except HostError:
                return

    def _read(self, exchanges: int) -> ClockOffset:
        began_ns = self._now_ns()
        found = self._measure(exchanges)
        middle_ns = (began_ns + self._now_ns()) // 2
        self.readings.append(ClockReading(middle_ns, found.offset_ns, found.error_ns))
        return found


@contextmanager
def engine_clock(host: Host, max_s: float) -> Iterator[EngineClock]:
    """Read the clock of `host` for at most `max_s`.

    Raises:
        HostError: its clock can't be read.
    """
    asked = Supervised.start(
        host, ["sleep", str(round(max_s))], label="the clock exchange", max_s=max_s
    )
    try:
        clock = EngineClock(lambda exchanges: measure_offset(asked, exchanges))
        try:
            yield clock
        finally:
            clock.end()
    finally:
        # A connection that is lost is others' to tell; what is left there ends by itself.
        with suppress(ConnectionFailed):
            asked.stop()
