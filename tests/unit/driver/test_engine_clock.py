import threading

import pytest

from cluster.driver.engine_clock import EXCHANGES, EXCHANGES_AT_FIRST, EngineClock
from cluster.errors import ConnectionFailed, HostError
from cluster.host.clock import ClockOffset

LONG_S = 20.0


class FarHost:
    """A host whose clock can be read so often, then the connection is lost."""

    def __init__(self, readings: int) -> None:
        self.left = readings
        self.asked: list[int] = []
        self.lost = threading.Event()

    def measure(self, exchanges: int) -> ClockOffset:
        if not self.left:
            self.lost.set()
            raise ConnectionFailed("engine", "the connection was lost")
        self.left -= 1
        self.asked.append(exchanges)
        return ClockOffset(1_000 + len(self.asked), 10, "test")


def test_the_clock_is_read_until_the_connection_is_lost_and_the_readings_stay() -> None:
    host = FarHost(3)
    clock = EngineClock(host.measure, now_ns=lambda: 5, every_s=0.001)

    assert host.lost.wait(LONG_S)
    clock.end()

    assert [EXCHANGES_AT_FIRST, EXCHANGES, EXCHANGES] == host.asked
    assert 1_001 == clock.first.offset_ns
    assert [(5, 1_001, 10), (5, 1_002, 10), (5, 1_003, 10)] == [
        (reading.at_ns, reading.offset_ns, reading.error_ns) for reading in clock.readings
    ]


def test_a_clock_that_can_t_be_read_at_first_is_an_error() -> None:
    with pytest.raises(HostError):
        EngineClock(FarHost(0).measure)


def test_an_end_does_not_wait_for_the_next_reading() -> None:
    clock = EngineClock(FarHost(9).measure, every_s=3_600)

    clock.end()
    clock.end()

    assert 1 == len(clock.readings)
