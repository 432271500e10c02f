"""Levels that change while they are measured, and levels that only wander."""

import time
from dataclasses import replace

import numpy as np
import pytest

from cluster.analysis.level import summarise_level
from cluster.analysis.observed import observe
from cluster.analysis.steady.level_series import level_series
from cluster.analysis.steady.steadiness import steadiness
from cluster.results.finding import Severity
from cluster.units import NS_PER_US
from fakes.levels import Truth, level_record

GOOD = Truth(offered_per_s=4_000, warmup_s=2, control_s=10)
SERIES = ["rate", "response p50", "response p99", "in flight"]


def engine_of(mean_us):
    """Engine times about `mean_us(second)`."""
    return lambda rng, n, second: rng.normal(mean_us(second), 1, n).clip(1) * NS_PER_US


def told(truth):
    return {f.code: f.message for f in summarise_level(level_record(truth)).findings}


def test_a_good_level_is_steady_in_every_series():
    found = steadiness(observe(level_record(GOOD)))

    assert found.steady
    assert found.discarded_s == 2
    assert found.warm_up_ends_s == 0
    assert [test.series for test in found.series] == SERIES
    assert found.not_measured == {}


@pytest.mark.parametrize(
    ("mean_us", "said"),
    [
        (lambda second: 100 / (second + 1), "the response p50 drifted by -"),
        (lambda second: 30 + 30 * (second >= 6), "the response p50 changed at 6 s"),
        (lambda second: 30 + 4 * second, "the response p50"),
        (lambda second: 90 if second < 4 else 30, "the warm-up ended only after 2 s"),
    ],
    ids=["warms up", "step", "drift", "late"],
)
def test_a_level_that_changes_is_told(mean_us, said):
    summary = summarise_level(level_record(replace(GOOD, engine=engine_of(mean_us))))
    (finding,) = [f for f in summary.findings if f.code == "not-steady"]

    assert finding.severity is Severity.WARNING
    assert said in finding.message
    assert summary.steadiness.steady is False
    assert summary.response_ns.p99 is not None


@pytest.mark.parametrize(
    "mean_us",
    [
        lambda second: 30 + 0.1 * second,
        lambda second: 30 + 3 * (second % 2),
        lambda second: 90 if second < 2 else 30,
        lambda second: 300 if second == 7 else 30,
    ],
    ids=["little", "back and forth", "warm in time", "one bad second"],
)
def test_a_level_that_does_not_change_for_good_is_not_told(mean_us):
    assert told(replace(GOOD, engine=engine_of(mean_us))) == {}


def test_a_percentile_within_a_second_is_that_of_its_orders():
    def slower(rng, n, _second):
        late = np.arange(n) >= n // 2
        return rng.normal(np.where(late, 60, 20), 1, n) * NS_PER_US

    truth = replace(GOOD, agents=1, engine=slower, rejected_ratio=0)
    p50 = level_series(observe(level_record(truth)))[1]

    assert p50.step_s == 0.25
    assert p50.values.reshape(10, 4).mean(axis=0) == pytest.approx(
        np.array([42, 42, 82, 82]) * NS_PER_US, rel=0.02
    )


@pytest.mark.parametrize(
    ("rate", "control_s", "steps_s"),
    [(4_000, 60, (1, 1, 1)), (4_000, 10, (0.25, 0.25, 0.25)), (100, 60, (1, 5, 1))],
)
def test_steps_have_orders_enough_and_windows_have_points_enough(rate, control_s, steps_s):
    truth = replace(GOOD, offered_per_s=rate, control_s=control_s)
    series = level_series(observe(level_record(truth)))

    assert tuple(s.step_s for s in series[1:]) == steps_s


def test_a_short_level_says_what_it_could_not_test():
    truth = replace(GOOD, offered_per_s=20, control_s=3)
    found = steadiness(observe(level_record(truth)))

    assert found.series[2].steady is None
    assert found.series[2].not_measured["steady"] == (
        "the longest step, 10 s, does not hold the 384 orders that it needs"
    )
    assert "warm_up_ends_s" in found.not_measured


def test_an_unstable_level_has_no_response_times_and_says_why():
    record = level_record(replace(GOOD, answered_per_s=3_900, profile_s=3))
    summary = summarise_level(record)
    why = "unstable at this rate: unanswered orders piled up by 100/s"

    for times in (
        summary.response_ns,
        summary.service_ns,
        summary.profiled_response_ns,
        *(agent.response_ns for agent in summary.agents),
    ):
        figures = times.model_dump(include={"min", "mean", "p50", "p99", "p99_9", "max", "stdev"})
        assert set(figures.values()) == {None}
        assert times.not_measured["p99"].startswith(why)
        assert times.intervals == {}
    assert summary.response_ns.count == 40_000
    assert summary.curve == []
    assert summary.not_measured["curve"].startswith(why)
    assert summary.steadiness.steady is False
    assert summary.steadiness.littles_law is None
    assert summary.send_lag_ns.p99 is not None
    assert "not-steady" not in told(replace(GOOD, answered_per_s=3_900))
    assert record.agents[0].intervals[3].response.percentile(99)


def test_a_stable_level_keeps_its_response_times():
    summary = summarise_level(level_record(GOOD))

    assert summary.response_ns.p99 is not None
    assert summary.curve


def test_ten_minutes_are_judged_within_a_few_seconds():
    # About half a second; the limit is for a machine that does other things besides.
    seen = observe(level_record(replace(GOOD, offered_per_s=2_000, control_s=598)))
    began = time.process_time()
    found = steadiness(seen)

    assert found.steady
    assert time.process_time() - began < 5
