"""The theory that truth tests compare with agrees with the recursion it describes."""

import itertools

import numpy as np
import pytest

from fakes.queues import (
    md1_wait_exceeds,
    mean_wait,
    response_percentile,
    responses_s,
    schedule_s,
    service_times_s,
)


@pytest.mark.parametrize("law", ["constant", "exponential"])
@pytest.mark.parametrize("load", [0.5, 0.8])
def test_long_runs_of_lindley_s_recursion_have_the_mean_and_p99_of_theory(law, load):
    arrivals = schedule_s(load, 3, 200_000)

    responses = responses_s(arrivals, service_times_s(law, 1, 5))

    assert responses.mean() - 1 == pytest.approx(mean_wait(law, load), rel=0.05)
    assert np.percentile(responses, 99) == pytest.approx(
        response_percentile(law, load, 99), rel=0.05
    )


def test_an_order_waits_for_those_before_it():
    services = itertools.chain([3, 1, 1], itertools.repeat(2))

    assert responses_s(np.array([0, 1, 6, 6.5]), services).tolist() == [3, 3, 1, 2.5]


def test_an_idle_md1_server_is_found_idle_by_the_share_that_it_is():
    assert md1_wait_exceeds(0.7, 0) == pytest.approx(0.7)
    assert md1_wait_exceeds(0.7, 1) == pytest.approx(1 - 0.3 * np.exp(0.7))
    assert 0 < md1_wait_exceeds(0.95, 80) < md1_wait_exceeds(0.95, 40) < 0.05
