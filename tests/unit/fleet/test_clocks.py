from cluster.fleet.clocks import LEAD_NS, ClockOffset, common_start, measure_clocks
from cluster.fleet.in_process import InProcessFleet
from fakes.agents import FakeAgent, FakeClock


def test_a_clock_that_is_hours_apart_is_found_within_its_error() -> None:
    far = FakeClock(0)
    with InProcessFleet({"a": FakeAgent(far)}) as fleet:  # type: ignore[dict-item]  # a fake by shape
        clock = measure_clocks(fleet)["a"]

    # The far clock stands still, so its offset is minus the driver's own time.
    assert clock.offset_ns < -clock.error_ns


def test_a_shared_clock_starts_at_the_same_number() -> None:
    start_ns, starts = common_start({"a": ClockOffset(30, 50), "b": ClockOffset(-50, 50)}, 1_000)

    assert start_ns == 1_000 + LEAD_NS
    assert starts == {"a": start_ns, "b": start_ns}


def test_another_clock_starts_at_its_own_number() -> None:
    start_ns, starts = common_start({"a": ClockOffset(5_000_000, 50)}, 1_000)

    assert starts == {"a": start_ns + 5_000_000}
