"""How often stationary levels are called anything else, and how often planted changes are found.

docs/measurement.md has these numbers from longer simulations.
"""

import numpy as np
import pytest

from cluster.analysis.steady.stationarity import MOVED_RATIO_RATE, Series, judge
from fakes.wander import autoregressive

RUNS = 80


def level(rng, points, correlation, deviation, shape=1.0):
    """The series of a level: response times and orders in flight follow `shape`."""
    times = np.arange(points) * 1.0

    def noisy(width):
        return shape * np.exp(autoregressive(rng, points, correlation, width))

    rate = 1 + autoregressive(rng, points, correlation, deviation / 5)
    return [
        Series("rate", times, rate, 1, MOVED_RATIO_RATE),
        Series("response p50", times, noisy(deviation), 1),
        Series("response p99", times, noisy(2 * deviation), 1),
        Series("in flight", times, noisy(deviation), 1),
    ]


def flagged(points, correlation, deviation, shape=1.0, runs=RUNS):
    rng = np.random.default_rng(points)
    levels = (level(rng, points, correlation, deviation, shape) for _ in range(runs))
    return np.mean([any(t.steady is False for t in judge(family)) for family in levels])


@pytest.mark.parametrize("points", [10, 20, 60])
@pytest.mark.parametrize("correlation", [0, 0.3])
def test_at_most_one_in_twenty_stationary_levels_is_called_anything_else(points, correlation):
    assert flagged(points, correlation, 0.2) <= 0.05


@pytest.mark.parametrize("points", [20, 60])
def test_a_drift_of_a_fifth_is_found(points):
    drift = 1 + 0.2 * np.arange(points) / points

    assert flagged(points, 0.3, 0.05, drift, runs=40) >= 0.7


@pytest.mark.parametrize("points", [40, 60])
def test_a_step_of_three_tenths_is_found(points):
    step = 1 + 0.3 * (np.arange(points) >= points / 2)

    assert flagged(points, 0, 0.05, step, runs=40) >= 0.7


def test_a_warm_up_that_goes_on_is_found_in_ten_points():
    assert flagged(10, 0.3, 0.05, 1 / (np.arange(10) + 2), runs=40) >= 0.7


def test_a_change_too_small_to_matter_is_none_however_certain():
    tiny = 1 + 0.02 * np.arange(200) / 200

    assert flagged(200, 0, 0.001, tiny, runs=3) == 0


def test_the_place_of_a_change_is_told():
    rng = np.random.default_rng(1)
    family = level(rng, 60, 0, 0.02, 1 + 0.5 * (np.arange(60) >= 20))
    found = {test.series: test for test in judge(family)}

    assert found["response p50"].change_at_s == 20
    assert found["rate"].change_at_s is None
    assert found["rate"].steady


def test_few_points_are_tested_as_far_as_they_go():
    times = np.arange(12.0)
    (found,) = judge([Series("in flight", times, 1 + 0.01 * np.sin(times * 40), 1)])

    assert found.steady
    assert found.adf_p is None
    assert "12 points" in found.not_measured["adf_p"]


@pytest.mark.parametrize(
    ("series", "why"),
    [
        (Series("rate", np.arange(4.0), np.ones(4), 1), "4 points of 1 s; 10 are needed"),
        (Series("rate", np.zeros(0), np.zeros(0), 1, why="not sampled"), "not sampled"),
    ],
)
def test_what_is_not_tested_says_why(series, why):
    (found,) = judge([series])

    assert found.steady is None
    assert found.not_measured["steady"] == why


def test_a_series_that_never_changes_is_steady():
    (found,) = judge([Series("rate", np.arange(30.0), np.full(30, 5.0), 1)])

    assert found.steady
    assert found.not_measured["adf_p"] == "every point is the same"
    assert judge([Series("in flight", np.arange(30.0), np.zeros(30), 1)])[0].steady
