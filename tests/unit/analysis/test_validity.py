"""Each finding: a level at which it is given, and one at which it is not."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cluster.analysis.observed import observe
from cluster.analysis.reply_rules import LOSSES
from cluster.analysis.uncertainty.effective_sample import INDEPENDENT
from cluster.analysis.uncertainty.intervals import percentile_interval
from cluster.analysis.validity import findings
from cluster.experiment.model import Bursts, Hawkes
from cluster.results.finding import Severity
from cluster.results.replies import ReplyManners
from cluster.units import NS_PER_S, NS_PER_US
from fakes.levels import START_NS, Truth, constant, level_record, with_agent

GOOD = Truth(offered_per_s=4_000, control_s=6, profile_s=4)


def codes(truth, **record_changes):
    """The findings of a level at which `truth` happened: code → severity."""
    record = replace(level_record(truth), **record_changes)
    return {finding.code: finding.severity for finding in findings(observe(record))}


def the(code, truth, **record_changes):
    record = replace(level_record(truth), **record_changes)
    return next(f for f in findings(observe(record)) if f.code == code)


def test_a_good_level_has_no_finding():
    assert codes(GOOD) == {}


FIRES = {
    "agent-lost": (Severity.INVALID, replace(GOOD, lost_agent="host down")),
    "orders-open": (Severity.INVALID, replace(GOOD, finished=False)),
    "ended-early": (Severity.INVALID, replace(GOOD, ended_early="engine died", completed_s=3)),
    "orders-unanswered": (Severity.INVALID, replace(GOOD, timed_out_per_s=80)),
    "client-behind-schedule": (Severity.INVALID, replace(GOOD, lag=constant(3_000))),
    "client-lag-in-response": (Severity.WARNING, replace(GOOD, lag=constant(400))),
    "engine-pushed-back": (
        Severity.WARNING,
        replace(GOOD, lag=constant(3_000), rwnd_limited_ratio=0.4),
    ),
    "rate-not-reached": (Severity.INVALID, replace(GOOD, answered_per_s=3_900)),
    "unstable-at-this-rate": (Severity.INVALID, replace(GOOD, answered_per_s=3_980)),
    "engine-waits-for-cpu": (Severity.WARNING, replace(GOOD, threads=(("match-0", 0.5, 0.2),))),
    "client-waits-for-cpu": (Severity.WARNING, replace(GOOD, worker_wait_ratio=0.2)),
    "host-steals-cpu": (Severity.WARNING, replace(GOOD, steal_ratio=0.05)),
    "tcp-retransmits": (Severity.WARNING, replace(GOOD, retransmits=100)),
    "orders-rejected": (Severity.WARNING, replace(GOOD, rejected_ratio=0.2)),
    "too-few-orders": (Severity.WARNING, replace(GOOD, offered_per_s=40)),
    "connections-lost": (Severity.WARNING, replace(GOOD, errors={"logged_out": 1})),
    "messages-unknown": (Severity.WARNING, replace(GOOD, errors={"unknown_message": 1})),
    "messages-garbled": (Severity.WARNING, replace(GOOD, errors={"garbled_message": 1})),
    "messages-cut": (Severity.WARNING, replace(GOOD, errors={"cut_message": 1})),
    "sequence-broken": (Severity.WARNING, replace(GOOD, errors={"sequence_break": 1})),
    "requests-skipped": (Severity.NOTE, replace(GOOD, skipped=1_300)),
}


@pytest.mark.parametrize("code", FIRES)
def test_a_level_with_one_thing_wrong_is_told_so_with_its_severity(code):
    severity, truth = FIRES[code]

    assert severity == codes(truth).get(code)


@pytest.mark.parametrize("code", FIRES)
def test_every_finding_knows_its_level_and_says_a_number_or_a_reason(code):
    _, truth = FIRES[code]
    finding = the(code, replace(truth, index=3))

    assert finding.level == 3
    assert any(character.isdigit() for character in finding.message)
    assert finding.message.endswith(".")


SILENT = {
    "orders-unanswered": GOOD,
    "client-behind-schedule": replace(GOOD, lag=constant(900)),
    "client-lag-in-response": replace(GOOD, lag=constant(40)),
    "rate-not-reached": replace(GOOD, answered_per_s=3_990),
    "unstable-at-this-rate": replace(GOOD, answered_per_s=4_000),
    "engine-waits-for-cpu": replace(GOOD, threads=(("match-0", 0.95, 0.04),)),
    "client-waits-for-cpu": replace(GOOD, worker_wait_ratio=0.04),
    "host-steals-cpu": replace(GOOD, steal_ratio=0.005),
    "tcp-retransmits": replace(GOOD, retransmits=2),
    "orders-rejected": replace(GOOD, rejected_ratio=0.04),
    "too-few-orders": replace(GOOD, offered_per_s=80),
    "agent-lost": GOOD,
    "ended-early": GOOD,
    "orders-open": GOOD,
    "engine-pushed-back": replace(GOOD, rwnd_limited_ratio=0.4),
    "connections-lost": replace(GOOD, errors={"late_reply": 9, "unknown_message": 1}),
    "messages-unknown": replace(GOOD, errors={"unknown_id": 9, "garbled_message": 1}),
    "messages-garbled": replace(GOOD, errors={"unknown_message": 1}),
    "messages-cut": replace(GOOD, errors={"reset": 1}),
    "sequence-broken": replace(GOOD, errors={"duplicate_reply": 1}),
    "requests-skipped": replace(GOOD, skipped=1_000),
}


@pytest.mark.parametrize("code", SILENT)
def test_a_level_within_the_limit_is_not_told(code):
    assert code not in codes(SILENT[code])


def test_every_rule_that_can_fire_is_tried_both_ways():
    assert set(FIRES) == set(SILENT)


def test_what_makes_a_level_invalid_comes_first():
    found = findings(observe(level_record(replace(GOOD, steal_ratio=0.1, answered_per_s=3_000))))
    severities = [finding.severity for finding in found]

    assert severities == sorted(severities, key=list(Severity).index)
    assert Severity.INVALID in severities
    assert Severity.WARNING in severities


def test_unanswered_orders_below_the_limit_are_a_warning():
    truth = replace(GOOD, timed_out_per_s=4)

    assert codes(truth)["orders-unanswered"] == Severity.WARNING
    assert "never answered: 24 timed out, 0 were lost" in the("orders-unanswered", truth).message


def test_a_level_that_ended_after_its_control_window_is_only_a_warning():
    truth = replace(GOOD, ended_early="interrupted", completed_s=9)

    assert codes(truth)["ended-early"] == Severity.WARNING


def test_a_level_cut_short_without_a_word_is_found():
    assert codes(replace(GOOD, completed_s=5))["ended-early"] == Severity.INVALID


def test_clients_that_send_most_orders_on_time_but_some_very_late_are_behind():
    def stumbling(rng, n, _second):
        return np.where(rng.random(n) < 0.06, 20_000, 2) * NS_PER_US

    assert "client-behind-schedule" in codes(replace(GOOD, lag=stumbling))


def test_lag_that_is_a_small_share_of_a_slow_engine_s_response_is_no_finding():
    assert codes(replace(GOOD, lag=constant(2_000), engine=constant(60_000))) == {}


def test_a_closed_loop_level_has_no_schedule_to_miss():
    closed = replace(GOOD, offered_per_s=None, answered_per_s=4_000, lag=constant(5_000))

    assert codes(closed) == {}


def test_orders_that_wait_for_the_clients_own_bound_were_pushed_back_by_the_engine():
    truth = replace(GOOD, lag=constant(50_000), backlog_per_s=400, answered_per_s=3_500)
    record = level_record(truth)
    full = {
        name: tuple(replace(sample, in_flight=500) for sample in progress)
        for name, progress in record.progress.items()
    }
    found = codes(truth, in_flight_max=1_000, progress=full)

    assert "engine-pushed-back" in found
    assert "client-behind-schedule" not in found
    assert "client-behind-schedule" in codes(truth, in_flight_max=100_000)


def test_orders_left_unsent_by_the_clients_are_the_clients_fault():
    record = level_record(GOOD)
    changed = tuple(replace(agent, intervals=unsend(agent.intervals)) for agent in record.agents)

    assert "client-behind-schedule" in codes(GOOD, agents=changed)
    assert "client-behind-schedule" not in codes(GOOD, agents=changed, ended_early="engine died")


def unsend(intervals):
    """One more order due and never sent in every second."""
    return tuple(
        replace(
            i,
            orders=i.orders.model_copy(
                update={"intended": i.orders.intended + 1, "unsent": i.orders.unsent + 1}
            ),
        )
        for i in intervals
    )


def test_a_wrong_number_of_due_orders_is_found():
    record = level_record(GOOD)
    plan = replace(record.level, offered_per_s=4_100)

    assert codes(GOOD, level=plan)["offered-off-plan"] == Severity.INVALID


def test_a_poisson_level_may_be_off_by_chance():
    record = level_record(replace(GOOD, offered_per_s=100))
    near = replace(record.level, offered_per_s=110, arrivals="poisson")
    far = replace(record.level, offered_per_s=140, arrivals="poisson")

    assert "offered-off-plan" not in codes(replace(GOOD, offered_per_s=100), level=near)
    assert "offered-off-plan" in codes(replace(GOOD, offered_per_s=100), level=far)


def test_a_hawkes_level_may_be_off_by_its_own_chance():
    truth = replace(GOOD, offered_per_s=100)
    level = replace(level_record(truth).level, arrivals="hawkes", law=Hawkes(branching_ratio=0.5))
    # 4 standard deviations of a Poisson count are 98 of the 600 orders, of this law's 196.
    near, far = replace(level, offered_per_s=130), replace(level, offered_per_s=150)

    assert "offered-off-plan" not in codes(truth, level=near)
    assert "offered-off-plan" in codes(truth, level=far)


def test_bursts_may_be_off_as_the_law_within_them():
    truth = replace(GOOD, offered_per_s=100)
    level = replace(level_record(truth).level, arrivals="bursts", offered_per_s=110)

    poisson = replace(level, law=Bursts(within="poisson"))
    constant = replace(level, law=Bursts(within="constant"))

    assert "offered-off-plan" not in codes(truth, level=poisson)
    assert "offered-off-plan" in codes(truth, level=constant)


@pytest.mark.parametrize("code", ["unstable-at-this-rate", "rate-not-reached"])
def test_orders_of_one_burst_are_no_growing_queue(code):
    truth = FIRES[code][1]
    level = replace(level_record(truth).level, arrivals="bursts")
    # A second holds 4,000 orders. 20 or 100 of them stay unanswered, every second.
    long = replace(level, law=Bursts(on_ms=100, off_ms=900))
    short = replace(level, law=Bursts(on_ms=1, off_ms=1))

    assert code not in codes(truth, level=long)
    assert code in codes(truth, level=short)


def test_a_profiler_that_slows_the_engine_is_found():
    def slower_under_perf(rng, n, second):
        return rng.normal(50 if second < 7 else 90, 1, n) * NS_PER_US

    truth = replace(GOOD, engine=slower_under_perf)

    assert codes(truth) == {"profiler-moved-p99": Severity.WARNING}
    assert "+5" in the("profiler-moved-p99", truth).message


def test_a_profiler_that_moves_the_p99_by_less_than_a_tenth_is_not():
    def slightly_slower(rng, n, second):
        return rng.normal(50 if second < 7 else 54, 1, n) * NS_PER_US

    assert codes(replace(GOOD, engine=slightly_slower)) == {}


def test_windows_that_differ_as_seconds_do_do_not_accuse_the_profiler():
    # All orders of a second are slow or quick together: 120,000 orders, but thirty seconds.
    def by_the_second(rng, n, second):
        level = np.random.default_rng(second).lognormal(0, 0.5)
        return 50_000 * level * rng.lognormal(0, 0.1, n)

    truth = replace(GOOD, wire=by_the_second, warmup_s=38, control_s=30, profile_s=30)
    seen = observe(level_record(truth))
    windows = (seen.control, seen.profile)
    one, two = (percentile_interval(w.response, 99, 0, INDEPENDENT)[0] for w in windows)

    assert one.high < two.low or two.high < one.low  # as if independent: apart
    assert "profiler-moved-p99" not in codes(truth)


def test_an_engine_that_still_warms_up_in_the_control_window_is_found():
    def warming(rng, n, second):
        return rng.normal(100 / (second + 1), 1, n).clip(0) * NS_PER_US

    assert codes(replace(GOOD, engine=warming))["not-steady"] == Severity.WARNING


def test_unbalanced_books_make_a_level_invalid():
    record = level_record(GOOD)
    agent = record.agents[0]
    orders = agent.orders.model_copy(update={"lost": 5})
    changed = (replace(agent, orders=orders), *record.agents[1:])

    assert codes(GOOD, agents=changed)["books-unbalanced"] == Severity.INVALID


def test_a_level_nobody_watched_is_judged_by_what_is_known():
    assert codes(GOOD, engine_control=None, engine_profile=None) == {}


def test_a_level_that_never_began_is_a_finding_and_no_crash():
    found = codes(
        replace(GOOD, completed_s=0),
        progress={},
        agents=(),
        sending_ended_ns=START_NS,
        ended_early="agents did not start",
        ended_ns=START_NS + NS_PER_S,
    )

    assert found == {"ended-early": Severity.INVALID}


def test_lost_connections_are_told_by_how_they_ended():
    errors = {"engine_silent": 1, "logged_out": 1, "reset": 0}
    message = the("connections-lost", replace(GOOD, agents=2, errors=errors)).message

    assert message.startswith("4 of 4 connections ended during the level: ")
    assert "2 logged out by the engine" in message
    assert "2 ended by us, as nothing came for longer than the protocol allows" in message
    assert "reset" not in message


def test_every_kind_of_error_that_ends_a_connection_counts_as_a_loss():
    header = (Path(__file__).parents[3] / "native" / "client" / "errors.cpp").read_text()
    names = re.findall(r'return "(\w+)"', header)

    assert names[: len(LOSSES)] == list(LOSSES)
    assert names[len(LOSSES)] == "late_reply"


def test_many_rejections_are_told_with_their_most_frequent_reasons():
    reasons = {"3": 700, "4": 100, "5": 90, "6": 80, "": 5}
    manners = ReplyManners(reasons={"3": "unknown order"})
    truth = replace(GOOD, rejected_ratio=0.2, reject_reasons=reasons)
    message = the("orders-rejected", truth, manners=manners).message

    assert (
        "Reasons over the whole level: 3 (unknown order) 1,400, 4 200, 5 180, and 2 more."
        in message
    )


def test_rejections_without_reasons_are_told_without():
    assert "Reasons" not in the("orders-rejected", replace(GOOD, rejected_ratio=0.2)).message


def with_errors(**errors):
    return with_agent(level_record(GOOD), 1, errors=errors)


def test_orders_that_a_file_gave_too_late_make_the_level_invalid():
    (found,) = findings(observe(with_errors(replay_starved=3)))

    assert (found.code, found.severity) == ("replay-starved", Severity.INVALID)
    assert "3 of 44,000 orders" in found.message


@pytest.mark.parametrize(("rows", "severity"), [(40, Severity.NOTE), (4_000, Severity.WARNING)])
def test_rows_that_name_no_living_order_are_told(rows, severity):
    (found,) = findings(observe(with_errors(replay_unknown_reference=rows)))

    assert (found.code, found.severity) == ("replay-unknown-reference", severity)
    assert f"{rows:,} rows" in found.message
