import pytest

from cluster.errors import AgentLost
from cluster.fleet.clocks import (
    GLANCE_NS,
    LEAD_NS,
    PROBES,
    PROBES_LEAST,
    FleetClocks,
    common_start,
    measure_clocks,
)
from cluster.fleet.in_process import InProcessFleet
from cluster.host.clock import SAME_CLOCK, ClockOffset
from cluster.units import NS_PER_MS, NS_PER_S
from fakes.agents import FakeAgent, FakeClock


def fleet_of(**agents: FakeAgent) -> InProcessFleet:
    return InProcessFleet(agents)  # type: ignore[arg-type]  # a fake by shape


class SlowClock(FakeClock):
    """Every look takes some of the time: an exchange is under way so long."""

    def __init__(self, *looks_ns: int) -> None:
        super().__init__()
        self.looks_ns = list(looks_ns)
        self.looks = 0

    def look_ns(self) -> int:
        self.time_ns += self.looks_ns[self.looks % len(self.looks_ns)]
        self.looks += 1
        return self.time_ns


def test_a_clock_that_is_hours_apart_is_found_within_its_error() -> None:
    clock = FakeClock()
    with fleet_of(a=FakeAgent(clock, offset_ns=7_200 * NS_PER_S)) as fleet:
        found = measure_clocks(fleet, clock.now_ns)["a"]

    assert abs(found.offset_ns - 7_200 * NS_PER_S) <= found.error_ns == 1


def test_the_quickest_exchange_decides_and_its_delay_bounds_the_error() -> None:
    clock = SlowClock(1_000, 500_000, 1_000, 80_000)
    with fleet_of(a=FakeAgent(clock, offset_ns=NS_PER_S)) as fleet:
        found = measure_clocks(fleet, clock.look_ns)["a"]

    assert (40_001, 1) == (found.error_ns, abs(found.offset_ns - NS_PER_S) // 40_000)


def test_a_clock_that_is_known_to_be_the_drivers_own_has_no_offset() -> None:
    clock = SlowClock(10_000)
    with fleet_of(a=FakeAgent(clock), b=FakeAgent(clock)) as fleet:
        found = measure_clocks(fleet, clock.look_ns, same={"a"})

    assert SAME_CLOCK == found["a"]
    assert found["b"].error_ns > 0


def test_what_is_said_to_be_the_same_clock_is_not_believed_against_a_reading() -> None:
    clock = FakeClock()
    with fleet_of(a=FakeAgent(clock, offset_ns=NS_PER_MS)) as fleet:
        clocks = FleetClocks(fleet, clock.now_ns, same={"a"})
        found = clocks.compare()

    assert NS_PER_MS == found["a"].offset_ns
    assert not clocks.is_same("a")


def test_an_agent_that_does_not_answer_is_named_at_the_start() -> None:
    clock = FakeClock()
    with (
        fleet_of(a=FakeAgent(clock), b=FakeAgent(clock, silent=True)) as fleet,
        pytest.raises(AgentLost, match="b: the actor died"),
    ):
        measure_clocks(fleet, clock.now_ns)


def test_while_the_load_runs_every_agent_is_read_and_a_silent_one_left_alone() -> None:
    clock = FakeClock()
    agents = {"a": FakeAgent(clock), "b": FakeAgent(clock)}
    with fleet_of(**agents) as fleet:
        clocks = FleetClocks(fleet, clock.now_ns)
        clocks.compare()
        agents["b"].silent = True
        for _ in range(3):
            clock.sleep(1)
            clocks.glance(("a", "b"))

    assert (4, 1) == (len(clocks.readings["a"]), len(clocks.readings["b"]))
    assert [0, 1, 2, 3] == [
        (reading.at_ns - clocks.readings["a"][0].at_ns) // NS_PER_S
        for reading in clocks.readings["a"]
    ]


def test_a_glance_ends_in_time_and_the_others_come_next() -> None:
    clock = SlowClock(GLANCE_NS // 6)
    names = [f"agent-{k}" for k in range(10)]
    with fleet_of(**{name: FakeAgent(clock) for name in names}) as fleet:
        clocks = FleetClocks(fleet, clock.look_ns)
        began_ns = clock.time_ns
        clocks.glance(names)
        took_ns = clock.time_ns - began_ns
        for _ in range(5):
            clocks.glance(names)

    assert took_ns < 2 * GLANCE_NS
    read = [len(clocks.readings[name]) for name in names]
    assert max(read) - min(read) <= 1
    assert min(read) >= 1


def test_of_many_agents_each_is_asked_less_often_for_a_start() -> None:
    clock = FakeClock()
    for agents, probes in ((1, PROBES), (250, PROBES), (1_000, PROBES_LEAST)):
        asked = SlowClock(1)
        with fleet_of(**{f"a{k}": FakeAgent(clock) for k in range(agents)}) as fleet:
            FleetClocks(fleet, asked.look_ns).compare()
        # Two looks for each exchange.
        assert 2 * probes * agents == asked.looks


def test_each_clock_starts_at_its_own_number() -> None:
    start_ns, starts = common_start(
        {"a": SAME_CLOCK, "b": ClockOffset(5_000_000, 50, "test")}, 1_000
    )

    assert start_ns == 1_000 + LEAD_NS
    assert starts == {"a": start_ns, "b": start_ns + 5_000_000}
