"""A closed-loop level that hides a stall says so; others, and open-loop levels, do not."""

from dataclasses import replace

import numpy as np
import pytest

from cluster.analysis.closed_loop_rules import percentile_on_schedule
from cluster.analysis.level import summarise_level
from cluster.analysis.observed import observe
from cluster.analysis.validity import findings
from cluster.results.histogram import Histogram
from cluster.units import NS_PER_MS, NS_PER_US
from fakes.levels import Truth, constant, level_record

CODE = "closed-loop-hides-waiting"
FROZEN_MS = 400
IN_FLIGHT = 16


def frozen_once(rng, orders, second):
    """Each agent's half of the places in flight waits for as long as the engine is frozen."""
    times = constant(5)(rng, orders, second)
    if second == 3:
        times[: IN_FLIGHT // 2] = FROZEN_MS * NS_PER_MS
    return times


CLOSED = Truth(offered_per_s=None, answered_per_s=4_000, in_flight=IN_FLIGHT, control_s=6)
HIDING = replace(CLOSED, engine=frozen_once)


def told(truth):
    return [f for f in findings(observe(level_record(truth))) if f.code == CODE]


def test_a_stall_that_closed_loop_percentiles_leave_out_is_told_with_its_size():
    level = summarise_level(level_record(HIDING))
    (finding,) = told(HIDING)

    assert level.response_ns.p99 < NS_PER_MS
    assert level.valid  # how many it took is still true
    assert "p95 reads" in finding.message
    # 400 ms less a twentieth of the time that a schedule would have loaded, in steps of 4 ms.
    assert "about 84 ms" in finding.message


def test_a_steady_closed_loop_level_is_not_told():
    assert told(CLOSED) == []


def test_a_closed_loop_level_whose_orders_queue_for_each_other_is_not_told():
    waiting = replace(CLOSED, wire=lambda rng, n, _: rng.exponential(4_000, n) * NS_PER_US)

    assert told(waiting) == []


def test_an_open_loop_level_with_the_same_stall_is_not_told():
    assert told(replace(HIDING, offered_per_s=4_000)) == []


def test_a_closed_loop_level_without_an_answer_is_not_told():
    assert told(replace(CLOSED, timed_out_per_s=4_000)) == []


@pytest.mark.parametrize("percentile", [50, 90, 99, 99.9])
def test_left_out_orders_are_those_that_hdrhistogram_adds(percentile):
    rng = np.random.default_rng(1)
    measured = np.concatenate([rng.exponential(0.5, 2_000), rng.uniform(5, 80, 20)]) * NS_PER_MS
    interval = round(0.7 * NS_PER_MS)
    added = [v - k * interval for v in measured for k in range(1, int(v // interval))]
    whole = np.concatenate([measured, added])

    found = percentile_on_schedule(Histogram.from_values(measured), percentile, interval)

    assert found == pytest.approx(np.percentile(whole, percentile), rel=0.01)


def test_without_waiting_nothing_is_added():
    short = Histogram.from_values(np.arange(1, 1_000) * NS_PER_US)

    assert percentile_on_schedule(short, 99, NS_PER_MS) == pytest.approx(
        short.percentile(99), rel=0.002
    )
