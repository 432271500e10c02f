"""The end of a planted warm-up is found, and none where there is none."""

from dataclasses import replace

import numpy as np
import pytest

from cluster.analysis.steady.warm_up import cut_at, warm_up_end_s
from cluster.units import NS_PER_US
from fakes.levels import Truth, level_record
from fakes.wander import autoregressive

STEP_S = 0.25
RATE = Truth(offered_per_s=2_000, warmup_s=2, control_s=10)


def cuts(shape, *, deviation=0.05, correlation=0.3, runs=100):
    """Seconds cut off of `shape` under noise; None where it may not be over."""
    rng = np.random.default_rng(11)
    found = [
        cut_at(shape * np.exp(autoregressive(rng, len(shape), correlation, deviation)))
        for _ in range(runs)
    ]
    return [None if cut is None else cut * STEP_S for cut in found]


def share(found, condition):
    return sum(map(condition, found)) / len(found)


def steps(seconds):
    return np.arange(round(seconds / STEP_S)) * STEP_S


def intervals_of(record):
    return [interval for agent in record.agents for interval in agent.intervals]


@pytest.mark.parametrize("correlation", [0, 0.3])
@pytest.mark.parametrize("seconds", [6, 12, 30, 100])
def test_of_stationary_series_at_most_one_in_twenty_loses_more_than_a_second(seconds, correlation):
    found = cuts(np.ones(round(seconds / STEP_S)), correlation=correlation, runs=300)

    assert share(found, lambda cut: cut is not None and cut > 1) <= 0.05
    assert share(found, lambda cut: cut is None) <= 0.06


@pytest.mark.parametrize(("time_s", "height"), [(0.5, 2), (1, 1)])
def test_a_decay_is_cut_where_it_sinks_into_the_noise(time_s, height):
    seconds = steps(30)
    found = cuts(1 + height * np.exp(-seconds / time_s), deviation=0.02)
    over_s = time_s * np.log(height / 0.02)

    assert None not in found
    assert over_s - 1 <= np.median(found) <= over_s
    assert share(found, lambda cut: over_s - 1.5 <= cut <= over_s + 1) >= 0.9


@pytest.mark.parametrize("height", [0.3, 2])
def test_a_step_at_three_seconds_is_found_there(height):
    found = cuts(1 + height * (steps(30) < 3))

    assert np.median(found) == 3
    assert share(found, lambda cut: cut is not None and 2.5 <= cut <= 4) >= 0.9


def test_times_that_begin_too_short_are_a_warm_up_too():
    found = cuts(1 - 0.5 * (steps(30) < 3))

    assert np.median(found) == 3


@pytest.mark.parametrize("at_s", [5, 9, 14, 18])
@pytest.mark.parametrize("length_s", [0.25, 1])
def test_a_stall_is_no_warm_up(at_s, length_s):
    seconds = steps(20)
    stalled = 1 + 20 * ((seconds >= at_s) & (seconds < at_s + length_s))
    found = cuts(stalled)

    assert share(found, lambda cut: cut is None or cut > 1) <= 0.05


@pytest.mark.parametrize(
    "points",
    [np.full(40, 7.0), np.where(np.arange(40) % 2, 7.0, 7.0001), np.tile((1.0, 2.0), 20)],
    ids=["constant", "nearly constant", "two values"],
)
def test_ties_and_constant_series_have_no_warm_up(points):
    assert cut_at(points) == 0


def test_what_never_settles_has_no_end():
    found = cuts(1 + steps(20) / 10, deviation=0.02)

    assert set(found) == {None}


def test_a_change_in_the_later_half_is_not_the_end_of_a_warm_up():
    found = cuts(1 + (steps(20) < 14), deviation=0.02)

    assert set(found) == {None}


def test_a_level_without_warm_up_has_none():
    assert warm_up_end_s(intervals_of(level_record(RATE)), 12).ends_s == 0


def test_a_level_that_is_slow_for_three_seconds_is_warm_then():
    def slow(rng, n, second):
        return rng.normal(90 if second < 3 else 30, 2, n) * NS_PER_US

    record = level_record(replace(RATE, engine=slow))

    assert warm_up_end_s(intervals_of(record), 12).ends_s == 3
    assert warm_up_end_s(intervals_of(record), 5).unsettled


def test_the_order_of_intervals_and_the_number_of_agents_do_not_matter():
    record = level_record(replace(RATE, agents=4))
    intervals = intervals_of(record)

    assert warm_up_end_s(intervals, 12) == warm_up_end_s(intervals[::-1], 12)


@pytest.mark.parametrize(("rate", "known"), [(10, False), (40, True), (400, True)])
def test_few_orders_make_longer_steps_and_too_few_none(rate, known):
    record = level_record(replace(RATE, offered_per_s=rate))
    found = warm_up_end_s(intervals_of(record), 12)

    assert (found.ends_s is not None) == known
    assert bool(found.why) != known


def test_a_level_that_has_hardly_begun_is_not_judged():
    found = warm_up_end_s(intervals_of(level_record(RATE)), 2)

    assert found.ends_s is None
    assert not found.unsettled
    assert "8 points of 0.25 s" in found.why
    assert warm_up_end_s([], 0).ends_s is None


def test_ten_minutes_are_judged_within_a_fraction_of_a_second():
    points = 1 + np.random.default_rng(3).normal(0, 0.1, 2_400)

    assert cut_at(points) == 0
