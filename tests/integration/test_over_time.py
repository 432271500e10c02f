"""What happens within a second, from the native client to the run directory."""

import os
import time
from pathlib import Path

import pytest

from cluster.errors import StartFailed
from cluster.experiment.model import Experiment
from cluster.experiment.plan import plan
from cluster.experiment.wire import compile_protocol
from cluster.fleet.clocks import common_start, measure_clocks
from cluster.fleet.spec import specs_of
from cluster.fleet.start import start_fleet
from cluster.results.histogram import Histogram
from cluster.results.level import LevelRecord
from cluster.results.over_time import SampleSlice, sample_slice
from cluster.results.store import RunDirectory
from cluster.units import NS_PER_MS, NS_PER_S, NS_PER_US
from fakes.command_line import loadcluster, only_run, write_experiment
from integration.running import running_engine

pytestmark = pytest.mark.integration

ENGINE_BUSY_US = 100


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> LevelRecord:
    """A level of three seconds, two agents of two workers, read back from its run directory."""
    folder: Path = tmp_path_factory.mktemp("run")
    with running_engine("--busy-ns", str(ENGINE_BUSY_US * NS_PER_US)) as engine:
        experiment = write_experiment(
            folder,
            engine={"port": engine.port},
            agents={"count": 2, "connections": 4, "workers": 2},
            load={"rates_per_s": [2000]},
            measure={"warmup_s": 1, "control_s": 2, "drain_s": 2},
            profile="off",
        )
        said = loadcluster("run", str(experiment), "--json")
    assert said.stdout, said.stderr
    (level,) = RunDirectory.open(only_run(folder)).load_levels()
    return level


def test_every_order_is_in_the_slot_of_its_second_and_in_the_ms_of_its_send(
    record: LevelRecord,
) -> None:
    for agent in record.agents:
        assert [interval.index for interval in agent.intervals] == [0, 1, 2]
        for interval in agent.intervals:
            orders = interval.orders
            assert interval.slots.due.sum() == orders.intended
            assert interval.slots.response.sum() == orders.accepted + orders.rejected
            mean_ns = interval.slots.response_sum_ns.sum() / interval.slots.response.sum()
            assert mean_ns == pytest.approx(interval.response.mean, rel=0.001)
        assert sum(int(second.sent_per_ms.sum()) for second in agent.activity) == agent.orders.sent
        assert "activity_overrun" not in agent.errors


def test_what_is_in_flight_is_rate_times_service_time(record: LevelRecord) -> None:
    """Little's law, with both sides measured apart from each other."""
    for agent in record.agents:
        order_ns = sum(int(second.in_flight_order_ns.sum()) for second in agent.activity)
        served = sum(i.service.total for i in agent.intervals)
        service_ns = sum(i.service.mean * i.service.total for i in agent.intervals)
        assert served == agent.orders.sent
        assert order_ns == pytest.approx(service_ns, rel=0.02)
        # The engine is busy so long with each, and with one after the other.
        assert order_ns > served * ENGINE_BUSY_US * NS_PER_US * 0.9


def test_send_times_are_sampled_in_the_slice_that_all_agents_share(record: LevelRecord) -> None:
    piece = sample_slice(2000)
    assert piece == SampleSlice(NS_PER_S)  # so few orders that all are in it
    for agent in record.agents:
        for second in agent.activity[:3]:
            assert second.send_sample_ns.size == second.sent_per_ms.sum()
            assert not second.sample_cut
            in_ms = second.send_sample_ns // NS_PER_MS
            assert (second.sent_per_ms[in_ms] > 0).all()


def test_passes_and_sleeps_are_told(record: LevelRecord) -> None:
    for agent in record.agents:
        for second in agent.activity[:3]:
            assert second.poll_gap.total > 1000  # each order makes a pass at least
            assert second.poll_gap.percentile(50) < NS_PER_MS
        assert agent.jitter is not None
        # 5 ms each for three seconds, on a host that may be busy with other things.
        assert 200 <= agent.jitter.during.total <= 600
        assert agent.jitter.before.total >= 20
        assert agent.steal_ratio is not None
        assert 0 <= agent.steal_ratio < 1


def test_the_kernels_part_of_an_order_is_told_or_why_it_is_not(record: LevelRecord) -> None:
    for agent in record.agents:
        sends = Histogram.sum(second.kernel_send for second in agent.activity)
        receives = Histogram.sum(second.kernel_receive for second in agent.activity)
        service = Histogram.sum(interval.service for interval in agent.intervals)
        assert bool(agent.no_kernel_times) == (not sends.total or not receives.total)
        if agent.no_kernel_times:
            pytest.skip(agent.no_kernel_times)
        # Of each worker's first connection, one of 64 to 191 orders.
        assert 2 <= sends.total <= agent.orders.sent / 2 / 64 + 2
        assert 0 < sends.percentile(50) < service.percentile(50)
        assert 0 < receives.percentile(50) < service.percentile(99)


def test_a_level_that_is_ended_while_it_runs_has_whole_books() -> None:
    with running_engine() as engine:
        experiment = Experiment.model_validate(
            {
                "name": "end",
                "engine": {"port": engine.port},
                "fleet": "in-process",
                "agents": {"count": 2, "connections": 2},
                "load": {"rates_per_s": [2000], "arrivals": "constant"},
                "measure": {"warmup_s": 0, "control_s": 60},
                "profile": "off",
            }
        )
        planned = plan(experiment, frozenset(os.sched_getaffinity(0)))
        protocol = compile_protocol(experiment, planned)
        with start_fleet(experiment) as fleet:
            specs = specs_of(experiment, planned.levels[0], protocol)
            fleet.prepare(specs).require_all(StartFailed, "prepare")
            fleet.connect(5).require_all(StartFailed, "connect")
            _, starts = common_start(measure_clocks(fleet), time.monotonic_ns())
            fleet.start_at(starts).require_all(StartFailed, "start")
            ends = {agent: start_ns + 2 * NS_PER_S for agent, start_ns in starts.items()}
            time.sleep(1)
            fleet.end_at(ends).require_all(StartFailed, "end")
            closings = fleet.finish(fleet.agents, 10).require_all(StartFailed, "finish")

    for closing in closings.values():
        assert closing.complete
        orders = closing.poll.progress.orders
        assert (orders.intended, orders.sent, orders.accepted + orders.rejected) == (2000,) * 3
