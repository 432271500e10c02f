"""Single-server queues of textbooks: Poisson arrivals, constant or exponential service.

At load u mean waiting is u / (2 (1 - u)) service times for M/D/1 and u / (1 - u) for M/M/1; the
response time of M/M/1 is exponential with mean S / (1 - u), the waiting of M/D/1 Erlang's. Runs are
finite, so the strict oracle is the recursion fed with the very schedule and the very service times;
theory must lie in the intervals that the level itself gives. Seeds are fixed: how often intervals
hold the truth is another test's matter.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cluster.units import NS_PER_S
from fakes.queues import Law
from integration.known_engine import ATTEMPTS, DISTURBED, ahead_of_all, needs_two_cpus
from integration.known_queue import SERVICE_S, QueueLevel, queue_levels

pytestmark = [pytest.mark.integration, needs_two_cpus]

LOADS = (0.5, 0.9)
CONTROL_S = 6
# Of what these very orders must have waited.
TOLERANCE = 0.03
# CPUs that idle wake up later than busy ones, so that overhead falls with load.
MACHINE_S = 60e-6
MOVED = 0.5  # in percent of the orders: as many may the machine move past the p99
CALM_S = 250e-6  # what client, loopback and engine add to an order when nobody disturbs


def undisturbed(folder: Path, law: Law, loads: Sequence[float], control_s: int) -> list[QueueLevel]:
    """Levels in which the CPUs were those of engine and client; else the test is skipped."""
    for attempt in range(ATTEMPTS):
        levels = queue_levels(folder / str(attempt), law, loads, control_s, ahead_of_all())
        overhead_s = levels[0].overhead_s
        codes = {finding.code for level in levels for finding in level.summary.findings}
        if not DISTURBED & codes and overhead_s < CALM_S:
            return levels[1:]
    why = ", ".join(sorted(DISTURBED & codes)) or f"{overhead_s * 1e6:.0f} us of overhead"
    pytest.skip(f"others take this machine's CPUs from engine and client: {why}")


@pytest.mark.parametrize("law", ["constant", "exponential"])
def test_waiting_in_a_queue_is_what_recursion_and_theory_say(tmp_path: Path, law: Law) -> None:
    levels = undisturbed(tmp_path, law, LOADS, CONTROL_S)

    for level in levels:
        assert level.summary.valid, level.summary.findings
        assert len(level.simulated) == level.measured.total
        # The overhead is that of an idle machine; of a busy one it may be half as much.
        near = {"rel": TOLERANCE, "abs": max(MACHINE_S, level.overhead_s / 2)}
        assert level.measured_wait_s == pytest.approx(level.simulated_wait_s, **near)
        low_s, high_s = (level.simulated_percentile_s(99 + by) for by in (-MOVED, MOVED))
        assert low_s - MACHINE_S <= level.measured_p99_s <= high_s + MACHINE_S
        theory = {"mean": SERVICE_S + level.theory_wait_s, "p99": level.theory_p99_s}
        for name, expected_s in theory.items():
            interval = level.interval_s(name)
            if interval is None:
                assert level.summary.response_ns.no_interval[name]  # why, in words
            else:
                low, high = interval
                assert low - MACHINE_S <= expected_s <= high + MACHINE_S
    # At half load the data is enough for the mean.
    assert levels[0].interval_s("mean") is not None


def test_engine_time_is_the_time_in_the_queue(tmp_path: Path) -> None:
    """What the engine says of itself is the wait and the service, without the way there."""
    (level,) = undisturbed(tmp_path, "exponential", (0.7,), 4)

    engine = level.summary.engine_ns
    assert engine.mean is not None
    in_queue_s = level.simulated_wait_s + SERVICE_S
    assert engine.mean / NS_PER_S == pytest.approx(in_queue_s, rel=TOLERANCE, abs=MACHINE_S)
