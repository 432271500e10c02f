import numpy as np
import pytest

from cluster.analysis.steady.trend import rising, student_t_99


@pytest.mark.parametrize(
    # Student's t, one-sided 1 %, as tables print it.
    ("degrees", "expected"),
    [(1, 31.821), (2, 6.965), (3, 4.541), (4, 3.747), (5, 3.365), (8, 2.896), (30, 2.457)],
)
def test_student_s_t_is_that_of_the_tables(degrees, expected):
    assert student_t_99(degrees) == pytest.approx(expected, rel=0.005)


def test_a_line_is_found_with_its_slope():
    times = np.arange(10.0)
    trend = rising(times, 5 + 3 * times)

    assert trend.slope_per_s == pytest.approx(3)
    assert trend.significant


def test_a_falling_line_does_not_rise():
    times = np.arange(10.0)

    assert not rising(times, -times).significant


def test_noise_rises_about_as_often_as_the_level_of_the_test_says():
    rng = np.random.default_rng(5)
    times = np.arange(12.0)
    found = sum(rising(times, rng.normal(0, 1, 12)).significant for _ in range(2_000))

    assert 5 <= found <= 40


def test_too_few_samples_or_no_time_between_them_give_no_trend():
    assert rising(np.arange(3.0), np.arange(3.0)) is None
    assert rising(np.zeros(5), np.arange(5.0)) is None
