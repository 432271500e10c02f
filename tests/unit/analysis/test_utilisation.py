from dataclasses import replace

import pytest

from cluster.analysis.level import summarise_level
from cluster.analysis.utilisation import spinning_reason, without_predictions
from fakes.levels import Truth, level_record

MATCH = "match-0"


def level(rate, *threads, index=0):
    truth = Truth(offered_per_s=rate, threads=threads, index=index, control_s=3)
    return summarise_level(level_record(truth))


def test_a_thread_busy_a_fifth_of_the_time_allows_five_times_the_rate():
    measured = level(10_000, (MATCH, 0.2, 0.0))

    assert measured.busy_ns_per_order == pytest.approx(20_000, rel=1e-3)
    assert measured.predicted_max_per_s == pytest.approx(50_000, rel=1e-3)


def test_the_busiest_of_several_threads_limits_all():
    measured = level(10_000, ("io", 0.1, 0), (MATCH, 0.5, 0), ("match-1", 0.3, 0))

    assert measured.predicted_max_per_s == pytest.approx(20_000, rel=1e-3)


def test_an_engine_nobody_watched_has_no_prediction_and_a_reason():
    record = replace(level_record(Truth()), engine_control=None)
    measured = summarise_level(record)

    assert measured.busy_ns_per_order is None
    assert measured.predicted_max_per_s is None
    assert "not watched" in measured.not_measured["predicted_max_per_s"]


def test_an_engine_that_was_never_seen_on_a_cpu_has_no_prediction():
    measured = level(10_000, (MATCH, 0.0, 0.0))

    assert measured.predicted_max_per_s is None
    assert "on a CPU" in measured.not_measured["busy_ns_per_order"]


def test_without_samples_of_the_load_there_is_no_prediction():
    measured = summarise_level(replace(level_record(Truth()), progress={}))

    assert measured.predicted_max_per_s is None
    assert "answered" in measured.not_measured["predicted_max_per_s"]


def test_a_thread_always_on_the_cpu_at_a_fraction_of_the_rate_polls():
    levels = [level(2_000, (MATCH, 1.0, 0)), level(10_000, (MATCH, 1.0, 0), index=1)]
    why = spinning_reason(levels)

    assert "match-0" in why
    assert "polls" in why


def test_a_thread_that_fills_its_cpu_as_the_rate_rises_does_not_poll():
    levels = [level(2_000, (MATCH, 0.2, 0)), level(10_000, (MATCH, 0.99, 0), index=1)]

    assert spinning_reason(levels) == ""


def test_two_rates_close_to_each_other_at_full_cpu_are_saturation():
    levels = [level(9_000, (MATCH, 0.97, 0)), level(10_000, (MATCH, 0.99, 0), index=1)]

    assert spinning_reason(levels) == ""


def test_one_level_at_full_cpu_can_not_tell_saturation_from_polling():
    assert "only level" in spinning_reason([level(10_000, (MATCH, 0.99, 0))])


def test_no_level_or_none_watched_gives_no_reason():
    assert spinning_reason([]) == ""


def test_predictions_of_an_engine_that_polls_are_taken_back_with_the_reason():
    (measured,) = without_predictions([level(2_000, (MATCH, 1.0, 0))], "it polls")

    assert (measured.busy_ns_per_order, measured.predicted_max_per_s) == (None, None)
    assert measured.not_measured["predicted_max_per_s"] == "it polls"
