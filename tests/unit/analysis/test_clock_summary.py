from dataclasses import replace

import pytest

from cluster.analysis.clock_summary import clock_findings, clock_summaries, start_of
from cluster.analysis.level import summarise_level
from cluster.results.clock import ClockReading, HostClock
from cluster.results.level import LevelRecord
from cluster.units import NS_PER_MS, NS_PER_S
from fakes.levels import START_NS, Truth, level_record, with_agent

OFFSET_NS = 3_600 * NS_PER_S
ERROR_NS = 40_000


def clock(ppm: float = 0, step_ns: int = 0, step_at_s: int = 99) -> tuple[ClockReading, ...]:
    """Read once a second from just before the start."""
    return tuple(
        ClockReading(
            START_NS + (s - 1) * NS_PER_S,
            OFFSET_NS + round(ppm * 1e-6 * (s - 1) * NS_PER_S) + (step_ns if s >= step_at_s else 0),
            ERROR_NS,
        )
        for s in range(60)
    )


def record_of(readings: tuple[ClockReading, ...], late_ns: int = 25_000) -> LevelRecord:
    """Of two agents; the second's clock is another."""
    record = level_record(Truth())
    record = with_agent(record, 0, began_ns=START_NS + 4_000, same_clock=True)
    began_ns = START_NS + OFFSET_NS + late_ns
    return with_agent(record, 1, began_ns=began_ns, clock=readings)


def test_the_start_is_mapped_to_the_drivers_clock_within_the_error_of_the_mapping() -> None:
    own, other = record_of(clock()).agents

    assert (4_000, 0) == ((start := start_of(own, START_NS)) and (start.skew_ns, start.error_ns))
    start = start_of(other, START_NS)
    assert start is not None
    assert abs(start.skew_ns - 25_000) <= start.error_ns <= ERROR_NS


@pytest.mark.parametrize("changes", [{"began_ns": None}, {"clock": ()}])
def test_without_a_clock_or_a_beginning_no_skew_is_told(changes: dict[str, object]) -> None:
    record = with_agent(record_of(clock()), 1, **changes)

    assert start_of(record.agents[1], START_NS) is None
    assert summarise_level(record).agents[1].start_skew_ns is None


def test_each_agent_and_the_engine_has_a_row_over_all_levels() -> None:
    near, far = record_of(clock(20)), record_of(clock(20), late_ns=-90_000)
    engine = HostClock("e", same=False, readings=clock(-50))

    own, other, engines = clock_summaries([near, far], engine)

    assert ("agent-0", "load-0", True, 0, 0, 4_000) == (
        own.who,
        own.host,
        own.same,
        own.error_ns,
        own.drift_ppm,
        own.start_skew_ns,
    )
    assert (False, 120) == (other.same, other.readings)
    assert other.offset_ns is not None
    assert abs(other.offset_ns - OFFSET_NS) <= ERROR_NS
    assert other.drift_ppm == pytest.approx(20, abs=3)
    # The worse of the two levels, within the error of the clock.
    assert other.start_skew_ns is not None
    assert abs(other.start_skew_ns + 90_000) <= ERROR_NS
    assert ("engine", "e") == (engines.who, engines.host)
    assert engines.drift_ppm == pytest.approx(-50, abs=3)
    assert "it sends no orders" == engines.not_measured["start_skew_ns"]


def test_what_was_not_read_says_why() -> None:
    once = replace(record_of(clock()), start_ns=START_NS)
    once = with_agent(once, 0, clock=(), same_clock=False, began_ns=None)
    once = with_agent(once, 1, clock=clock()[:1])

    none, one = clock_summaries([once], None)

    assert {"offset_ns", "error_ns", "drift_ppm", "start_skew_ns"} == set(none.not_measured)
    assert {"drift_ppm": "its clock was read once only"} == one.not_measured


def test_a_clock_that_was_moved_is_a_warning_with_its_host_and_by_how_much() -> None:
    record = record_of(clock(step_ns=-8 * NS_PER_MS, step_at_s=30))
    engine = HostClock("e", same=False, readings=clock(step_ns=NS_PER_S, step_at_s=5))

    load, of_engine = clock_findings([record], engine)

    assert ("clock-moved", "warning") == (load.code, load.severity)
    assert "load-1 (agent-1) moved 8 ms back against" in load.message
    assert "e (engine) moved 1 s ahead against" in of_engine.message


def test_sound_clocks_and_the_drivers_own_are_no_finding() -> None:
    moved_but_same = HostClock("e", same=True, readings=())

    assert [] == clock_findings([record_of(clock(60))], moved_but_same)
    assert [] == clock_findings([record_of(clock())], None)
