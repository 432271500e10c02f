"""Summaries of levels at which anything may have happened."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.analysis.level import summarise_level
from cluster.analysis.run import RunFacts, summarise_run
from cluster.analysis.windows import total_orders
from cluster.experiment.model import Abort, Experiment, Load
from cluster.results.finding import Severity
from cluster.results.histogram import Histogram
from cluster.results.summary import Summary
from fakes.levels import Truth, constant, level_record

RATIO = st.floats(0, 1)
MICROSECONDS = st.sampled_from([1, 30, 2_000, 400_000]).map(constant)
TRUTHS = st.builds(
    Truth,
    offered_per_s=st.sampled_from([4, 200, 1_000, None]),
    answered_per_s=st.sampled_from([3, 150, 900]),
    warmup_s=st.integers(0, 1),
    control_s=st.integers(1, 3),
    profile_s=st.integers(0, 2),
    agents=st.integers(1, 3),
    lag=MICROSECONDS,
    wire=MICROSECONDS,
    engine=MICROSECONDS,
    rejected_ratio=RATIO,
    timed_out_per_s=st.integers(0, 2),
    lost_per_s=st.integers(0, 2),
    backlog_per_s=st.sampled_from([0, 100]),
    worker_cpu_ratio=RATIO,
    worker_wait_ratio=RATIO,
    threads=st.lists(st.tuples(st.just("match"), RATIO, RATIO), max_size=2).map(tuple),
    min_rtt_us=st.floats(1, 1e5),
    retransmits=st.integers(0, 100),
    rwnd_limited_ratio=RATIO,
    sndbuf_limited_ratio=RATIO,
    receive_queue_bytes_max=st.sampled_from([None, 0, 10**7]),
    steal_ratio=st.sampled_from([None, 0.0, 0.3]),
    ended_early=st.sampled_from(["", "interrupted"]),
    completed_s=st.sampled_from([None, 0, 1, 2]),
    lost_agent=st.sampled_from(["", "host down"]),
    in_flight_max=st.sampled_from([None, 100]),
    finished=st.booleans(),
)


@settings(max_examples=60)
@given(TRUTHS)
def test_whatever_happened_a_level_is_summed_up_without_contradiction(truth):
    level = summarise_level(level_record(truth))
    invalid = any(f.severity is Severity.INVALID for f in level.findings)

    assert level.valid != invalid
    assert all(f.level == level.index and f.message for f in level.findings)
    for times in (level.response_ns, level.service_ns, level.send_lag_ns, level.engine_ns):
        rising = [v for v in (times.min, times.p50, times.p95, times.p99, times.p99_9) if v]
        assert rising == sorted(rising)
        figures = times.model_dump(exclude={"count", "not_measured"})
        assert {name for name, value in figures.items() if value is None} == set(times.not_measured)
    assert total_orders(agent.orders for agent in level.agents) == level.orders


@settings(max_examples=25)
@given(st.lists(TRUTHS, max_size=3), st.booleans())
def test_whatever_happened_a_run_has_a_verdict_and_a_summary_that_is_json(truths, interrupted):
    records = [level_record(replace(truth, index=i)) for i, truth in enumerate(truths)]
    facts = RunFacts("0", "2026-11-23T00:00:00Z", 1, "reference", "e (1)", interrupted=interrupted)
    experiment = Experiment(name="any", load=Load(rates_per_s=[1]))
    summary = summarise_run(records, experiment, facts)
    verdict = summary.verdict

    assert summary == Summary.model_validate_json(summary.model_dump_json())
    assert 0 <= verdict.confidence <= 1
    assert (verdict.confidence == 0) == (verdict.bottleneck == "inconclusive")
    assert all((verdict.sentence, verdict.scenario_sentence, verdict.recommendation))
    assert verdict.next_action
    assert summary.valid <= any(level.valid for level in summary.levels)


def test_the_level_s_figures_are_those_of_its_control_window():
    truth = Truth(offered_per_s=1_000, warmup_s=2, control_s=3, profile_s=1)
    level = summarise_level(level_record(truth))

    assert level.window_orders.intended == level.response_ns.count == 3_000
    assert level.orders.intended == 6_000
    assert level.profiled_response_ns.count == 1_000
    assert [agent.response_ns.count for agent in level.agents] == [1_500, 1_500]


def test_orders_that_were_never_sent_count_in_the_response_time_and_the_send_lag():
    record = level_record(Truth(offered_per_s=1_000, control_s=3))
    unsent = tuple(
        replace(
            agent,
            intervals=tuple(
                replace(
                    i,
                    orders=i.orders.model_copy(
                        update={"intended": i.orders.intended + 500, "unsent": 500}
                    ),
                )
                for i in agent.intervals
            ),
        )
        for agent in record.agents
    )
    level = summarise_level(replace(record, agents=unsent))

    assert level.response_ns.p50 is not None
    assert level.response_ns.p95 is None
    assert level.send_lag_ns.p95 is None
    assert level.service_ns.p95 is not None


def test_closed_loop_there_is_no_send_lag_and_it_is_said_why():
    level = summarise_level(level_record(Truth(offered_per_s=None, answered_per_s=1_000)))

    assert level.send_lag_ns.p50 is None
    assert "closed-loop" in level.send_lag_ns.not_measured["p50"]


def test_an_engine_that_does_not_say_its_times_has_none_and_it_is_said_why():
    record = level_record(Truth(offered_per_s=1_000))
    silent = tuple(
        replace(
            agent,
            intervals=tuple(replace(i, engine=Histogram.empty()) for i in agent.intervals),
        )
        for agent in record.agents
    )
    level = summarise_level(replace(record, agents=silent))

    assert level.valid
    assert level.engine_ns.p50 is None
    assert "do not carry" in level.engine_ns.not_measured["p50"]


def test_the_experiment_s_guard_says_how_many_orders_may_stay_unanswered():
    record = level_record(Truth(offered_per_s=1_000, timed_out_per_s=20))

    assert not summarise_level(record).valid
    assert "orders-unanswered" in {
        f.code
        for f in summarise_level(record, Abort(error_ratio=0.1)).findings
        if f.severity is Severity.WARNING
    }


def test_an_agent_s_ratios_are_of_its_busiest_worker_and_never_above_one():
    level = summarise_level(level_record(Truth(worker_cpu_ratio=1.4, worker_wait_ratio=0.02)))
    (first, _) = level.agents

    assert first.worker_cpu_ratio == 1
    assert round(first.worker_run_queue_ratio, 3) == 0.02
