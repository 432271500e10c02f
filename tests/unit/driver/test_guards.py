from dataclasses import replace

import pytest

from cluster.driver.guards import Seen, end_of_orders, reason_to_end
from cluster.experiment.model import Abort
from cluster.results.agent import Progress
from cluster.results.histogram import Histogram
from cluster.results.orders import OrderCounts
from cluster.units import NS_PER_S

ABORT = Abort(response_p99_ms=10, error_ratio=0.01)
PROGRESS = Progress(
    time_ns=1,
    orders=OrderCounts(),
    in_flight=0,
    backlog=0,
    connections_open=4,
    finished=False,
)
HEALTHY = Seen(
    orders=OrderCounts(intended=1000, sent=1000, accepted=995, timed_out=5),
    newest_response=Histogram.from_values([1_000_000] * 100),
    latest=(PROGRESS,),
    lost_agents={},
    engine_exit="",
)


def test_a_healthy_level_goes_on() -> None:
    assert reason_to_end(HEALTHY, ABORT) == ""


def test_an_engine_that_ended_ends_the_level_and_comes_before_what_follows_from_it() -> None:
    seen = replace(
        HEALTHY,
        engine_exit="the engine ended by itself: SIGSEGV",
        latest=(replace(PROGRESS, connections_open=0),),
    )

    assert reason_to_end(seen, ABORT) == "the engine ended by itself: SIGSEGV"


def test_a_lost_agent_ends_the_level_by_name() -> None:
    seen = replace(HEALTHY, lost_agents={"agent-1": "the actor died"})

    assert reason_to_end(seen, ABORT) == "agent-1 was lost: the actor died"


def test_no_open_connection_ends_the_level_and_names_the_errors() -> None:
    closed = replace(PROGRESS, connections_open=0, errors={"reset": 4, "send": 0})

    reason = reason_to_end(replace(HEALTHY, latest=(closed, closed)), ABORT)

    assert reason == "the engine closed every connection (reset: 8)"


def test_an_agent_that_stopped_by_itself_ends_the_level() -> None:
    alone = replace(PROGRESS, errors={"lease_expired": 1})

    reason = reason_to_end(replace(HEALTHY, latest=(PROGRESS, alone)), ABORT)

    assert reason.startswith("1 of 2 agents stopped by themselves: they had not heard from the")


def test_one_agent_with_connections_is_enough_to_go_on() -> None:
    closed = replace(PROGRESS, connections_open=0)

    assert reason_to_end(replace(HEALTHY, latest=(closed, PROGRESS)), ABORT) == ""


def test_too_many_timed_out_and_lost_orders_end_the_level() -> None:
    orders = OrderCounts(intended=1000, sent=1000, accepted=980, timed_out=10, lost=10)

    reason = reason_to_end(replace(HEALTHY, orders=orders), ABORT)

    assert reason == ("20 of 1,000 orders timed out or were lost (2.0%, abort.error_ratio is 1.0%)")


@pytest.mark.parametrize("sent", [0, 99])
def test_a_ratio_of_few_orders_says_nothing(sent: int) -> None:
    orders = OrderCounts(intended=sent, sent=sent, timed_out=sent)

    assert reason_to_end(replace(HEALTHY, orders=orders), ABORT) == ""


def test_a_p99_over_the_limit_ends_the_level() -> None:
    slow = Histogram.from_values([1_000_000] * 90 + [50_000_000] * 10)

    reason = reason_to_end(replace(HEALTHY, newest_response=slow), ABORT)

    assert reason == "response time p99 rose to 50 ms (abort.response_p99_ms is 10 ms)"


def test_a_second_without_answers_has_no_p99_to_judge() -> None:
    seen = replace(HEALTHY, newest_response=Histogram.empty())

    assert reason_to_end(seen, ABORT) == ""


ENDED = replace(
    PROGRESS, finished=True, source_ended="a.csv is at its end", source_ended_ns=3 * NS_PER_S + 1
)


def test_a_file_at_its_end_ends_the_level_after_the_whole_seconds_it_filled() -> None:
    assert end_of_orders((ENDED, ENDED), 5) == (3, "a.csv is at its end")


def test_a_file_ends_the_level_only_when_every_agent_has_had_its_answers() -> None:
    assert end_of_orders((ENDED, PROGRESS), 5) == (5, "")
    assert end_of_orders((ENDED, replace(ENDED, finished=False)), 5) == (5, "")
    assert end_of_orders((), 5) == (5, "")


def test_closed_loop_the_second_of_the_last_answer_is_not_whole() -> None:
    assert end_of_orders((replace(ENDED, source_ended_ns=0),), 5)[0] == 4


def test_a_file_that_one_agent_could_not_read_on_ends_the_level_for_all() -> None:
    failed = replace(ENDED, source_ended="a.csv: row 7: no", source_failed=True)

    assert end_of_orders((PROGRESS, failed), 5) == (3, "a.csv: row 7: no")
