"""Each client by itself: one of many that is late, off its rate, or owns the tail is found."""

from dataclasses import replace

import numpy as np
import pytest

from cluster.analysis.clients.client_rules import clients_failed
from cluster.analysis.clients.holm import holm
from cluster.analysis.clients.outlier_agents import ALPHA, _p_value
from cluster.analysis.level import summarise_level
from cluster.analysis.observed import observe
from cluster.analysis.validity import findings
from cluster.results.finding import Severity
from cluster.units import NS_PER_MS, NS_PER_S, NS_PER_US
from fakes.levels import Truth, constant, level_record, with_agent
from fakes.sending import activity

GOOD = Truth(offered_per_s=8_000, control_s=6, agents=8)
RECORD = level_record(GOOD)


def found(record):
    return {finding.code: finding for finding in findings(observe(record))}


def with_one(truth, record=RECORD):
    """The level of `record`, in which the last agent is that of another truth."""
    last = len(record.agents) - 1
    other = level_record(replace(truth, agents=len(record.agents)))
    agents = (*record.agents[:last], other.agents[last])
    return replace(record, agents=agents)


def test_eight_good_clients_have_no_finding():
    assert found(RECORD) == {}


def rarely_late(rng, n, _second):
    """Three in a hundred orders wait for 5 ms."""
    return np.where(rng.random(n) < 0.03, 5_000, 2) * NS_PER_US


def test_one_late_client_of_eight_is_found_though_what_all_sent_is_on_time():
    record = with_one(replace(GOOD, lag=rarely_late))
    behind = found(record)["client-behind-schedule"]

    assert behind.severity is Severity.INVALID
    assert "gent-7 on load-7 (1 of 8)" in behind.message
    assert not observe(record).lag.late


def test_lateness_of_one_client_that_makes_its_own_tail_is_a_warning():
    record = with_one(replace(GOOD, lag=constant(300)))

    assert found(record)["client-lag-in-response"].severity is Severity.WARNING
    assert "agent-7 on load-7 (1 of 8)" in found(record)["client-lag-in-response"].message


def test_one_client_that_the_engine_does_not_read_is_not_behind_by_its_own_fault():
    record = with_one(replace(GOOD, lag=rarely_late, rwnd_limited_ratio=0.5))

    assert "client-behind-schedule" not in found(record)
    assert "engine-pushed-back" in found(record)


def test_a_late_order_of_a_few_is_chance_and_no_late_client():
    """A client of 25 orders, two of them late: 92 % on time."""
    record = level_record(Truth(offered_per_s=40, control_s=5, agents=8))
    two_late = replace(GOOD, offered_per_s=40, control_s=5)

    def lag(_rng, n, second):
        return np.where((np.arange(n) == 0) & (second in {2, 3}), 9_000, 2) * NS_PER_US

    assert "client-behind-schedule" not in found(with_one(replace(two_late, lag=lag), record))


def test_on_time_of_an_agent_is_within_the_wake_up_of_a_thread_that_sleeps():
    level = summarise_level(with_one(replace(GOOD, lag=constant(100))))

    assert [agent.on_time_ratio for agent in level.agents] == [1] * 7 + [0]


def sending(times_of):
    """Agent 7 sends when `times_of` says for the times that are due, ns after the start."""
    due = np.arange(1_000 * GOOD.duration_s) * NS_PER_MS + 0.875 * NS_PER_MS
    return with_agent(RECORD, 7, activity=activity(RECORD, np.asarray(times_of(due))))


def test_a_client_that_pauses_at_the_end_of_a_second_is_off_in_two():
    def paused(due):
        held = (due > 2.98 * NS_PER_S) & (due < 3.03 * NS_PER_S)
        return np.where(held, 3.03 * NS_PER_S, due)

    finding = found(sending(paused))["client-rate-off"]

    assert finding.severity is Severity.WARNING
    assert "seconds 2, 3, 2 of 6 measured" in finding.message
    assert "by -2.0%" in finding.message


def test_a_client_that_never_reaches_its_share_makes_the_level_invalid():
    finding = found(sending(lambda due: due * 1.03))["client-rate-off"]

    assert finding.severity is Severity.INVALID
    assert "agent-7 on load-7" in finding.message


@pytest.mark.parametrize("late_ns", [0, 100 * NS_PER_US, 1.1 * NS_PER_MS])
def test_a_client_that_is_a_little_late_all_the_time_has_its_rate(late_ns):
    assert "client-rate-off" not in found(sending(lambda due: due + late_ns))


def test_a_client_of_another_share_than_planned_is_found():
    shares = tuple(
        replace(s, rate_per_s=1_000 + 100 * ((s.index == 6) - (s.index == 7)))
        for s in RECORD.level.shares
    )
    record = replace(RECORD, level=replace(RECORD.level, shares=shares))

    assert found(record)["client-rate-off"].severity is Severity.INVALID
    assert "agent-6" in found(record)["client-rate-off"].message


def test_a_client_of_a_poisson_share_may_be_off_by_chance():
    shares = tuple(replace(s, rate_per_s=1_000 + 30 * (-1) ** s.index) for s in RECORD.level.shares)
    level = replace(RECORD.level, shares=shares)

    assert "client-rate-off" in found(replace(RECORD, level=level))
    assert "client-rate-off" not in found(replace(RECORD, level=replace(level, arrivals="poisson")))


def test_only_an_invalid_finding_about_the_load_is_the_clients_failure():
    assert clients_failed(list(found(sending(lambda due: due * 1.03)).values()))
    assert not clients_failed(list(found(with_one(replace(GOOD, lag=constant(300)))).values()))


SLOW = replace(GOOD, wire=lambda rng, n, _s: rng.exponential(60, n) * NS_PER_US)


def test_a_client_that_owns_the_tail_is_named_with_the_p99_without_it():
    record = with_one(SLOW)
    level = summarise_level(record)
    (outlier,) = level.outlier_agents
    finding = found(record)["agent-owns-tail"]

    assert (outlier.agent, outlier.host) == ("agent-7", "load-7")
    assert outlier.order_share == pytest.approx(1 / 8)
    assert outlier.tail_share == pytest.approx(1, abs=0.02)
    assert outlier.p99_ns > 3 * outlier.p99_without_ns
    assert outlier.influence > 0.6
    assert finding.severity is Severity.WARNING
    assert "12% of the orders and 100% of those beyond the p99" in finding.message
    assert level.valid


def test_a_tail_that_all_clients_share_is_no_one_s():
    record = level_record(SLOW)

    assert observe(record).outliers.agents == ()
    assert "agent-owns-tail" not in found(record)


def test_a_client_that_is_slower_by_a_little_is_not_named():
    """All of the tail is its own, but without it the p99 is the same within a tenth."""
    record = with_one(replace(GOOD, wire=constant(21)))
    seen = observe(record)

    assert seen.outliers.agents == ()


def test_a_client_that_stumbled_once_is_not_named():
    def stumble(rng, n, second):
        return np.where((second == 3) & (np.arange(n) < 600), 9_000, rng.normal(20, 1, n)) * 1_000

    assert "agent-owns-tail" not in found(with_one(replace(GOOD, wire=stumble)))


def test_of_two_clients_it_is_told_what_both_have():
    record = with_one(replace(SLOW, agents=2), level_record(replace(GOOD, agents=2)))
    level = summarise_level(record)

    assert level.outlier_agents == []
    assert "either may be the odd one" in level.not_measured["outlier_agents"]
    assert "agent-0 28.6 µs and agent-1 2" in level.not_measured["outlier_agents"]  # some 280 µs


@pytest.mark.parametrize(
    ("truth", "why"),
    [
        (replace(GOOD, agents=1), "no other agents"),
        (replace(GOOD, control_s=3), "3 seconds"),
        (replace(GOOD, offered_per_s=40), "needs 384"),
    ],
)
def test_it_is_said_why_no_outlier_can_be_told(truth, why):
    assert why in summarise_level(level_record(truth)).not_measured["outlier_agents"]


@pytest.mark.parametrize("stalls_of", ["nobody", "all", "one"])
def test_clients_that_are_alike_are_not_named(stalls_of):
    """The tail of 12 seconds, 1,000 levels of five alike clients; stalls come in every fourth."""
    rng, named = np.random.default_rng(8), 0
    orders = np.full((5, 12), 2_000)
    for _ in range(1_000):
        tail = rng.binomial(orders, 0.01)
        stalls = (rng.random(12) < 0.25) * rng.integers(50, 500, 12)
        if stalls_of == "all":
            tail += rng.multinomial(stalls, [0.2] * 5).T
        elif stalls_of == "one":
            tail[rng.integers(0, 5, 12), np.arange(12)] += stalls
        p_values = [_p_value(orders, tail, agent) for agent in range(5)]
        named += min(holm(p_values)) < ALPHA

    assert named <= 20
