from cluster.analysis.uncertainty.enough import until_reached
from fakes.levels import Truth, constant, level_record


def intervals(seconds, **truth):
    record = level_record(Truth(offered_per_s=2_000, warmup_s=0, control_s=seconds, **truth))
    return [interval for agent in record.agents for interval in agent.intervals]


def spread(rng, n, _second):
    return rng.exponential(100_000, n) + 100_000


def test_a_median_of_alike_orders_is_soon_known():
    told = until_reached(intervals(10, wire=spread), range(10), 50, 0.05)

    assert told.reached
    assert 0 < told.half_width_ratio < 0.05
    assert "p50 is" in told.why


def test_the_interval_narrows_as_more_is_measured():
    few = until_reached(intervals(5, wire=spread), range(5), 50, 0.001)
    many = until_reached(intervals(45, wire=spread), range(45), 50, 0.001)

    assert not few.reached
    assert 2 < few.half_width_ratio / many.half_width_ratio < 5


def test_a_tail_that_the_data_can_not_support_is_not_reached_and_says_why():
    told = until_reached(intervals(1), range(1), 99.9, 0.5)

    assert (told.reached, told.half_width_ratio) == (False, None)
    assert "p99.9 needs 3,840" in told.why


def test_nothing_is_known_before_the_first_second():
    told = until_reached(intervals(2), range(5, 9), 50, 0.5)

    assert (told.reached, told.half_width_ratio) == (False, None)
    assert told.why


def test_unanswered_orders_leave_a_tail_without_bound():
    told = until_reached(intervals(5, timed_out_per_s=40, wire=constant(20)), range(5), 99, 0.5)

    assert (told.reached, told.half_width_ratio) == (False, None)
    assert "answer" in told.why
