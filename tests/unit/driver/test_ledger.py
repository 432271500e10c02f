from dataclasses import replace

import numpy as np

from cluster.driver.ledger import Ledger
from cluster.fleet.agent import Closing, Poll
from cluster.results.agent import Interval, Jitter, Progress
from cluster.results.histogram import Histogram
from cluster.results.orders import OrderCounts
from cluster.results.over_time import Activity
from cluster.results.replies import ReplyCounts


def poll(time_ns: int, sent: int, *intervals: tuple[int, list[int]]) -> Poll:
    empty = Histogram.empty()
    return Poll(
        Progress(time_ns, OrderCounts(intended=sent, sent=sent), 0, 0, 1, finished=False),
        tuple(
            Interval(index, OrderCounts(), Histogram.from_values(values), empty, empty, empty)
            for index, values in intervals
        ),
    )


def test_parts_of_one_second_that_come_in_apart_are_added() -> None:
    ledger = Ledger(("a",))

    ledger.take({"a": poll(1, 10, (0, [5]))}, {})
    ledger.take({"a": poll(2, 20, (0, [7]), (1, [9]))}, {})

    (result,) = ledger.results({"a": "host"}, {"a": 0})
    assert [interval.index for interval in result.intervals] == [0, 1]
    assert result.intervals[0].response == Histogram.from_values([5, 7])


def test_the_newest_second_is_merged_over_the_agents_that_have_it() -> None:
    ledger = Ledger(("a", "b"))

    ledger.take({"a": poll(1, 1, (0, [5]), (1, [6])), "b": poll(1, 1, (0, [50]))}, {})

    assert ledger.newest_response() == Histogram.from_values([6])


def test_a_lost_agent_stays_in_the_books_with_what_it_said() -> None:
    ledger = Ledger(("a", "b"))
    ledger.take({"a": poll(1, 10), "b": poll(1, 5)}, {})

    ledger.take({"a": poll(2, 20)}, {"b": "gone"})

    assert ledger.living == ("a",)
    assert ledger.orders().sent == 25
    assert [r.lost for r in ledger.results({"a": "h", "b": "h"}, {"a": 0, "b": 0})] == ["", "gone"]


def second(index: int, sent: int) -> Activity:
    per_ms = np.zeros(1000, np.int64)
    per_ms[0] = sent
    return replace(Activity.empty(index), sent_per_ms=per_ms)


def test_what_workers_did_in_one_second_is_added_whenever_it_comes_in() -> None:
    ledger = Ledger(("a", "b"))
    jitter = Jitter(Histogram.from_values([50]), Histogram.empty())
    first = replace(poll(1, 10), activity=(second(1, 5), second(0, 3), second(1, 2)))
    last = replace(poll(2, 20), activity=(second(0, 4),))

    ledger.take({"a": first, "b": poll(1, 10)}, {})
    closing = Closing(last, True, None, (), 1, jitter=jitter, steal_ratio=0.25)
    ledger.close({"a": closing}, {"b": "gone"})
    a, b = ledger.results({"a": "h", "b": "h"}, {"a": 0, "b": 0})

    assert [(s.index, int(s.sent_per_ms.sum())) for s in a.activity] == [(0, 7), (1, 7)]
    assert (a.jitter, a.steal_ratio) == (jitter, 0.25)
    assert (b.activity, b.jitter, b.steal_ratio) == ((), None, None)


def test_before_anything_was_said_there_is_nothing() -> None:
    ledger = Ledger(("a",))

    assert ledger.latest() == ()
    assert ledger.newest_response().total == 0
    assert ledger.orders() == OrderCounts()


def test_what_an_agent_says_of_replies_is_its_last_word() -> None:
    ledger = Ledger(("a", "b"))
    ledger.take({"a": poll(1, 10), "b": poll(1, 10)}, {})
    last = poll(2, 20)
    told = replace(last, progress=replace(last.progress, replies=ReplyCounts(executions=4)))

    ledger.close({"a": Closing(told, True, None, (), 1, {"3": 2})}, {"b": "gone"})
    a, b = ledger.results({"a": "h", "b": "h"}, {"a": 0, "b": 0})

    assert (a.replies.executions, a.reject_reasons) == (4, {"3": 2})
    assert (b.replies, b.reject_reasons) == (ReplyCounts(), {})
