"""Pauses, preemption, jitter and steal of load hosts: told as a share of what was measured."""

from dataclasses import replace

import numpy as np
import pytest

from cluster.analysis.clients.client_host import gaps, noise_ns, pause_met_ns
from cluster.analysis.level import summarise_level
from cluster.analysis.observed import observe
from cluster.analysis.validity import findings
from cluster.analysis.verdict.case import Case
from cluster.analysis.verdict.evidence import gather
from cluster.results.agent import Jitter
from cluster.results.finding import Severity
from cluster.results.histogram import Histogram
from cluster.units import NS_PER_MS, NS_PER_S, NS_PER_US
from fakes.levels import Truth, constant, level_record, with_agent
from fakes.sending import held_until, poisson, with_sends

GOOD = Truth(offered_per_s=4_000, control_s=5)
RECORD = level_record(GOOD)
# Pauses of ms are nothing beside response times of 100 ms.
SLUGGISH = level_record(replace(GOOD, engine=constant(100_000)))


def found(record):
    return {finding.code: finding for finding in findings(observe(record))}


def paused(record, pause_ms, passes=400_000):
    """Agent 1 is away for so long ten times a second, and quick otherwise."""
    gap = Histogram.from_sparse([1_000], [passes]) + Histogram.from_values(
        [int(pause_ms * NS_PER_MS)] * 10
    )
    agent = record.agents[1]
    return with_agent(record, 1, activity=tuple(replace(s, poll_gap=gap) for s in agent.activity))


def woken(record, late_us, before_us=None):
    """On agent 1's host a thread that sleeps wakes 60 µs late, two times in a hundred later."""

    def histogram(late):
        lateness = np.where(np.arange(5_000) % 50 == 0, late, 60) * NS_PER_US
        return Histogram.from_values(lateness)

    jitter = Jitter(histogram(60 if before_us is None else before_us), histogram(late_us))
    return with_agent(record, 1, jitter=jitter)


def preempted(record, times, wait_ratio):
    """Agent 1's worker lost its CPU so often in the level's six seconds."""
    (worker,) = record.agents[1].workers
    waited = round(wait_ratio * GOOD.duration_s * NS_PER_S)
    worker = replace(worker, involuntary_switches=times, run_queue_wait_ns=waited)
    return with_agent(record, 1, workers=(worker,))


def stolen(record, ratio):
    return with_agent(record, 1, steal_ratio=ratio)


FIRES = {
    "client-paused": paused(RECORD, 1),
    "client-preempted": preempted(RECORD, 60, 0.03),
    "client-host-jitters": woken(RECORD, 400),
    "client-host-steals-cpu": woken(stolen(RECORD, 0.05), 400),
}
SILENT = {
    "client-paused": [RECORD, paused(RECORD, 0.04), paused(SLUGGISH, 1)],
    "client-preempted": [
        RECORD,
        preempted(RECORD, 60, 0.009),
        preempted(RECORD, 5, 0.03),
        preempted(SLUGGISH, 600, 0.03),
    ],
    "client-host-jitters": [RECORD, woken(RECORD, 100), woken(SLUGGISH, 4_000)],
    "client-host-steals-cpu": [
        stolen(RECORD, 0.009),
        stolen(RECORD, 0.05),  # the host's jitter shows nothing of it
        stolen(RECORD, None),
    ],
}


@pytest.mark.parametrize("code", FIRES)
def test_a_load_host_in_the_way_is_told_with_its_name_and_number(code):
    finding = found(FIRES[code])[code]

    assert finding.severity is Severity.WARNING
    assert "load-1" in finding.message
    assert any(character.isdigit() for character in finding.message)


@pytest.mark.parametrize("code", SILENT)
def test_what_makes_no_share_of_the_response_time_is_not_told(code):
    assert [code for record in SILENT[code] if code in found(record)] == []


def test_steal_is_told_where_no_jitter_says_how_long_it_was():
    record = with_agent(stolen(RECORD, 0.05), 1, jitter=None)

    assert "client-host-steals-cpu" in found(record)


def test_the_noise_before_the_load_is_told_beside_that_during_it():
    assert (
        "(240 µs before the load)"
        in found(woken(RECORD, 400, before_us=300))["client-host-jitters"].message
    )


def test_a_pause_is_weighed_by_the_time_that_it_takes():
    """A million passes of 1 µs, and one of 10 ms: a hundredth of the time, a millionth of them."""
    passes = Histogram.from_sparse([1_000], [990_000]) + Histogram.from_values([10 * NS_PER_MS])

    assert passes.percentile(99.99) == 1_000
    assert pause_met_ns(passes, NS_PER_S) == pytest.approx(10 * NS_PER_MS, rel=0.001)
    assert pause_met_ns(passes, NS_PER_S, share=0.02) == 1_000


def test_pauses_that_are_less_than_the_share_of_the_time_are_none_and_unrecorded_ones_unknown():
    assert pause_met_ns(Histogram.from_values([500]), NS_PER_S) == 0
    assert pause_met_ns(Histogram.empty(), NS_PER_S) is None


def test_the_lateness_of_every_wake_up_is_no_noise():
    assert noise_ns(Histogram.from_values([60_000] * 1_000)) == 0
    assert noise_ns(Histogram.from_values([60_000] * 100)) is None


def test_an_agent_s_summary_holds_what_its_host_did_to_it():
    record = stolen(preempted(woken(paused(RECORD, 1), 400), 60, 0.03), 0.05)
    agent = summarise_level(record).agents[1]

    assert agent.on_time_ratio == 1
    assert agent.poll_gap_ns.p99_9 == 1_000
    assert agent.poll_gap_ns.max == pytest.approx(NS_PER_MS, rel=0.001)
    assert agent.jitter_before_ns.p99 == pytest.approx(60_000, rel=0.001)
    assert agent.jitter_during_ns.p99 == pytest.approx(400_000, rel=0.001)
    assert agent.involuntary_switches == 60
    assert agent.steal_ratio == 0.05


def test_what_was_not_recorded_is_none_and_never_zero():
    record = with_agent(RECORD, 1, activity=(), jitter=None, steal_ratio=None, workers=())
    agent = summarise_level(record).agents[1]

    assert agent.poll_gap_ns is None
    assert agent.jitter_before_ns is agent.jitter_during_ns is None
    assert agent.involuntary_switches is agent.steal_ratio is None
    assert gaps(None) is None


def test_a_percentile_of_pauses_that_their_number_does_not_support_is_none():
    few = gaps(Histogram.from_values([5] * 400))

    assert (few.p99, few.p99_9, few.max) == (5, None, 5)


def rows(record):
    case = Case(observe(record), [summarise_level(record)], "")
    return {row.quantity: row for row in gather(case)}


def test_the_verdict_hears_what_kept_the_clients():
    record = stolen(woken(paused(RECORD, 1), 400), 0.05)
    told = rows(record)

    for quantity in ("client's pauses", "jitter of a load host", "stolen from a load host"):
        assert told[quantity].supports == "client"
        assert told[quantity].weight >= 0.5


def test_clients_that_were_not_kept_are_no_evidence():
    told = rows(RECORD)

    assert {told[name].weight for name in ("client's pauses", "arrival law")} == {0}
    assert not {"jitter of a load host", "stolen from a load host"} & set(told)


def test_orders_that_left_by_no_law_speak_against_the_clients():
    rng = np.random.default_rng(4)
    sends = [held_until(poisson(rng, 2_000, 6), 900 * NS_PER_US) for _ in range(2)]
    unexplained = with_sends(RECORD, sends, arrivals="poisson")
    late = level_record(replace(GOOD, lag=lambda rng, n, _s: rng.uniform(0, 9e5, n)))
    explained = with_sends(late, sends, arrivals="poisson")

    assert (rows(unexplained)["arrival law"].supports, rows(unexplained)["arrival law"].weight) == (
        "client",
        2,
    )
    assert rows(explained)["arrival law"].weight == 0.7


def with_a_slow_agent(rtt_us):
    """Four agents, of which one is slow, and so far from the engine."""
    alike = replace(GOOD, agents=4)
    slow = replace(alike, wire=lambda rng, n, _s: rng.exponential(90, n) * NS_PER_US)
    tail = level_record(replace(slow, min_rtt_us=rtt_us)).agents[3]
    record = level_record(alike)
    return replace(record, agents=(*record.agents[:3], tail))


@pytest.mark.parametrize(("rtt_us", "cause"), [(12, "client"), (80, "network")])
def test_a_tail_of_one_agent_is_its_host_s_or_its_path_s(rtt_us, cause):
    row = rows(with_a_slow_agent(rtt_us))["one agent's share of the tail"]

    assert row.supports == cause
    assert "agent-3" in row.value
