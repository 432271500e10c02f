import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.analysis.uncertainty.latency import (
    FIGURES,
    curve,
    latency,
    orders_needed,
    percentile_of,
)
from cluster.results.histogram import Histogram

UNIFORM = Histogram.from_values(np.arange(1, 1_001))  # 1 to 1000 ns, each in its own bucket


def test_percentiles_of_known_values_are_those_values():
    measured = latency(UNIFORM)

    assert (1, 500, 950, 990, 1_000) == (
        measured.min,
        measured.p50,
        measured.p95,
        measured.p99,
        measured.max,
    )
    assert measured.mean == pytest.approx(500.5, rel=1e-3)
    assert measured.stdev == pytest.approx(288.7, rel=1e-3)


@pytest.mark.parametrize(("percentile", "needed"), [(50, 8), (95, 77), (99, 384), (99.9, 3_840)])
def test_a_percentile_exists_from_a_known_number_of_orders_on(percentile, needed):
    assert needed == orders_needed(percentile)


def test_a_percentile_the_data_can_not_support_is_none_with_the_number_it_needs():
    measured = latency(Histogram.from_values(np.arange(383)))

    assert measured.p95 is not None
    assert measured.p99 is None
    assert measured.not_measured["p99"] == "p99 needs 384 orders; there are 383"
    assert latency(Histogram.from_values(np.arange(384))).p99 is not None


def test_unanswered_orders_count_as_longer_than_every_time():
    measured = latency(UNIFORM, unanswered=1_000)

    assert measured.count == 2_000
    assert measured.p50 == 1_000
    assert measured.p95 is None
    assert "p95 falls among the 1,000 of 2,000 orders" in measured.not_measured["p95"]


def test_a_single_unanswered_order_leaves_percentiles_and_takes_the_unbounded_figures():
    measured = latency(UNIFORM, unanswered=1)

    assert measured.p99 == 991
    assert (measured.max, measured.mean, measured.stdev) == (None, None, None)
    assert "no bound" in measured.not_measured["max"]


def test_without_any_answer_everything_is_none_with_a_reason():
    measured = latency(Histogram.empty(), unanswered=5_000)
    figures = measured.model_dump(include=set(FIGURES))

    assert set(figures.values()) == {None}
    assert set(figures) == set(measured.not_measured)


@given(
    st.lists(st.integers(0, 10**10), min_size=1, max_size=300),
    st.integers(0, 200),
)
def test_percentiles_rise_and_more_unanswered_orders_never_lower_one(values, unanswered):
    histogram = Histogram.from_values(values * 20)
    found = [percentile_of(histogram, p, unanswered)[0] for p in (50, 75, 90, 95)]
    measured = [value for value in found if value is not None]

    assert measured == sorted(measured)
    for percentile in (50, 90):
        before, _ = percentile_of(histogram, percentile, unanswered)
        after, _ = percentile_of(histogram, percentile, unanswered + 1)
        # One order more moves the rank by at most one place, and only upwards in value.
        assert before is None or after is None or after >= before


@given(st.lists(st.integers(0, 10**9), min_size=10, max_size=200), st.integers(0, 50))
def test_a_percentile_with_unanswered_orders_is_that_of_the_data_with_infinite_values(
    values, unanswered
):
    histogram = Histogram.from_values(values)
    infinite = 10**12
    whole = Histogram.from_values(values + [infinite] * unanswered)
    value, why = percentile_of(histogram, 50, unanswered)
    expected = whole.percentile(50)

    if value is None:
        assert "never answered" in why
        assert expected is not None
        assert expected >= infinite
    else:
        assert expected == value


def test_the_curve_rises_to_the_last_percentile_the_data_support():
    points = curve(UNIFORM)
    values = [point.value_ns for point in points]

    assert values == sorted(values)
    assert {50.0, 95.0, 99.0} <= {point.percentile for point in points}
    assert orders_needed(points[-1].percentile) <= UNIFORM.total
    assert 99.9 not in {point.percentile for point in points}


def test_the_curve_ends_where_unanswered_orders_begin():
    assert max(point.percentile for point in curve(UNIFORM, unanswered=1_000)) <= 50


def test_there_is_no_curve_without_data():
    assert curve(Histogram.empty()) == []
