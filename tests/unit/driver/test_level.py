"""One level in virtual time: real driver code, fake agents, no sockets and no waiting."""

from dataclasses import replace

import pytest

from cluster.driver.level import INTERRUPTED, as_offered
from cluster.errors import StartFailed
from cluster.units import NS_PER_S
from fakes.scene import LEVEL, FakeWatcher, Scene


def test_a_whole_level_keeps_every_second_of_every_agent() -> None:
    record = Scene().carry_out()

    assert record.ended_early == ""
    assert record.completed_s == LEVEL.duration_s == 6
    assert [agent.host for agent in record.agents] == ["load-1", "load-2"]
    for agent in record.agents:
        assert [interval.index for interval in agent.intervals] == [0, 1, 2, 3, 4, 5]
        assert agent.orders.sent == 3000
        assert agent.orders.balanced


def test_the_profiler_runs_only_in_the_profile_window() -> None:
    scene = Scene()

    record = scene.carry_out()

    assert scene.engine.opened_ns == [record.start_ns + 4 * NS_PER_S]
    assert scene.engine.closed_ns == [record.start_ns + 6 * NS_PER_S]


def test_the_engine_is_read_over_the_control_and_the_profile_window() -> None:
    scene = Scene()

    start_ns = scene.carry_out().start_ns

    seconds = [
        ((a - start_ns) // NS_PER_S, (b - start_ns) // NS_PER_S) for a, b in scene.engine.windows
    ]
    assert seconds == [(1, 4), (4, 6)]


def test_refused_connections_name_every_agent_and_start_nothing() -> None:
    scene = Scene()
    scene.agents["agent-1"].refuses = True

    with pytest.raises(StartFailed, match=r"agent-1: connect to .*: Connection refused") as raised:
        scene.carry_out()

    assert list(raised.value.failed) == ["agent-1"]
    assert "start" not in scene.agents["agent-0"].calls


def test_an_engine_that_dies_ends_the_level_and_keeps_what_was_measured() -> None:
    scene = Scene()
    scene.engine.exits_after_s = 3

    record = scene.carry_out()

    assert record.ended_early == "the engine ended by itself: SIGABRT"
    assert record.completed_s == 3
    assert record.agents[0].orders.sent == 1500
    assert scene.agents["agent-0"].calls.count("stop") == 1


def test_a_lost_agent_keeps_its_data_and_stops_the_others() -> None:
    scene = Scene()
    scene.agents["agent-1"].dies_after_s = 3

    record = scene.carry_out()

    assert record.ended_early == "agent-1 was lost: the actor died"
    assert record.agents[1].lost == "the actor died"
    assert [interval.index for interval in record.agents[1].intervals] == [0, 1]
    assert "finish" not in scene.agents["agent-1"].calls
    assert "finish" in scene.agents["agent-0"].calls


def test_an_interruption_in_the_profile_window_closes_it_and_collects() -> None:
    scene = Scene(watcher=FakeWatcher(interrupts_at_s=5))

    record = scene.carry_out()

    assert record.ended_early == INTERRUPTED
    assert record.completed_s == 5
    assert len(scene.engine.closed_ns) == 1
    assert [agent.calls[-2:] for agent in scene.agents.values()] == [["close", "close"]] * 2
    assert record.agents[0].orders.sent == 2500


def test_every_agent_is_released_after_the_level() -> None:
    scene = Scene()

    scene.carry_out()

    assert all("close" in agent.calls for agent in scene.agents.values())


def test_a_level_of_recorded_times_was_offered_at_the_rate_of_its_books() -> None:
    record = Scene().carry_out()
    recorded = replace(LEVEL, arrivals="recorded", offered_per_s=None, speed=4.0)
    rate = sum(agent.orders.intended for agent in record.agents) / 6

    assert as_offered(recorded, record.agents, 6).offered_per_s == pytest.approx(rate)
    assert as_offered(recorded, record.agents, 0).offered_per_s == 0
    assert as_offered(LEVEL, record.agents, 6) is LEVEL


def test_the_record_has_every_agents_clock_and_when_it_began() -> None:
    scene = Scene()
    scene.agents["agent-1"].offset_ns = 3_600 * NS_PER_S
    scene.agents["agent-1"].begins_late_ns = 70_000

    record = scene.carry_out()

    first, second = record.agents
    assert first.start_ns == first.began_ns == record.start_ns
    assert abs(second.start_ns - record.start_ns - 3_600 * NS_PER_S) <= 1
    assert second.began_ns == second.start_ns + 70_000
    # Before the start, and after each second but the last.
    assert [LEVEL.duration_s + 1] * 2 == [len(agent.clock) for agent in record.agents]
    assert all(abs(read.offset_ns - 3_600 * NS_PER_S) <= read.error_ns for read in second.clock)
    assert not first.same_clock


def test_a_clock_that_is_the_drivers_own_is_kept_as_such() -> None:
    scene = Scene(same_clock=("agent-0", "agent-1"))
    scene.agents["agent-1"].offset_ns = NS_PER_S

    record = scene.carry_out()

    assert [True, False] == [agent.same_clock for agent in record.agents]
