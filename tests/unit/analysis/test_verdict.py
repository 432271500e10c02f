"""Truth tests: runs whose cause is known, and what the verdict makes of them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.analysis.level import summarise_level
from cluster.analysis.observed import observe
from cluster.analysis.utilisation import spinning_reason, without_predictions
from cluster.analysis.verdict.capacity import capacity
from cluster.analysis.verdict.case import Case
from cluster.analysis.verdict.conclude import CONFIDENCE_MIN, conclude
from cluster.analysis.verdict.evidence import gather, probabilities
from cluster.analysis.verdict.scenario import scenario_of
from cluster.experiment.model import Baseline, Scenarios
from cluster.results.engine import EngineExit, HotFunction
from cluster.results.summary import Evidence
from cluster.units import NS_PER_US
from fakes.levels import Truth, constant, level_record

# Rates are scaled down, so that constructing them stays quick; thresholds with them.
SCALED = Scenarios(slow_below_per_s=1_000, fast_above_per_s=10_000, beyond_per_s=100_000)
BASE = Truth(offered_per_s=2_000, control_s=4)


def run(*truths, scenarios=SCALED, **facts):
    """The verdict on levels at which these truths happened."""
    records = [level_record(replace(truth, index=i)) for i, truth in enumerate(truths)]
    levels = [summarise_level(record) for record in records]
    spinning = spinning_reason(levels)
    if spinning:
        levels = without_predictions(levels, spinning)
    observed = [observe(record) for record in records]
    return conclude(levels, observed, scenarios=scenarios, spinning=spinning, **facts)


def busy(share, wait=0.0):
    return (("match-0", share, wait),)


# A queue of orders in front of a saturated engine: in its sockets, so not in its engine time.
SATURATED = Truth(
    offered_per_s=8_000,
    answered_per_s=4_000,
    control_s=4,
    wire=constant(400_000),
    threads=busy(0.99),
    receive_queue_bytes_max=2_000_000,
)
SINGLE_THREAD = (replace(BASE, threads=busy(0.5)), SATURATED)


def test_a_single_thread_with_no_time_left_is_the_engine():
    verdict = run(*SINGLE_THREAD)

    assert verdict.bottleneck == "engine"
    assert verdict.confidence > 0.95
    assert verdict.sustained_per_s == pytest.approx(2_000, rel=0.01)
    assert verdict.predicted_max_per_s == pytest.approx(4_040, rel=0.02)
    assert verdict.scenario == "C"
    assert "engine" in verdict.sentence


def test_the_engine_s_recommendation_names_its_cost_and_its_hottest_function():
    hot = [HotFunction(name="Book::match", module="e", self_ratio=0.43, total_ratio=0.6, samples=9)]
    verdict = run(*SINGLE_THREAD, hot_functions=hot)

    assert "Book::match (43%)" in verdict.recommendation
    assert "per order, which allows 4,0" in verdict.recommendation


def test_a_long_way_to_the_engine_is_the_network():
    far = replace(
        BASE,
        offered_per_s=None,
        answered_per_s=4_000,
        in_flight=40,
        wire=constant(10_000),
        rtt_us=9_800,
        min_rtt_us=9_700,
    )
    verdict = run(far)

    assert verdict.bottleneck == "network"
    assert verdict.confidence > 0.9
    assert "9.7 ms there and back" in verdict.recommendation


def test_lost_packets_speak_for_the_network():
    verdict = run(BASE, replace(SATURATED, threads=busy(0.3), retransmits=5_000, min_rtt_us=250_000,
                                rtt_us=300_000, receive_queue_bytes_max=0))  # fmt: skip

    assert verdict.bottleneck == "network"
    assert any(row.quantity == "TCP retransmissions" for row in verdict.evidence)


STARVED = Truth(
    offered_per_s=8_000,
    answered_per_s=7_000,
    control_s=4,
    lag=constant(8_000),
    backlog_per_s=1_000,
    worker_wait_ratio=0.4,
    worker_cpu_ratio=0.6,
)


def test_clients_without_a_cpu_are_the_client():
    verdict = run(BASE, STARVED)

    assert verdict.bottleneck == "client"
    assert verdict.confidence >= 0.95
    assert "did not send what was due" in verdict.sentence


def test_clients_behind_schedule_are_the_client_whatever_else_is_true():
    damning = replace(
        STARVED,
        threads=busy(1.0),
        receive_queue_bytes_max=10_000_000,
        engine=constant(100_000),
        retransmits=10_000,
        lag=constant(500_000),
    )

    assert run(BASE, damning).bottleneck == "client"


def test_clients_that_say_the_engine_is_slow_can_not_place_it_in_a_scenario():
    verdict = run(BASE, STARVED)

    assert verdict.scenario is None
    assert "can't be told" in verdict.scenario_sentence


def test_a_healthy_engine_that_was_not_pushed_is_inconclusive_and_offers_more():
    verdict = run(BASE, replace(BASE, offered_per_s=4_000))

    assert (verdict.bottleneck, verdict.confidence) == ("inconclusive", 0)
    assert "Nothing was at its limit" in verdict.sentence
    assert "8,000/s" in verdict.next_action
    assert verdict.scenario is None


def test_a_rate_above_the_fast_threshold_is_scenario_a_even_when_more_was_not_offered():
    verdict = run(replace(BASE, offered_per_s=12_000))

    assert verdict.scenario == "A"
    assert verdict.bottleneck == "inconclusive"
    assert "network or the API" in verdict.scenario_sentence
    assert "Offer more" in verdict.next_action


def test_an_engine_that_sleeps_on_every_order_is_the_engine_and_waits():
    asleep = Truth(
        offered_per_s=2_000,
        answered_per_s=1_500,
        control_s=4,
        engine=constant(20_000),
        threads=busy(0.04),
    )
    verdict = run(replace(BASE, offered_per_s=500, engine=constant(2_000)), asleep)

    assert verdict.bottleneck == "engine"
    assert "it waits" in verdict.recommendation
    assert "off-CPU" in verdict.next_action


def test_an_engine_that_does_not_read_is_the_engine_and_not_the_client():
    pushed = replace(
        SATURATED,
        threads=busy(0.1),
        lag=constant(90_000),
        backlog_per_s=1_000,
        rwnd_limited_ratio=0.7,
    )

    assert run(BASE, pushed).bottleneck == "engine"


def test_an_engine_that_polls_is_not_called_busy():
    polling = [replace(BASE, offered_per_s=rate, threads=busy(1.0)) for rate in (1_000, 4_000)]
    verdict = run(*polling)
    row = next(row for row in verdict.evidence if "busiest engine thread" in row.quantity)

    assert verdict.predicted_max_per_s is None
    assert (row.supports, row.weight) == (None, 0)
    assert "polls" in row.sentence


def test_an_engine_that_dies_is_the_engine_at_the_rate_where_it_did():
    died = replace(BASE, offered_per_s=8_000, ended_early="engine ended", completed_s=3,
                   lost_per_s=400)  # fmt: skip
    ended = EngineExit(
        level=1,
        offered_per_s=8_000,
        exit_status=None,
        signal="SIGSEGV",
        last_output="",
        sentence="The engine ended by itself at 8,000 orders/s: SIGSEGV.",
    )
    verdict = run(BASE, died, engine_exit=ended)

    assert verdict.bottleneck == "engine"
    assert "SIGSEGV" in verdict.sentence
    assert "8,000" in verdict.recommendation
    assert verdict.sustained_per_s == pytest.approx(2_000, rel=0.01)


def test_a_lost_agent_shows_no_limit():
    verdict = run(BASE, replace(BASE, offered_per_s=4_000, lost_agent="host down"))

    assert verdict.bottleneck == "inconclusive"
    assert verdict.sustained_per_s == pytest.approx(2_000, rel=0.01)


def test_a_shared_machine_where_all_wait_for_cpus_is_not_blamed_on_one():
    shared = Truth(
        offered_per_s=None,
        answered_per_s=6_000,
        control_s=4,
        threads=busy(0.55, wait=0.42),
        wire=constant(3_000),
        worker_wait_ratio=0.15,
        worker_cpu_ratio=0.55,
    )
    verdict = run(shared)

    assert verdict.bottleneck == "inconclusive"
    assert "CPUs of their own" in verdict.next_action


def test_a_client_without_cpu_time_left_limits_a_closed_loop():
    full = Truth(
        offered_per_s=None,
        answered_per_s=6_000,
        control_s=4,
        worker_cpu_ratio=0.99,
        threads=busy(0.3),
        wire=constant(3_000),
    )

    assert run(BASE, full).bottleneck == "client"


def test_workers_that_spin_at_every_level_are_not_called_exhausted():
    full = replace(BASE, offered_per_s=None, answered_per_s=6_000, worker_cpu_ratio=1.0)
    verdict = run(replace(BASE, worker_cpu_ratio=1.0), full)
    row = next(row for row in verdict.evidence if row.quantity == "busiest load worker")

    assert row.weight == 0


def test_a_closed_loop_maximum_is_stated_as_such_and_decides_where_open_loop_does_not():
    closed = Truth(
        offered_per_s=None,
        answered_per_s=14_000,
        in_flight=64,
        control_s=4,
        threads=busy(0.99),
        wire=constant(4_000),
    )
    verdict = run(replace(BASE, threads=busy(0.15)), closed)

    assert verdict.bottleneck == "engine"
    assert verdict.sustained_per_s == pytest.approx(2_000, rel=0.01)
    assert verdict.closed_loop_max_per_s == pytest.approx(14_000, rel=0.01)
    assert verdict.scenario == "A"
    assert "14,000/s answered closed-loop with 64 in flight" in verdict.scenario_sentence


def test_a_closed_loop_maximum_beyond_the_rates_offered_decides_the_scenario():
    closed = replace(BASE, offered_per_s=None, answered_per_s=30_000, control_s=2)
    limits = Scenarios(slow_below_per_s=100, fast_above_per_s=1_000, beyond_per_s=20_000)
    verdict = run(BASE, closed, scenarios=limits)

    assert verdict.scenario == "beyond-1M"
    assert "30,000/s answered closed-loop" in verdict.scenario_sentence
    assert "(open-loop 2,000/s sustained" in verdict.scenario_sentence
    assert "and no more was tried)" in verdict.scenario_sentence


def test_a_rate_that_was_all_answered_counts_as_offered_although_chance_left_some_out():
    def scenario(fast_above_per_s):
        limits = Scenarios(
            slow_below_per_s=100, fast_above_per_s=fast_above_per_s, beyond_per_s=20_000
        )
        return run(BASE, scenarios=limits).scenario

    assert scenario(2_000) == "A"
    assert scenario(2_001) is None


def test_a_failed_level_below_one_that_held_shows_no_limit():
    hiccup = replace(BASE, offered_per_s=1_000, timed_out_per_s=200)

    assert run(hiccup, BASE).bottleneck == "inconclusive"


def test_the_level_an_interrupted_run_ended_in_shows_no_limit():
    cut = replace(BASE, offered_per_s=4_000, ended_early="interrupted", completed_s=2)

    assert run(BASE, cut, interrupted=True).bottleneck == "inconclusive"


def test_a_run_without_levels_says_so():
    verdict = run()

    assert verdict.bottleneck == "inconclusive"
    assert verdict.sentence == "No level was measured."
    assert verdict.sustained_per_s is None


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(946, "B"), (9_999, "B"), (10_000, "C"), (99_999, "C"), (100_000, "A"), (2e6, "beyond-1M")],
)
def test_rates_fall_into_the_customer_s_scenarios(rate, expected):
    assert expected == scenario_of(rate, Scenarios())


def test_the_baseline_is_shown_beside():
    verdict = run(BASE, baseline=Baseline(name="the gRPC API", throughput_per_s=946))

    assert verdict.baseline_sentence == (
        "The engine alone sustains 2,000/s, 2.1 times the 946/s through the gRPC API."
    )


def test_without_a_baseline_nothing_is_said_of_one():
    assert run(BASE).baseline_sentence == ""


causes = st.sampled_from(["engine", "network", "client"])
rows = st.builds(
    lambda supports, against, weight: Evidence(
        quantity="", value="", sentence="", supports=supports, against=against, weight=weight
    ),
    st.one_of(st.none(), causes),
    st.lists(causes, max_size=2, unique=True),
    st.floats(0, 5),
)


@given(st.lists(rows, max_size=15))
def test_probabilities_leave_room_for_an_unknown_cause_and_more_support_never_lowers_one(evidence):
    before = probabilities(evidence)
    more = Evidence(quantity="", value="", sentence="", supports="engine", weight=1)
    after = probabilities([*evidence, more])

    assert 0 < sum(before.values()) < 1
    assert after["engine"] >= before["engine"]


def test_without_evidence_no_cause_passes_the_threshold():
    assert max(probabilities([]).values()) < CONFIDENCE_MIN


def test_nobody_is_guilty_because_the_others_were_cleared():
    cleared = Evidence(
        quantity="", value="", sentence="", supports=None, against=["engine", "client"], weight=9
    )

    assert probabilities([cleared])["network"] < CONFIDENCE_MIN


def test_evidence_is_ordered_by_weight_and_every_row_speaks():
    evidence = run(*SINGLE_THREAD).evidence
    weights = [row.weight for row in evidence]

    assert weights == sorted(weights, reverse=True)
    assert all(row.value and row.sentence.endswith(".") for row in evidence)
    assert len(evidence) >= 9


def test_noise_in_a_stable_level_never_names_a_cause():
    def noisy(rng, n, _second):
        return rng.exponential(60, n) * NS_PER_US

    verdicts = {
        run(replace(BASE, wire=noisy, warmup_s=1 + seed % 3)).bottleneck for seed in range(6)
    }

    assert verdicts == {"inconclusive"}


def test_records_without_tcp_or_engine_facts_are_judged_by_the_rest():
    record = level_record(replace(STARVED, index=0))
    bare = replace(
        record,
        agents=tuple(replace(a, tcp=None, workers=()) for a in record.agents),
        engine_control=None,
    )
    summary, seen = summarise_level(bare), observe(bare)
    verdict = conclude([summary], [seen], scenarios=SCALED)

    assert verdict.bottleneck == "client"
    assert {"send lag p99", "engine time", "arrival law", "client's pauses"} == {
        row.quantity for row in verdict.evidence
    }
    assert capacity([summary]).sustained is None


def test_the_same_case_gives_the_same_evidence():
    record = level_record(SATURATED)
    case = Case(observe(record), [summarise_level(record)], "")

    assert gather(case) == gather(case)


def test_an_engine_that_shares_its_cpu_is_told_so_and_not_that_it_sleeps():
    shared = replace(SATURATED, threads=busy(0.47, wait=0.5))
    verdict = run(replace(BASE, threads=busy(0.2)), shared)

    assert verdict.bottleneck == "engine"
    assert "waited for a CPU 50% of the time" in verdict.recommendation
    assert "it waits, for a lock" not in verdict.recommendation


def test_a_rate_that_was_answered_in_full_is_not_held_against_the_prediction():
    late = replace(STARVED, answered_per_s=None, backlog_per_s=0)
    quantities = {row.quantity for row in run(BASE, late).evidence}

    assert "throughput against the predicted maximum" not in quantities


@pytest.mark.parametrize(
    ("rate", "scenario", "words"),
    [(500, "B", "data structures"), (4_000, "C", "round trips"), (12_000, "A", "protocol")],
)
def test_the_recommendation_follows_the_scenario_of_a_limited_engine(rate, scenario, words):
    held = replace(BASE, offered_per_s=rate, threads=busy(0.6))
    beyond = replace(SATURATED, offered_per_s=2 * rate, answered_per_s=1.2 * rate)
    verdict = run(held, beyond)

    assert (verdict.scenario, verdict.bottleneck) == (scenario, "engine")
    assert words in f"{verdict.recommendation} {verdict.next_action}"


def test_an_engine_that_closes_every_connection_is_the_engine_also_when_its_end_was_not_seen():
    closed = replace(
        BASE,
        offered_per_s=8_000,
        lost_per_s=400,
        connections_open=0,
        completed_s=3,
        ended_early="the engine closed every connection",
    )

    assert run(BASE, closed).bottleneck == "engine"
    assert run(BASE, replace(closed, connections_open=2)).bottleneck != "engine"
