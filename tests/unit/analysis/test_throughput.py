from dataclasses import replace

import pytest

from cluster.analysis.series import answered_between
from cluster.analysis.throughput import throughput
from cluster.analysis.timeline import timeline
from cluster.results.agent import Progress
from cluster.results.orders import OrderCounts
from cluster.units import NS_PER_S
from fakes.levels import START_NS, Truth, level_record


def progress(samples):
    """Samples of (elapsed seconds, answered so far)."""
    return tuple(
        Progress(
            START_NS + round(elapsed * NS_PER_S),
            OrderCounts(intended=answered, sent=answered, accepted=answered),
            in_flight=0,
            backlog=0,
            connections_open=1,
            finished=False,
        )
        for elapsed, answered in samples
    )


def one_agent(samples):
    record = level_record(Truth(agents=1, offered_per_s=100))
    return replace(record, progress={"agent-0": progress(samples)})


def test_a_steady_rate_is_the_same_least_mean_and_most():
    measured = throughput(level_record(Truth(offered_per_s=10_000)), range(1, 6))

    assert (measured.min, measured.mean, measured.max) == pytest.approx((10_000,) * 3, rel=1e-3)


def test_a_late_sample_makes_neither_a_dip_nor_a_peak():
    record = one_agent([(0, 0), (1, 100), (2.6, 260), (3, 300), (4, 400), (5, 500), (6, 600)])
    measured = throughput(record, range(1, 6))

    assert (measured.min, measured.mean, measured.max) == pytest.approx((100, 100, 100))


def test_a_second_without_answers_is_the_least():
    record = one_agent([(0, 0), (1, 100), (2, 200), (3, 200), (4, 400), (5, 500), (6, 600)])
    measured = throughput(record, range(1, 6))

    assert (measured.min, measured.mean, measured.max) == pytest.approx((0, 100, 200))


def test_answers_before_and_after_the_window_do_not_count():
    record = one_agent([(0, 0), (1, 9_000), (2, 9_100), (3, 9_200), (4, 50_000)])

    assert throughput(record, range(1, 3)).mean == pytest.approx(100)


def test_agents_sampled_at_other_moments_and_in_other_clocks_add_up():
    record = level_record(Truth(agents=2))
    away_ns = 77 * NS_PER_S
    agents = (record.agents[0], replace(record.agents[1], start_ns=START_NS + away_ns))
    shifted = tuple(
        replace(sample, time_ns=sample.time_ns + away_ns)
        for sample in progress([(0.3, 30), (1.3, 130), (5.3, 530), (6.5, 650)])
    )
    series = {"agent-0": progress([(0, 0), (3, 600), (6, 1_200)]), "agent-1": shifted}
    measured = throughput(replace(record, agents=agents, progress=series), range(1, 6))

    assert (measured.min, measured.mean, measured.max) == pytest.approx((300, 300, 300))


def test_without_samples_there_is_no_throughput_and_it_is_said_why():
    measured = throughput(one_agent([(0, 0)]), range(1, 6))

    assert (None, None, None) == (measured.min, measured.mean, measured.max)
    assert set(measured.not_measured) == {"min", "mean", "max"}


def test_an_empty_window_has_no_throughput():
    assert throughput(level_record(Truth()), range(1, 1)).mean is None


def test_the_time_line_s_seconds_add_up_to_what_was_due_and_answered():
    record = level_record(Truth(offered_per_s=1_234, profile_s=2))
    seconds = timeline(record)

    assert [s.index for s in seconds] == list(range(8))
    assert sum(s.offered for s in seconds) == pytest.approx(8 * 1_234, abs=2)
    assert sum(s.answered for s in seconds) == pytest.approx(8 * 1_234, abs=4)
    assert [s.phase for s in seconds] == ["warm-up"] + ["control"] * 5 + ["profile"] * 2
    assert all(s.response_p50_ns for s in seconds)


def test_a_second_with_too_few_orders_has_no_percentiles_in_the_time_line():
    seconds = timeline(level_record(Truth(offered_per_s=6)))

    assert {(None, None)} == {(s.response_p50_ns, s.response_p99_ns) for s in seconds}


def test_a_level_without_samples_has_no_time_line():
    assert timeline(replace(level_record(Truth()), progress={})) == []


def test_answers_between_two_times_of_the_driver_s_clock_are_read_off_the_samples():
    record = one_agent([(0, 0), (2, 200), (4, 1_000)])
    second = NS_PER_S
    between = answered_between(record, START_NS + second, START_NS + 3 * second)

    assert between == 100 + 400
    assert answered_between(record, START_NS + 9 * second, START_NS + 10 * second) == 0
