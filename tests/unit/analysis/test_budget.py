"""The latency budget of levels whose legs are known."""

from dataclasses import replace

import numpy as np
import pytest

from cluster.analysis.budget import NO_STAMPS, budget
from cluster.analysis.observed import observe
from cluster.results.histogram import Histogram
from cluster.results.level import LevelRecord
from cluster.results.summary import BudgetPart
from cluster.units import NS_PER_US
from fakes.levels import Truth, constant, level_record, with_agent

# An order is 2 µs late, 20 µs on its way and in queues, 5 µs in the engine; the path takes 12.
KNOWN = Truth(lag=constant(2), wire=constant(20), engine=constant(5), min_rtt_us=12)


def stamped(record: LevelRecord, out_us: float, in_us: float) -> LevelRecord:
    """The record with the kernel's time stamps, all alike."""

    def times(us: float) -> Histogram:
        return Histogram.from_values(np.full(50, us * NS_PER_US, np.int64))

    agents = [
        replace(
            agent,
            activity=tuple(
                replace(a, kernel_send=times(out_us), kernel_receive=times(in_us))
                for a in agent.activity
            ),
        )
        for agent in record.agents
    ]
    return replace(record, agents=tuple(agents))


def parts(record: LevelRecord) -> dict[str, BudgetPart]:
    return {part.part: part for part in budget(observe(record))}


def test_every_leg_that_was_seen_is_told_and_the_rest_is_what_is_left() -> None:
    found = parts(stamped(level_record(KNOWN), 1, 3))

    us = {name: (part.mean_ns or 0) / NS_PER_US for name, part in found.items()}
    assert us == {
        "send lag": pytest.approx(2, rel=0.05),
        "client kernel, out": pytest.approx(1, rel=0.01),
        "network": pytest.approx(12),
        "engine queue": pytest.approx(20 - 1 - 12 - 3, rel=0.05),
        "engine": pytest.approx(5, rel=0.05),
        "client kernel, in": pytest.approx(3, rel=0.01),
    }
    assert {name for name, part in found.items() if part.known == "inferred"} == {"engine queue"}


@pytest.mark.parametrize(
    "record",
    [
        level_record(KNOWN),
        stamped(level_record(KNOWN), 1, 3),
        stamped(level_record(KNOWN), 40, 3),
        level_record(replace(KNOWN, min_rtt_us=500)),
    ],
)
def test_the_legs_add_up_to_the_mean_response_time_and_none_is_negative(
    record: LevelRecord,
) -> None:
    legs = budget(observe(record))
    response = observe(record).control.response.mean

    assert sum(part.mean_ns or 0 for part in legs) == pytest.approx(response, rel=1e-9)
    assert sum(part.share or 0 for part in legs) == pytest.approx(1)
    assert all((part.mean_ns or 0) >= 0 for part in legs)


def test_a_leg_without_a_measurement_is_named_and_lies_in_the_rest() -> None:
    found = parts(level_record(KNOWN))

    assert found["client kernel, out"].mean_ns is None
    assert found["client kernel, out"].known == "not measured"
    assert found["client kernel, out"].how == NO_STAMPS
    assert "engine queue" not in found
    assert "with client kernel, out, client kernel, in in it" in found["rest"].how


def test_why_there_are_no_time_stamps_is_told_as_the_agent_says_it() -> None:
    record = with_agent(level_record(KNOWN), 0, no_kernel_times="the kernel refused them")

    assert parts(record)["client kernel, in"].how == "the kernel refused them"


def test_a_leg_longer_than_the_whole_is_cut_and_says_so() -> None:
    found = parts(level_record(replace(KNOWN, min_rtt_us=500)))

    assert found["network"].known == "inferred"
    assert "cut to that" in found["network"].how
    assert found["rest"].mean_ns == pytest.approx(0)


def test_without_the_engine_s_times_its_cpu_time_stands_in_unless_it_may_poll() -> None:
    silent = level_record(replace(KNOWN, threads=(("match-0", 0.1, 0.0),)))
    polling = level_record(replace(KNOWN, threads=(("match-0", 1.0, 0.0),)))

    inferred, unknown = (parts(without_engine_time(r))["engine"] for r in (silent, polling))
    assert inferred.known == "inferred"
    assert inferred.mean_ns == pytest.approx(0.1 * 1e9 / 10_000, rel=0.05)
    assert (unknown.known, unknown.mean_ns) == ("not measured", None)


def without_engine_time(record: LevelRecord) -> LevelRecord:
    agents = [
        replace(
            agent,
            intervals=tuple(replace(i, engine=Histogram.empty()) for i in agent.intervals),
        )
        for agent in record.agents
    ]
    return replace(record, agents=tuple(agents))


def test_there_is_no_mean_to_split_where_orders_stayed_unanswered() -> None:
    assert budget(observe(level_record(replace(KNOWN, timed_out_per_s=4)))) == []
