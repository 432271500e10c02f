from dataclasses import replace

import pytest

from cluster.analysis.books import audit
from cluster.results.histogram import Histogram
from cluster.results.orders import OrderCounts
from cluster.results.replies import ReplyManners
from fakes.levels import Truth, level_record, with_agent

RECORD = level_record(Truth(offered_per_s=1_000, timed_out_per_s=4, lost_per_s=2))


def with_second(record, **changes):
    """The record with the last second of agent-0 changed, and its books with it."""
    agent = record.agents[0]
    last = replace(agent.intervals[-1], **changes)
    intervals = (*agent.intervals[:-1], last)
    orders = sum((interval.orders for interval in intervals), OrderCounts())
    return with_agent(record, 0, intervals=intervals, orders=orders)


def test_books_that_balance_give_no_finding():
    assert audit(RECORD) == []


def test_an_order_of_the_schedule_that_is_missing_is_found_by_how_much():
    orders = RECORD.agents[0].orders
    short = with_agent(
        RECORD, 0, orders=orders.model_copy(update={"intended": orders.intended + 3})
    )
    messages = [finding.message for finding in audit(short)]

    assert any(m.startswith("agent-0: 3,003 orders were due") and "+3 un" in m for m in messages)


def test_an_answer_counted_twice_is_found_in_its_second_by_how_much():
    orders = RECORD.agents[0].intervals[-1].orders
    twice = orders.model_copy(update={"accepted": orders.accepted + 1})
    messages = [finding.message for finding in audit(with_second(RECORD, orders=twice))]

    assert any(m.startswith("agent-0, second 5:") and "-1 unaccounted" in m for m in messages)
    assert any(m.startswith("agent-0: of 3,000 sent orders") for m in messages)


def test_seconds_that_do_not_add_up_to_the_whole_are_found():
    agent = RECORD.agents[0]
    messages = [f.message for f in audit(with_agent(RECORD, 0, intervals=agent.intervals[:-1]))]

    assert "agent-0: sent is 3,000, but its seconds add up to 2,500 (-500)." in messages


@pytest.mark.parametrize("quantity", ["response", "service", "send_lag", "engine"])
def test_a_histogram_with_a_time_too_many_is_found(quantity):
    histogram = getattr(RECORD.agents[0].intervals[-1], quantity)
    extra = with_second(RECORD, **{quantity: histogram + Histogram.from_values([5])})
    (finding,) = audit(extra)

    assert f"recorded as {quantity}" in finding.message
    assert "(+1)" in finding.message


def test_an_engine_that_does_not_say_its_times_leaves_the_books_balanced():
    assert audit(with_second(RECORD, engine=Histogram.empty())) == []


def test_an_engine_that_says_its_times_in_some_replies_only_leaves_the_books_balanced():
    assert audit(with_second(RECORD, engine=Histogram.from_values([5]))) == []


def test_the_books_of_a_lost_agent_are_left_to_the_finding_about_it():
    agent = RECORD.agents[1]
    lost = with_agent(RECORD, 1, lost="host down", intervals=agent.intervals[:-1])

    assert audit(lost) == []


def test_closed_loop_there_is_no_lag_to_record():
    closed = level_record(Truth(offered_per_s=None, answered_per_s=1_000))
    with_lag = with_second(closed, send_lag=Histogram.from_values([5]))

    assert audit(closed) == []
    assert "recorded as send_lag for 0 orders" in audit(with_lag)[0].message


def test_a_fault_in_every_second_is_told_a_few_times_and_counted():
    agents = tuple(
        replace(
            agent,
            intervals=tuple(replace(i, service=Histogram.empty()) for i in agent.intervals),
        )
        for agent in RECORD.agents
    )
    messages = [finding.message for finding in audit(replace(RECORD, agents=agents))]

    assert len(messages) == 6
    assert messages[-1] == "7 more such imbalances."


def test_orders_with_several_replies_need_no_balance():
    answered = RECORD.agents[0].orders.answered

    for orders in (0, 1, answered):
        times = Histogram.from_values([5] * orders)
        assert audit(with_second(RECORD, other_reply=times)) == []


def test_more_last_replies_than_answered_orders_are_found():
    answered = RECORD.agents[0].orders.answered
    times = Histogram.from_values([5] * (answered + 1))
    (finding,) = audit(with_second(RECORD, other_reply=times))

    assert f"{answered + 1:,} times were recorded as last_reply" in finding.message
    assert f"for {answered:,} answered orders" in finding.message


def test_a_first_reply_may_be_of_an_order_that_was_never_answered_but_must_have_been_sent():
    record = replace(RECORD, manners=ReplyManners(timed_reply="last"))
    sent = record.agents[0].orders.sent
    (finding,) = audit(with_second(record, other_reply=Histogram.from_values([5] * (sent + 1))))

    assert audit(with_second(record, other_reply=Histogram.from_values([5] * sent))) == []
    assert f"first_reply for {sent:,} sent orders" in finding.message
