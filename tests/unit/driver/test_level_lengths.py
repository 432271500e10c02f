"""Levels whose length is decided while they run, in virtual time: warm-up 1 s, control 3 s."""

from dataclasses import replace

import pytest

from cluster.experiment.measure import Until
from cluster.experiment.plan import Level
from cluster.results.level import LevelRecord
from cluster.units import NS_PER_S
from fakes.lengths import KnownLengths
from fakes.scene import LEVEL, FakeWatcher, Scene

UNTIL = Until(percentile="p99", half_width_ratio=0.05, at_most_s=30)


def scene(known: KnownLengths, level: Level = LEVEL, watcher: FakeWatcher | None = None) -> Scene:
    return Scene(level=level, tests=known.tests, watcher=watcher or FakeWatcher())


def lengths(record: LevelRecord) -> tuple[int, int, int]:
    return record.level.warmup_s, record.level.control_s, record.level.profile_s


def sent_s(record: LevelRecord) -> list[int]:
    """How many seconds each agent sent for, by its intervals."""
    return [len(agent.intervals) for agent in record.agents]


def test_a_warm_up_that_is_over_moves_nothing() -> None:
    known = KnownLengths(warm_up_ends_s=0.75)

    record = scene(known).carry_out()

    assert lengths(record) == (1, 3, 2)
    assert record.completed_s == 6
    assert sent_s(record) == [6, 6]
    assert record.ended_early == ""


def test_the_control_window_begins_where_the_warm_up_ends() -> None:
    planted = scene(KnownLengths(warm_up_ends_s=2.25))

    record = planted.carry_out()

    assert lengths(record) == (3, 3, 2)
    assert sent_s(record) == [8, 8]
    assert planted.engine.opened_ns == [record.start_ns + 6 * NS_PER_S]
    assert planted.engine.closed_ns == [record.start_ns + 8 * NS_PER_S]
    assert "warm-up-extended" in planted.watcher.events
    assert (3, 3) in planted.watcher.moved_to


def test_a_warm_up_that_may_not_be_over_is_given_another_second_each_time() -> None:
    known = KnownLengths(warm_up_ends_s=0, unsettled_until_s=4)

    record = scene(known).carry_out()

    assert lengths(record) == (3, 3, 2)
    assert known.asked_at == [2, 3, 4]


def test_a_warm_up_never_lasts_longer_than_allowed() -> None:
    level = replace(LEVEL, warmup_at_most_s=5)

    record = scene(KnownLengths(warm_up_ends_s=100), level).carry_out()

    assert lengths(record) == (5, 3, 2)
    assert record.completed_s == 10


def test_a_fixed_warm_up_asks_no_test_and_tells_agents_no_end() -> None:
    known = KnownLengths(warm_up_ends_s=100)
    planted = scene(known, replace(LEVEL, warmup_at_most_s=1))

    record = planted.carry_out()

    assert lengths(record) == (1, 3, 2)
    assert known.asked_at == []
    assert "end_at" not in planted.agents["agent-0"].calls


def test_the_end_is_told_once_at_least_a_second_ahead() -> None:
    planted = scene(KnownLengths(warm_up_ends_s=2.25), replace(LEVEL, profile_s=0))

    record = planted.carry_out()

    for agent in planted.agents.values():
        assert agent.calls.count("end_at") == 1
        assert agent.ends_ns == [record.start_ns + 6 * NS_PER_S]
        # Told in second 5: the fake asserts that it still lies ahead.
        assert agent.calls[agent.calls.index("start") :].index("end_at") == 1 + 5


def test_the_control_window_goes_on_until_the_percentile_is_known() -> None:
    level = replace(LEVEL, until=UNTIL)
    # Known within 5 % after 0.1² / 0.05² = 4 seconds; at the end of each, the last but one is whole
    # for sure and one more is on its way.
    planted = scene(KnownLengths(half_width_after_1_s=0.1), level)

    record = planted.carry_out()

    assert lengths(record) == (1, 6, 2)
    assert record.completed_s == 9
    assert sent_s(record) == [9, 9]
    assert planted.watcher.events.count("control-extended") == 1
    assert planted.watcher.events.count("windows-settled") == 1
    assert "p99 ± 7.1%, until ± 5%" in planted.watcher.remarks


def test_until_is_given_up_at_its_bound() -> None:
    level = replace(LEVEL, until=UNTIL.model_copy(update={"at_most_s": 8}))

    record = scene(KnownLengths(half_width_after_1_s=100), level).carry_out()

    assert lengths(record) == (1, 8, 2)
    assert record.completed_s == 11
    assert record.ended_early == ""


def test_until_looks_at_the_control_window_where_the_warm_up_left_it() -> None:
    known = KnownLengths(warm_up_ends_s=4, half_width_after_1_s=0.1)

    record = scene(known, replace(LEVEL, until=UNTIL)).carry_out()

    assert {window.start for window in known.windows} == {4}
    assert lengths(record) == (4, 6, 2)


@pytest.mark.parametrize("until", [None, UNTIL])
def test_the_shortest_level_is_decided_before_its_first_second(until: Until | None) -> None:
    level = replace(LEVEL, warmup_s=0, control_s=1, profile_s=0, until=until)

    record = scene(KnownLengths(half_width_after_1_s=0.05), level).carry_out()

    assert record.level.warmup_s == 0
    assert record.level.control_s == record.completed_s == (1 if until is None else 3)


def test_an_interruption_keeps_a_control_window_that_is_long_enough() -> None:
    level = replace(LEVEL, until=UNTIL)
    known = KnownLengths(half_width_after_1_s=100)

    record = scene(known, level, FakeWatcher(interrupts_at_s=7)).carry_out()

    assert record.ended_early == "interrupted"
    assert lengths(record)[:2] == (1, 6)
    assert record.completed_s == 7


def test_an_interruption_before_that_leaves_what_was_planned() -> None:
    record = scene(
        KnownLengths(warm_up_ends_s=9), watcher=FakeWatcher(interrupts_at_s=3)
    ).carry_out()

    assert lengths(record) == (1, 3, 2)
    assert record.completed_s == 3


def test_an_engine_that_dies_while_the_end_is_open_leaves_an_unfinished_window() -> None:
    planted = scene(KnownLengths(half_width_after_1_s=100), replace(LEVEL, until=UNTIL))
    planted.engine.exits_after_s = 9

    record = planted.carry_out()

    assert record.ended_early == "the engine ended by itself: SIGABRT"
    assert record.completed_s < record.level.control_end_s


def test_a_file_that_ends_while_the_warm_up_is_awaited_gives_the_planned_windows() -> None:
    """Nothing is missing that was planned: the file has the eight seconds it was planned for."""
    planted = scene(KnownLengths(warm_up_ends_s=9), replace(LEVEL, profile_s=0))
    for agent in planted.agents.values():
        agent.source_ends_after_s = 6

    record = planted.carry_out()

    assert lengths(record) == (3, 3, 0)
    assert record.completed_s == 6
    assert record.ended_early == ""


def test_a_file_that_is_too_short_ends_the_level_early() -> None:
    planted = scene(KnownLengths(warm_up_ends_s=9))
    for agent in planted.agents.values():
        agent.source_ends_after_s = 3

    record = planted.carry_out()

    assert lengths(record) == (1, 3, 2)
    assert record.ended_early == "the file is at its end"


def test_an_agent_that_does_not_take_the_end_is_lost() -> None:
    planted = scene(KnownLengths())
    planted.agents["agent-1"].refuses_end = True

    record = planted.carry_out()

    assert record.ended_early == "agent-1 was lost: no end is taken"
    assert record.agents[1].lost == "no end is taken"
