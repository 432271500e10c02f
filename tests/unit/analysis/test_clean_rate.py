from dataclasses import replace

import pytest

from cluster.analysis.clients.clean_rate import Trial, bound_of, highest_clean_rate
from cluster.analysis.windows import Merged
from cluster.results.histogram import Histogram
from cluster.results.orders import OrderCounts
from cluster.units import NS_PER_MS, NS_PER_US

ALWAYS = lambda: True  # noqa: E731


def client_with_limit(limit_per_s, tried=None):
    def bound_at(rate_per_s):
        if tried is not None:
            tried.append(rate_per_s)
        return None if rate_per_s <= limit_per_s else "client"

    return bound_at


@pytest.mark.parametrize("limit_per_s", [1_700, 40_000, 199_999, 200_001, 812_000, 3_000_000])
def test_the_limit_of_a_client_is_found_within_a_tenth(limit_per_s):
    found = highest_clean_rate(client_with_limit(limit_per_s), 200_000, ALWAYS)

    assert found.bound_by == "client"
    assert found.rate_per_s is not None
    assert 0.9 * limit_per_s < found.rate_per_s <= limit_per_s


def test_a_moments_disturbance_does_not_end_the_rise():
    disturbed = iter([True])

    def bound_at(rate_per_s):
        if rate_per_s == 400_000 and next(disturbed, False):
            return "other load"
        return client_with_limit(900_000)(rate_per_s)

    found = highest_clean_rate(bound_at, 200_000, ALWAYS)

    assert found.rate_per_s > 800_000


def test_what_ended_the_rise_last_is_told():
    found = highest_clean_rate(
        lambda rate: None if rate <= 500_000 else "reflector", 200_000, ALWAYS
    )

    assert found.bound_by == "reflector"


def test_a_client_that_is_never_clean_has_no_rate_and_the_search_ends():
    tried = []
    found = highest_clean_rate(client_with_limit(0, tried), 200_000, ALWAYS)

    assert found.rate_per_s is None
    assert found.bound_by == "client"
    assert min(tried) >= 1_000


def test_the_search_ends_when_the_time_is_up_and_says_so():
    times = iter([True] * 3 + [False] * 10)
    found = highest_clean_rate(client_with_limit(10**9), 200_000, lambda: next(times))

    assert found.rate_per_s == 800_000
    assert found.bound_by == "time"


# ---- one trial


def window(lag_us, response_us, **orders):
    count = 10_000
    counts = {"intended": count, "sent": count, "accepted": count}
    answers = Histogram.from_values([response_us * NS_PER_US] * count)
    return Merged(
        seconds=range(1),
        orders=OrderCounts(**counts | orders),
        response=answers,
        service=answers,
        send_lag=Histogram.from_values([lag_us * NS_PER_US] * count),
        engine=Histogram.empty(),
        other_reply=Histogram.empty(),
    )


CLEAN = Trial(
    window=window(20, 100),
    answered_ratio=0.999,
    in_flight_bound=False,
    rwnd_limited_ratio=0.0,
    reflector_busy_ratio=0.5,
    run_queue_ratio=0.0,
    others_ratio=0.0,
    crowded=False,
)
LATE = replace(CLEAN, window=window(5_000, 6_000))


def test_orders_on_time_and_answered_are_clean():
    assert bound_of(CLEAN) is None


def test_late_orders_are_the_clients_doing():
    assert bound_of(LATE) == "client"


@pytest.mark.parametrize(
    ("facts", "bound"),
    [
        ({"rwnd_limited_ratio": 0.3}, "reflector"),
        ({"in_flight_bound": True}, "reflector"),
        ({"reflector_busy_ratio": 0.97}, "reflector"),
        ({"run_queue_ratio": 0.02}, "other load"),
        ({"others_ratio": 0.1}, "other load"),
        # Workers that share a CPU by plan wait for each other: no one else's doing.
        ({"run_queue_ratio": 0.4, "crowded": True}, "client"),
        ({"run_queue_ratio": 0.4, "crowded": True, "others_ratio": 0.1}, "other load"),
    ],
)
def test_late_orders_may_be_the_doing_of_others(facts, bound):
    assert bound_of(replace(LATE, **facts)) == bound


def test_answers_that_do_not_keep_up_are_not_clean():
    assert bound_of(replace(CLEAN, answered_ratio=0.8)) == "client"


def test_lost_orders_are_not_clean():
    lost = window(20, 100, accepted=9_990, lost=10)

    assert bound_of(replace(CLEAN, window=lost)) == "reflector"


def test_a_noticeable_lag_that_leaves_a_level_valid_is_clean():
    assert bound_of(replace(CLEAN, window=window(900, 1_000))) is None
    assert bound_of(replace(CLEAN, window=window(2 * NS_PER_MS // NS_PER_US, 3_000))) == "client"
