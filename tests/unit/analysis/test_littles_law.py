"""Levels that obey Little's law pass; levels whose books contradict each other do not."""

from dataclasses import replace

import numpy as np
import pytest

from cluster.analysis.observed import observe
from cluster.analysis.steady.littles_law import littles_law
from cluster.analysis.validity import findings
from cluster.experiment.plan import AgentShare, Level
from cluster.results.agent import AgentResult, Interval
from cluster.results.finding import Severity
from cluster.results.histogram import Histogram
from cluster.results.level import LevelRecord
from cluster.results.orders import OrderCounts
from cluster.results.over_time import SLOT_NS, SLOTS_PER_S, Activity, Slots
from cluster.units import NS_PER_S
from fakes.levels import START_NS, Truth, level_record, with_agent


def record_of(sent_ns, service_ns, *, seconds, warmup_s=1, recorded=1.0):
    """A level of one agent at which exactly these orders were sent and answered.

    The integral of orders in flight is taken from their ends, the times are written down `recorded`
    times as long.
    """
    second = sent_ns // NS_PER_S
    intervals, activity = [], []
    ends_ns = sent_ns + service_ns
    for index in range(seconds):
        own = np.rint(service_ns[second == index] * recorded).astype(np.int64)
        times = Histogram.from_values(own)
        counts = OrderCounts(intended=len(own), sent=len(own), accepted=len(own))
        lag = Histogram.from_values(np.zeros(len(own), np.int64))
        slots = Slots.of_orders(sent_ns[second == index] % NS_PER_S, own)
        intervals.append(Interval(index, counts, times, times, lag, Histogram.empty(), slots=slots))
        edges = index * NS_PER_S + np.arange(SLOTS_PER_S + 1) * SLOT_NS
        until = [
            np.clip(edge - sent_ns, 0, None).sum() - np.clip(edge - ends_ns, 0, None).sum()
            for edge in edges
        ]
        activity.append(replace(Activity.empty(index), in_flight_order_ns=np.diff(until)))
    agent = AgentResult(
        agent="agent-0",
        host="load-0",
        start_ns=START_NS,
        intervals=tuple(intervals),
        orders=sum((i.orders for i in intervals), OrderCounts()),
        errors={},
        tcp=None,
        workers=(),
        peak_rss_bytes=1,
        activity=tuple(activity),
    )
    rate = len(sent_ns) / seconds
    level = Level(
        index=0,
        arrivals="constant",
        offered_per_s=rate,
        in_flight=None,
        warmup_s=warmup_s,
        control_s=seconds - warmup_s,
        profile_s=0,
        shares=(AgentShare("agent-0", 0, rate, 0, 0.0, 2, 1, ()),),
    )
    end_ns = START_NS + seconds * NS_PER_S
    return LevelRecord(
        level, START_NS, end_ns, end_ns, (agent,), {}, None, None, None, completed_s=seconds
    )


def poisson_level(rng, *, rate, mean_s, seconds=6, recorded=1.0):
    """Poisson arrivals at an engine without a queue: exponential times, M/M/∞."""
    n = rng.poisson(rate * seconds)
    sent_ns = np.sort(rng.integers(0, seconds * NS_PER_S, n))
    service_ns = np.rint(rng.exponential(mean_s * NS_PER_S, n)).astype(np.int64)
    return record_of(sent_ns, service_ns, seconds=seconds, recorded=recorded)


def law_of(record):
    return littles_law(observe(record))


@pytest.mark.parametrize(
    ("rate", "mean_s"), [(4_000, 50e-6), (4_000, 0.02), (200, 0.1), (100, 0.3)]
)
def test_levels_that_obey_the_law_stay_within_the_tolerance(rate, mean_s):
    rng = np.random.default_rng(rate)
    laws = [law_of(poisson_level(rng, rate=rate, mean_s=mean_s))[0] for _ in range(20)]

    assert all(abs(law.deviation_ratio) <= law.tolerance_ratio for law in laws if law)


@pytest.mark.parametrize("begins_s", [0.97, 0.985, 4.97, 4.98])
def test_a_stall_across_an_end_of_the_window_is_within_the_tolerance(begins_s):
    """The shorter an order took, the nearer to the end it was due: nothing is even about that."""
    sent_ns = np.arange(5 * 10_000) * 100_000
    ends_ns = (begins_s + 0.04) * NS_PER_S
    stalled = (sent_ns >= begins_s * NS_PER_S) & (sent_ns < ends_ns)
    service_ns = np.where(stalled, ends_ns - sent_ns, NS_PER_S // 1000).astype(np.int64)

    law, _ = law_of(record_of(sent_ns, service_ns, seconds=5))

    assert law is not None
    assert abs(law.deviation_ratio) > 0.02
    assert abs(law.deviation_ratio) <= law.tolerance_ratio


def test_short_times_leave_about_two_per_cent_and_long_ones_more():
    rng = np.random.default_rng(1)
    short, _ = law_of(poisson_level(rng, rate=4_000, mean_s=50e-6))
    long, _ = law_of(poisson_level(rng, rate=4_000, mean_s=0.05))

    assert 0.02 <= short.tolerance_ratio < 0.04
    assert short.in_flight_mean == pytest.approx(0.2, rel=0.05)
    assert short.tolerance_ratio < long.tolerance_ratio < 0.15


@pytest.mark.parametrize("recorded", [0.95, 1.05])
def test_times_that_are_wrong_by_a_twentieth_break_it(recorded):
    rng = np.random.default_rng(2)
    law, _ = law_of(poisson_level(rng, rate=4_000, mean_s=50e-6, recorded=recorded))

    assert law.deviation_ratio == pytest.approx(1 / recorded - 1, abs=0.005)
    assert abs(law.deviation_ratio) > law.tolerance_ratio


def test_a_stall_across_the_end_of_the_window_is_no_contradiction():
    sent_ns = np.arange(24_000) * (NS_PER_S // 4_000)
    for stall_s in (0.95, 2.8, 5.9):
        from_ns, to_ns = stall_s * NS_PER_S, (stall_s + 0.25) * NS_PER_S
        stalled = (sent_ns >= from_ns) & (sent_ns < to_ns)
        service_ns = np.where(stalled, to_ns - sent_ns, 50_000).astype(np.int64)
        law, _ = law_of(record_of(sent_ns, service_ns, seconds=6))

        assert law is None or abs(law.deviation_ratio) <= law.tolerance_ratio


def test_windows_that_are_short_for_their_times_say_nothing():
    rng = np.random.default_rng(3)
    law, why = law_of(poisson_level(rng, rate=100, mean_s=2))

    assert law is None
    assert why.startswith("orders in flight at the ends of 5 s may change it by")


GOOD = Truth(offered_per_s=4_000, control_s=6)
CLOSED = Truth(offered_per_s=None, answered_per_s=4_000, in_flight=1, control_s=6)


@pytest.mark.parametrize("truth", [GOOD, CLOSED, replace(GOOD, agents=3)])
def test_a_level_is_judged_over_all_its_agents_closed_loop_or_not(truth):
    law, _ = law_of(level_record(truth))

    assert abs(law.deviation_ratio) < 0.005
    assert law.rate_times_service == pytest.approx(4_000 * 25e-6, rel=0.02)


@pytest.mark.parametrize("truth", [GOOD, CLOSED])
def test_a_level_whose_books_contradict_each_other_is_invalid(truth):
    record = level_record(truth)
    agent = record.agents[1]
    twice = tuple(
        replace(a, in_flight_order_ns=a.in_flight_order_ns * 11 // 10) for a in agent.activity
    )
    (found,) = findings(observe(with_agent(record, 1, activity=twice)))

    assert (found.code, found.severity) == ("littles-law", Severity.INVALID)
    assert "+5.0%" in found.message


def test_orders_without_an_answer_leave_the_law_open():
    law, why = law_of(level_record(replace(GOOD, timed_out_per_s=4)))

    assert law is None
    assert why.startswith("28 orders were never answered")


def test_clients_that_recorded_nothing_leave_the_law_open():
    record = level_record(GOOD)
    law, why = law_of(with_agent(record, 1, activity=record.agents[1].activity[:3]))

    assert law is None
    assert why == "agent-1 recorded no orders in flight in second 3"
    assert law_of(with_agent(record, 0, errors={"activity_overrun": 1}))[0] is None


def test_a_level_without_orders_has_no_law():
    law, why = law_of(level_record(replace(GOOD, offered_per_s=4, timed_out_per_s=4)))

    assert law is None
    assert why == "no order was answered"
