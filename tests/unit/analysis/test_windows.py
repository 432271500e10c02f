from dataclasses import replace

from cluster.analysis.windows import common_end_s, merge, phase_of, windows
from cluster.results.histogram import Histogram
from fakes.levels import Truth, level_record

TRUTH = Truth(offered_per_s=1_000, warmup_s=2, control_s=4, profile_s=3)


def test_a_whole_level_has_its_windows_where_the_plan_has_them():
    cut = windows(level_record(TRUTH))

    assert (range(2, 6), range(6, 9)) == (cut.control, cut.profile)


def test_a_level_that_ended_early_has_its_windows_cut():
    cut = windows(level_record(replace(TRUTH, completed_s=4)))

    assert (range(2, 4), 0) == (cut.control, len(cut.profile))


def test_a_level_that_ended_in_its_warm_up_has_no_windows():
    cut = windows(level_record(replace(TRUTH, completed_s=1)))

    assert (0, 0) == (len(cut.control), len(cut.profile))


def test_only_what_all_agents_recorded_counts_when_one_is_lost():
    record = level_record(replace(TRUTH, lost_agent="host down"))
    merged = merge(record.agents, windows(record).control)

    assert common_end_s(record) == 4
    assert merged.seconds == range(2, 4)
    assert merged.orders.intended == 2_000


def test_merging_adds_every_agent_s_seconds_exactly():
    record = level_record(TRUTH)
    merged = merge(record.agents, range(2, 6))
    expected = Histogram.sum(
        i.response for agent in record.agents for i in agent.intervals if 2 <= i.index < 6
    )

    assert expected == merged.response
    assert merged.orders.intended == merged.send_lag.total == 4_000


def test_seconds_have_their_phase():
    phases = [phase_of(level_record(TRUTH).level, second) for second in (0, 1, 2, 5, 6, 8, 9)]

    assert phases == ["warm-up", "warm-up", "control", "control", "profile", "profile", "drain"]
