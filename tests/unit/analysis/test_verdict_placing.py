"""Where orders wait: each observation fires in one case and stays silent in another."""

from dataclasses import replace

import numpy as np
import pytest

from cluster.analysis.clients.lag import send_lag
from cluster.analysis.level import summarise_level
from cluster.analysis.observed import observe
from cluster.analysis.verdict.case import Case
from cluster.analysis.verdict.conclude import conclude
from cluster.analysis.verdict.engine_evidence import (
    engine_cpu,
    queue_growth,
    receive_window,
    unread,
)
from cluster.analysis.verdict.network_evidence import network_queue, retransmissions
from cluster.experiment.model import Scenarios
from cluster.results.histogram import Histogram
from cluster.units import NS_PER_MS
from fakes.levels import Truth, constant, level_record, with_agent

BASE = Truth(offered_per_s=2_000, control_s=4, agents=1)
BEYOND = replace(BASE, index=1, offered_per_s=8_000, answered_per_s=4_000)


def case_of(truth, *, unread_ratio=None, lowest=None, change=lambda record: record):
    records = [change(watched(level_record(truth), unread_ratio))]
    if lowest is not None:
        records.insert(0, level_record(lowest))
    return Case(observe(records[-1]), [summarise_level(record) for record in records], "")


def watched(record, unread_ratio):
    window = record.engine_control.model_copy(update={"unread_ratio": unread_ratio})
    return replace(record, engine_control=window)


def polling_every(record, gap_ns):
    """The same record from clients that looked at their sockets so often."""
    (agent,) = record.agents
    gaps = Histogram.from_values(np.full(1000, gap_ns))
    activity = tuple(replace(second, poll_gap=gaps) for second in agent.activity)
    return with_agent(record, 0, activity=activity)


LATE = replace(BEYOND, lag=constant(50_000), backlog_per_s=400, worker_cpu_ratio=0.3)


def lag_of(record):
    return send_lag(record, observe(record).control)


def test_a_late_client_that_looked_in_time_had_full_sockets():
    lag = lag_of(polling_every(level_record(LATE), NS_PER_MS))

    assert lag.held_by == "sockets"
    assert lag.fault == "engine"
    assert not lag.own


def test_a_late_client_that_looked_late_is_late_by_itself():
    lag = lag_of(polling_every(level_record(LATE), 40 * NS_PER_MS))

    assert lag.fault == "client"
    assert lag.own
    assert lag.missed


def test_a_late_client_that_wanted_a_cpu_all_the_time_is_late_however_often_it_looked():
    starved = replace(LATE, worker_cpu_ratio=0.5, worker_wait_ratio=0.45)

    assert lag_of(polling_every(level_record(starved), NS_PER_MS)).missed


def test_without_poll_gaps_a_late_client_that_had_time_is_in_doubt():
    record = with_agent(level_record(LATE), 0, activity=())

    lag = lag_of(record)

    assert lag.fault == "client"
    assert not lag.own
    assert not lag.missed


def test_a_bound_of_orders_in_flight_is_seen_in_the_mean_where_samples_miss_it():
    record = polling_every(level_record(replace(LATE, wire=constant(8_000))), 40 * NS_PER_MS)
    mean = 4_000 * 2 * 0.008  # the service time is all of it: twice the way
    sampled_low = {
        name: tuple(replace(sample, in_flight=round(mean / 2)) for sample in said)
        for name, said in record.progress.items()
    }
    low = replace(record, progress=sampled_low)

    assert lag_of(replace(low, in_flight_max=round(mean))).held_by == "in flight"
    assert lag_of(replace(low, in_flight_max=round(2 * mean))).held_by == ""


def test_full_sockets_name_neither_the_client_nor_anyone_else():
    row_of_lag = {
        row.quantity: row
        for row in verdict_of(polling_every(level_record(LATE), NS_PER_MS)).evidence
    }["send lag p99"]

    assert row_of_lag.supports is None
    assert row_of_lag.against == ["client"]


def verdict_of(record):
    records = [level_record(BASE), record]
    return conclude(
        [summarise_level(r) for r in records],
        [observe(r) for r in records],
        scenarios=Scenarios(),
    )


IDLE = replace(BEYOND, threads=(("match-0", 0.05, 0.0),), wire=constant(300_000))


@pytest.mark.parametrize(
    ("unread_ratio", "supports", "against"),
    [(1.0, "engine", ["network"]), (0.5, None, []), (0.0, None, ["engine"])],
)
def test_what_lies_unread_tells_who_waits_for_whom(unread_ratio, supports, against):
    row = unread(case_of(IDLE, unread_ratio=unread_ratio))

    assert (row.supports, row.against) == (supports, against)


def test_an_engine_that_is_late_behind_the_thread_that_reads_is_cleared_less():
    assert unread(case_of(IDLE, unread_ratio=0.0)).weight == 1.5

    late_inside = replace(IDLE, engine=constant(250_000))

    assert unread(case_of(late_inside, unread_ratio=0.0)).weight == 0.5


def test_an_engine_that_sleeps_while_orders_wait_is_not_cleared_by_its_idle_threads():
    assert engine_cpu(case_of(IDLE, unread_ratio=1.0)).against == []
    assert engine_cpu(case_of(IDLE, unread_ratio=0.0)).against == ["engine"]


def test_orders_that_queue_before_an_engine_that_waits_for_them_are_not_its_own():
    assert queue_growth(case_of(IDLE, unread_ratio=0.0, lowest=BASE)) is None
    assert queue_growth(case_of(IDLE, unread_ratio=1.0, lowest=BASE)).supports == "engine"


def test_a_window_that_is_closed_by_what_is_on_the_way_accuses_nobody():
    closed = replace(IDLE, rwnd_limited_ratio=0.3)

    assert receive_window(case_of(closed, unread_ratio=0.0)).supports is None
    assert receive_window(case_of(closed, unread_ratio=1.0)).supports == "engine"


FULL_LINK = replace(IDLE, rtt_us=90_000, min_rtt_us=400)


def test_packets_that_wait_for_an_engine_that_reads_are_the_network():
    row = network_queue(case_of(FULL_LINK, unread_ratio=0.0))

    assert row.supports == "network"
    assert row.weight == 2.0


@pytest.mark.parametrize(
    ("truth", "unread_ratio"),
    [(FULL_LINK, 1.0), (FULL_LINK, None), (replace(FULL_LINK, rtt_us=30_000), 0.0)],
    ids=["the engine is behind", "nobody looked", "an acknowledgement waits so long"],
)
def test_a_long_round_trip_accuses_nobody_where_acknowledgements_may_wait(truth, unread_ratio):
    row = network_queue(case_of(truth, unread_ratio=unread_ratio))

    assert row.supports is None


def test_only_a_round_trip_near_the_least_clears_the_network():
    assert network_queue(case_of(replace(IDLE, rtt_us=500, min_rtt_us=400))).against == ["network"]
    assert network_queue(case_of(replace(IDLE, rtt_us=20_000, min_rtt_us=400))).against == []


@pytest.mark.parametrize(
    ("retransmits", "weight"), [(20, 0.5), (200, 2.0), (1_000, 3.0)], ids=["few", "some", "many"]
)
def test_the_more_packets_are_lost_the_more_it_is_the_network(retransmits, weight):
    row = retransmissions(case_of(replace(BEYOND, retransmits=retransmits)))

    assert (row.supports, row.weight) == ("network", weight)


def test_a_rate_that_was_not_reached_decides_before_one_at_which_clients_were_late():
    jittery = replace(BASE, index=0, lag=constant(3_000), worker_cpu_ratio=0.1)
    engine = replace(BEYOND, threads=(("match-0", 0.99, 0.0),), receive_queue_bytes_max=2_000_000)
    records = [level_record(jittery), level_record(engine)]

    verdict = conclude(
        [summarise_level(r) for r in records],
        [observe(r) for r in records],
        scenarios=Scenarios(),
    )

    assert verdict.bottleneck == "engine"


def test_where_clients_were_late_and_nothing_else_is_wrong_nobody_else_is_named():
    far = replace(
        BASE, lag=constant(30_000), wire=constant(40_000), min_rtt_us=39_000, rtt_us=39_500
    )
    record = with_agent(level_record(far), 0, activity=())

    verdict = conclude([summarise_level(record)], [observe(record)], scenarios=Scenarios())

    assert verdict.bottleneck in {"client", "inconclusive"}
