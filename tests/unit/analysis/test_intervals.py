import numpy as np
import pytest

from cluster.analysis.level import summarise_level
from cluster.analysis.uncertainty.effective_sample import INDEPENDENT, Dependence, dependence
from cluster.analysis.uncertainty.intervals import (
    mean_interval,
    percentile_dependence,
    percentile_interval,
)
from cluster.analysis.uncertainty.latency import latency
from cluster.analysis.uncertainty.pieces import RESPONSE, SERVICE, over_time
from cluster.results.histogram import Histogram
from fakes.levels import Truth, level_record

UNIFORM = Histogram.from_values(np.arange(1, 1_001))  # 1 to 1000 ns, each in its own bucket
RNG_SEED = 11


def in_step(stretch_s):
    """Times of which all orders of the same stretch share most: it changes every `stretch_s`."""

    def times(rng, n, second):
        level = np.random.default_rng(second // stretch_s).lognormal(0, 0.5)
        return 50_000 * level * rng.lognormal(0, 0.1, n)

    return times


def alone(rng, n, _second):
    return 50_000 * rng.lognormal(0, 0.5, n)


def exactly(value_ns):
    return lambda _rng, n, _second: np.full(n, value_ns)


def pieces_of(truth, quantity=RESPONSE):
    record = level_record(truth)
    seconds = range(truth.warmup_s, truth.duration_s)
    intervals = [interval for agent in record.agents for interval in agent.intervals]
    whole = Histogram.sum(quantity.histogram(i) for i in intervals if i.index in seconds)
    return over_time(intervals, seconds, quantity), whole


def test_independent_orders_count_as_many_as_they_are():
    pieces, response = pieces_of(Truth(wire=alone, control_s=20))
    found, why = percentile_dependence(pieces, response.percentile(50))

    assert why == ""
    assert 0.3 < found.variance_ratio < 2.5  # chi-squared with 16 degrees of freedom, over 16
    assert found.effective_count(response.total) <= response.total


def test_orders_that_rise_and_fall_together_count_as_few():
    pieces, response = pieces_of(Truth(wire=in_step(1), control_s=60))
    found, _ = percentile_dependence(pieces, response.percentile(50))

    # A second of 10,000 orders tells about one thing: whether it was a slow one.
    assert 20 < found.effective_count(response.total) < 300


def test_an_interval_is_refused_when_times_change_too_slowly_for_the_window():
    pieces, response = pieces_of(Truth(wire=in_step(15), control_s=60))
    found, why = percentile_dependence(pieces, response.percentile(50))

    assert found is None
    assert "too few independent stretches" in why


def test_a_steady_drift_is_no_chance_and_gets_no_interval():
    pieces, response = pieces_of(
        Truth(wire=lambda rng, n, second: alone(rng, n, 0) * (1 + second / 20), control_s=20)
    )

    assert percentile_dependence(pieces, response.percentile(50))[0] is None


def test_pieces_that_hold_unequal_numbers_of_orders_are_no_dependence():
    rng = np.random.default_rng(RNG_SEED)
    ratios = []
    for _ in range(50):
        orders = rng.integers(0, 500, 200).astype(float)  # bursts
        slow = rng.binomial(orders.astype(int), 0.3).astype(float)
        found, _ = dependence(orders, slow, 0.3 * 0.7)
        ratios += [found.variance_ratio] if found else []

    assert np.mean(ratios) == pytest.approx(1, abs=0.15)


def test_too_few_pieces_tell_nothing():
    found, why = dependence(np.ones(9), np.arange(9.0), 1.0)

    assert found is None
    assert "9 pieces" in why


def test_other_quantities_are_known_by_the_second():
    pieces, service = pieces_of(Truth(wire=in_step(1), control_s=60), SERVICE)
    found, _ = percentile_dependence(pieces, service.percentile(50))

    assert 20 < found.effective_count(service.total) < 300


def test_times_within_one_coarse_bucket_are_looked_at_by_the_second():
    pieces, response = pieces_of(
        Truth(
            lag=exactly(0),
            engine=exactly(0),
            wire=lambda rng, n, _s: rng.uniform(100_000, 114_000, n),
            control_s=30,
        )
    )
    found, why = percentile_dependence(pieces, response.percentile(50))

    assert len(pieces) == 2
    assert found is not None, why


def test_times_that_are_all_alike_have_no_interval():
    pieces, response = pieces_of(Truth(**dict.fromkeys(("lag", "wire", "engine"), exactly(1_000))))

    assert percentile_dependence(pieces, response.percentile(50))[0] is None


def test_the_interval_of_a_percentile_holds_it_and_is_as_wide_as_order_statistics_say():
    told, _ = percentile_interval(UNIFORM, 50, 0, INDEPENDENT)

    # 500 ± 1.96 · √(1000 · 0.25) = 500 ± 31
    assert (469, 532, 1_000) == (told.low, told.high, told.effective_count)


def test_dependent_orders_make_the_interval_wider():
    told, _ = percentile_interval(UNIFORM, 50, 0, Dependence(4.0, 1_000_000))

    # 500 ± 1.96 · √(4 · 1000 · 0.25) = 500 ± 62
    assert (438, 563, 250) == (told.low, told.high, told.effective_count)


def test_there_is_no_interval_where_the_tail_has_too_few_orders():
    told, why = percentile_interval(UNIFORM, 99.9, 0, INDEPENDENT)

    assert told is None
    assert "1,000 orders" in why


def test_an_interval_that_reaches_among_unanswered_orders_has_no_upper_bound():
    told, _ = percentile_interval(UNIFORM, 95, 50, INDEPENDENT)

    assert told.low > 900
    assert told.high is None


def test_an_interval_holds_the_whole_bucket_of_its_ends():
    wide = Histogram.from_values([1_000_000] * 1_000)
    told, _ = percentile_interval(wide, 50, 0, INDEPENDENT)

    assert told.low <= 1_000_000 <= told.high
    assert told.low < told.high


def test_a_mean_of_few_effective_orders_has_no_interval():
    pieces, response = pieces_of(Truth(wire=in_step(1), control_s=25))
    told, why = mean_interval(response, pieces)

    assert told is None
    assert "needs 100" in why


def test_a_level_has_intervals_for_every_figure_of_its_windows():
    level = summarise_level(level_record(Truth(wire=alone, control_s=20, profile_s=10)))
    for quantity in (level.response_ns, level.service_ns, level.profiled_response_ns):
        assert {"mean", "p50", "p95", "p99", "p99_9"} == {
            *quantity.intervals,
            *quantity.no_interval,
        }
        assert quantity.intervals["p50"].low <= quantity.p50 <= quantity.intervals["p50"].high
        assert all(quantity.no_interval.values())
    assert level.response_ns.intervals["mean"].low < level.response_ns.mean
    assert level.agents[0].response_ns.intervals == {}


def test_a_window_of_few_seconds_has_no_interval_for_what_is_known_by_the_second():
    level = summarise_level(level_record(Truth(wire=alone, control_s=5)))

    assert level.response_ns.intervals
    assert not level.service_ns.intervals
    assert "5 pieces of time" in level.service_ns.no_interval["p50"]


def test_a_percentile_of_too_few_independent_orders_is_none_and_says_so():
    level = summarise_level(level_record(Truth(wire=in_step(1), control_s=60)))

    assert level.response_ns.p50 is not None
    assert level.response_ns.p99 is None
    assert "independent" in level.response_ns.not_measured["p99"]
    assert "tell as much as" in level.response_ns.no_interval["p99"]
    assert "too-few-orders" in {f.code for f in level.findings}
    assert max(point.percentile for point in level.curve) < 99


def test_without_pieces_percentiles_are_as_before():
    told = latency(UNIFORM)

    assert told.p99 is not None
    assert (told.intervals, told.no_interval) == ({}, {})
