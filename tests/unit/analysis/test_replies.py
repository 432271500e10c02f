from dataclasses import replace

from cluster.analysis.level import summarise_level
from cluster.analysis.replies import REASONS_MAX, reject_reasons, reply_counts
from cluster.results.histogram import Histogram
from cluster.results.replies import OTHER_REASONS_MEANING, ReplyCounts, ReplyManners
from fakes.levels import Truth, level_record, with_agent

TRUTH = Truth(offered_per_s=1_000, warmup_s=1, control_s=4)
RECORD = level_record(TRUTH)
LAST = ReplyManners(timed_reply="last")


def with_other_replies(record, per_second, value_ns=80_000):
    """The record with that many other replies in every second of agent-0."""
    times = Histogram.from_values([value_ns] * per_second)
    intervals = tuple(replace(i, other_reply=times) for i in record.agents[0].intervals)
    return with_agent(record, 0, intervals=intervals)


def with_reasons(record, *reasons):
    for number, counts in enumerate(reasons):
        record = with_agent(record, number, reject_reasons=counts)
    return record


def test_the_last_reply_is_told_of_where_the_first_is_timed():
    level = summarise_level(with_other_replies(RECORD, 100))

    assert level.last_reply_ns is not None
    assert level.last_reply_ns.count == 4 * 100  # of the control window
    assert level.last_reply_ns.p50 is not None
    assert level.first_reply_ns is None
    assert "response time ends" in level.not_measured["first_reply_ns"]
    assert "last_reply_ns" not in level.not_measured


def test_the_first_reply_is_told_of_where_the_last_is_timed():
    level = summarise_level(replace(with_other_replies(RECORD, 100), manners=LAST))

    assert level.timed_reply == "last"
    assert level.first_reply_ns is not None
    assert level.first_reply_ns.count == 4 * 100
    assert level.last_reply_ns is None
    assert "response time ends" in level.not_measured["last_reply_ns"]


def test_without_orders_of_several_replies_it_is_said_that_there_are_none():
    level = summarise_level(RECORD)

    assert (level.first_reply_ns, level.last_reply_ns) == (None, None)
    assert level.not_measured["last_reply_ns"] == "no order had several replies"


def test_counts_are_those_of_all_agents():
    one = with_agent(RECORD, 0, replies=ReplyCounts(executions=3, skipped=1))
    both = with_agent(one, 1, replies=ReplyCounts(executions=4, out_of_order=2))

    assert reply_counts(both) == ReplyCounts(executions=7, skipped=1, out_of_order=2)
    assert summarise_level(both).replies == reply_counts(both)


def test_reasons_of_all_agents_are_added_and_named_frequent_ones_first():
    record = with_reasons(RECORD, {"3": 5, "x": 9, "": 1}, {"3": 6, "": 2})
    record = replace(record, manners=ReplyManners(reasons={"3": "unknown order", "4": "unused"}))
    told = [(r.reason, r.meaning, r.count) for r in reject_reasons(record)]

    assert told == [("3", "unknown order", 11), ("x", "", 9), ("", OTHER_REASONS_MEANING, 3)]


def test_reasons_beyond_the_limit_are_told_together_and_none_is_lost():
    counts = {f"{number:02}": 100 - number for number in range(REASONS_MAX + 5)}
    reasons = reject_reasons(with_reasons(RECORD, counts))

    assert len(reasons) == REASONS_MAX + 1
    assert reasons[-1].reason == ""
    assert sum(reason.count for reason in reasons) == sum(counts.values())


def test_the_same_reasons_give_the_same_list_whichever_agent_had_them():
    a, b = {"1": 2, "2": 2}, {"2": 1, "1": 1, "9": 3}

    assert reject_reasons(with_reasons(RECORD, a, b)) == reject_reasons(with_reasons(RECORD, b, a))
