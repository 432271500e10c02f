"""Engines with known behaviour: the tool must find what was planted."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from cluster.host.reference import reference_engine
from cluster.results.summary import LevelSummary, Summary
from cluster.units import NS_PER_MS, NS_PER_S, NS_PER_US
from fakes.command_line import loadcluster, write_experiment

pytestmark = pytest.mark.integration

# How often a client that others kept from the CPUs may try again.
ATTEMPTS = 3
WAIT_NOTICED_RATIO = 0.03


def run_against(folder: Path, *faults: str, **sections: object) -> Summary:
    """Load a reference engine with planted faults, engine and client on CPUs of their own."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    first, *_, last = sorted(os.sched_getaffinity(0))
    command = [str(reference_engine()), "--port", str(port), *faults]
    experiment = write_experiment(
        folder,
        engine={"port": port, "command": command},
        cpus={"engine": [first], "agents": [[last]]},
        **sections,
    )
    said = loadcluster("run", str(experiment), "--json")
    assert said.stdout, said.stderr
    return said.summary


needs_two_cpus = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="engine and client need a CPU each"
)


@needs_two_cpus
@pytest.mark.skipif(shutil.which("perf") is None, reason="needs perf")
def test_planted_work_per_order_is_named_and_its_cost_found(tmp_path: Path) -> None:
    planted_ns = 20 * NS_PER_US

    for _ in range(ATTEMPTS):
        summary = run_against(
            tmp_path,
            "--busy-ns",
            str(planted_ns),
            load={"rates_per_s": [1000], "maximum": {"in_flight": 64}},
            measure={"warmup_s": 1, "control_s": 2, "drain_s": 1},
            profile={"window_s": 2},
        )
        open_loop, most = summary.levels
        hottest = summary.profile.hot_functions[0]
        assert "planted_busy_work" in hottest.name
        assert hottest.self_ratio > 0.7
        if left_in_peace(open_loop) and left_in_peace(most):
            break
    else:
        pytest.skip("others take this machine's CPUs from engine and client: neither can be judged")

    assert most.busy_ns_per_order == pytest.approx(1.15 * planted_ns, rel=0.15)
    assert most.predicted_max_per_s == pytest.approx(NS_PER_S / most.busy_ns_per_order)
    assert summary.verdict.bottleneck in ("engine", "inconclusive")
    assert "planted_busy_work" in summary.verdict.recommendation


def left_in_peace(level: LevelSummary) -> bool:
    """Whether engine and client had their CPUs to themselves.

    The planted work burns wall time: of an engine that others displace, less of it is CPU time.
    """
    waits = [thread.run_queue_ratio for thread in level.engine_threads]
    return level.valid and max(waits, default=1.0) <= WAIT_NOTICED_RATIO


@needs_two_cpus
def test_a_freezing_engine_gives_the_analytic_distribution(tmp_path: Path) -> None:
    """Frozen for S of every T seconds, the percentile p of the response time is S - (1 - p) T."""
    frozen_ms, every_ms = 500, 5_000

    summary = run_against(
        tmp_path,
        "--stall-every-ms",
        str(every_ms),
        "--stall-ms",
        str(frozen_ms),
        load={"rates_per_s": [2000], "arrivals": "constant", "timeout_s": 5},
        measure={"warmup_s": 1, "control_s": 5, "drain_s": 2},
    )

    (level,) = summary.levels
    response = level.response_ns
    assert response.p99 == pytest.approx((frozen_ms - 0.01 * every_ms) * NS_PER_MS, rel=0.1)
    assert response.p95 == pytest.approx((frozen_ms - 0.05 * every_ms) * NS_PER_MS, rel=0.2)
    assert response.p50 is not None
    assert response.p50 < 0.1 * frozen_ms * NS_PER_MS
    assert level.orders.answered == level.orders.intended == 12_000


@needs_two_cpus
def test_the_books_of_client_and_engine_agree_to_the_order(tmp_path: Path) -> None:
    summary = run_against(
        tmp_path,
        load={"rates_per_s": [5_000, 20_000]},
        measure={"warmup_s": 0, "control_s": 2, "drain_s": 1},
    )

    sent = sum(level.orders.sent for level in summary.levels)
    assert all(level.orders.balanced for level in summary.levels)
    assert f"orders: {sent} " in summary.engine.last_output
