"""Rank tests against values known otherwise."""

import numpy as np
import pytest
from scipy import stats

from cluster.analysis.steady.rank_tests import change_point, holm, monotone_trend
from cluster.analysis.steady.unit_root import adf_p, kpss_p
from fakes.wander import autoregressive


def test_without_correlation_the_trend_test_is_that_of_scipy():
    rng = np.random.default_rng(4)
    values = np.where(np.arange(200) % 2, 1, -1) + rng.normal(size=200)  # neighbours differ
    found = monotone_trend(values)

    assert found.p == pytest.approx(
        stats.kendalltau(np.arange(200), values, method="asymptotic").pvalue, abs=0.01
    )
    assert found.slope == stats.theilslopes(values).slope


def test_a_trend_that_is_no_line_is_found():
    steps = np.arange(24)

    assert monotone_trend(50 / (steps / 4 + 2)).p < 1e-4
    assert monotone_trend(steps * 1.0).slope == 1


def test_correlation_makes_a_trend_less_certain():
    rng = np.random.default_rng(5)
    smooth = [autoregressive(rng, 40, 0.7, 1) for _ in range(100)]
    naive = [stats.kendalltau(np.arange(40), x).pvalue < 0.01 for x in smooth]
    ours = [monotone_trend(x).p < 0.01 for x in smooth]

    assert np.mean(naive) > 0.15
    assert np.mean(ours) < 0.08


def test_a_series_without_any_change_has_p_one():
    same = np.full(20, 3.0)

    assert monotone_trend(same).p == 1
    assert change_point(same).p == 1


def test_a_change_is_placed_where_it_is():
    rng = np.random.default_rng(6)
    values = rng.normal(0, 0.1, 60) + (np.arange(60) >= 41)
    found = change_point(values)

    assert found.place == 41
    assert found.after - found.before == pytest.approx(1, abs=0.1)
    assert found.p < 1e-4


def test_pettitts_formula_holds_for_independent_points():
    # Ranks 1 to 20 rising: K = 100 at the middle. Neighbours about both levels rise and fall alike,
    # so the correction is put aside by a zigzag on top.
    values = np.arange(20.0) + np.where(np.arange(20) % 2, 40, 0) * (np.arange(20) >= 10)
    k = 2 * np.cumsum(stats.rankdata(values))[:-1] - np.arange(1, 20) * 21

    assert change_point(values).p >= 2 * np.exp(-6 * np.max(np.abs(k)) ** 2 / (20**3 + 20**2))


def test_holm_is_the_textbooks():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_a_random_walk_and_a_stationary_series_are_told_apart_by_both_tests():
    rng = np.random.default_rng(8)
    walk, noise = np.cumsum(rng.normal(size=1000)), rng.normal(size=200)

    assert adf_p(walk) > 0.1
    assert kpss_p(walk) <= 0.01
    assert adf_p(noise) < 0.01
    assert kpss_p(noise) == 0.1
