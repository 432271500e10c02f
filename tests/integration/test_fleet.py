"""Both fleets carry the same load against a small engine of known behaviour."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.errors import StartFailed
from cluster.experiment.model import Experiment, Ray
from cluster.experiment.plan import Level, plan
from cluster.experiment.wire import CompiledProtocol, compile_protocol
from cluster.fleet.clocks import common_start, measure_clocks
from cluster.fleet.protocol import Fleet
from cluster.fleet.ray_fleet import start_ray
from cluster.fleet.spec import specs_of
from cluster.fleet.start import places_of, start_fleet
from cluster.results.orders import OrderCounts
from cluster.units import NS_PER_S
from fakes.acceptor import AcceptingEngine

pytestmark = pytest.mark.integration


@pytest.fixture
def engine() -> Iterator[AcceptingEngine]:
    with AcceptingEngine() as running:
        yield running


def experiment_for(
    port: int, fleet: str, arrivals: object = "constant", control_s: int = 2
) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "fleet",
            "engine": {"port": port},
            "fleet": fleet,
            "agents": {"count": 2, "connections": 2},
            "load": {"rates_per_s": [2000], "arrivals": arrivals},
            "measure": {"warmup_s": 0, "control_s": control_s},
            "profile": "off",
        }
    )


def level_of(experiment: Experiment) -> Level:
    return plan(experiment, frozenset(os.sched_getaffinity(0))).levels[0]


def protocol_of(experiment: Experiment) -> CompiledProtocol:
    return compile_protocol(experiment, plan(experiment, frozenset(os.sched_getaffinity(0))))


def hold(fleet: Fleet, experiment: Experiment) -> dict[str, OrderCounts]:
    fleet.prepare(specs_of(experiment, level_of(experiment), protocol_of(experiment))).require_all(
        StartFailed, "prepare"
    )
    assert fleet.connect(5).ok == {"agent-0": 2, "agent-1": 2}
    _, starts = common_start(measure_clocks(fleet), time.monotonic_ns())
    fleet.start_at(starts).require_all(StartFailed, "start")
    # Schedules are made for the longest level there may be; the driver says when it is enough.
    duration_ns = level_of(experiment).duration_s * NS_PER_S
    ends = {agent: start_ns + duration_ns for agent, start_ns in starts.items()}
    fleet.end_at(ends).require_all(StartFailed, "end")
    time.sleep(1.2)
    assert all(poll.progress.orders.sent > 0 for poll in fleet.poll(fleet.agents).ok.values())
    closings = fleet.finish(fleet.agents, 10).require_all(StartFailed, "finish")
    assert all(closing.complete for closing in closings.values())
    return {agent: closing.poll.progress.orders for agent, closing in closings.items()}


@pytest.mark.parametrize("kind", ["in-process", "ray"])
def test_two_agents_carry_their_exact_share(kind: str, engine: AcceptingEngine) -> None:
    experiment = experiment_for(engine.port, kind)

    with start_fleet(experiment) as fleet:
        places = places_of(fleet)
        orders = hold(fleet, experiment)

    assert sorted(places) == ["agent-0", "agent-1"]
    expected = OrderCounts(intended=2000, sent=2000, accepted=2000)
    assert orders == {"agent-0": expected, "agent-1": expected}


def test_a_burst_is_over_when_its_agents_say_so_together(engine: AcceptingEngine) -> None:
    law = {"bursts": {"on_ms": 10, "off_ms": 990, "within": "constant"}}
    experiment = experiment_for(engine.port, "in-process", law, control_s=1)

    with start_fleet(experiment) as fleet:
        specs = specs_of(experiment, level_of(experiment), protocol_of(experiment))
        fleet.prepare(specs).require_all(StartFailed, "prepare")
        fleet.connect(5).require_all(StartFailed, "connect")
        _, starts = common_start(measure_clocks(fleet), time.monotonic_ns())
        fleet.start_at(starts).require_all(StartFailed, "start")
        time.sleep(max(starts.values()) / NS_PER_S - time.monotonic() + 0.1)
        polls = fleet.poll(fleet.agents).require_all(StartFailed, "poll")
        fleet.finish(fleet.agents, 10).require_all(StartFailed, "finish")

    # All of the level's orders are due in its first 10 ms.
    assert [1000, 1000] == [poll.progress.orders.intended for poll in polls.values()]


def test_a_hawkes_law_reaches_the_agent_with_its_parameters(engine: AcceptingEngine) -> None:
    due = set[int]()
    for law in (
        {"branching_ratio": 0.5, "decay_ms": 1},
        {"branching_ratio": 0.5, "decay_ms": 20},
        {"branching_ratio": 0.8, "decay_ms": 1},
    ):
        experiment = experiment_for(engine.port, "in-process", {"hawkes": law}, control_s=1)
        with start_fleet(experiment) as fleet:
            orders = hold(fleet, experiment)
        assert all(counts.accepted == counts.intended for counts in orders.values())
        due.add(orders["agent-0"].intended)

    # Each is a function of the seed and the law alone, and differs from the others.
    assert len(due) == 3


def test_a_killed_actor_is_named_and_the_others_go_on(engine: AcceptingEngine) -> None:
    experiment = experiment_for(engine.port, "ray")

    with start_fleet(experiment) as fleet:
        places = places_of(fleet)
        os.kill(places["agent-1"].process_id, signal.SIGKILL)
        answers = fleet.places()

    assert list(answers.ok) == ["agent-0"]
    assert list(answers.failed) == ["agent-1"]


def test_after_a_ray_fleet_no_process_and_no_file_is_left(engine: AcceptingEngine) -> None:
    with start_fleet(experiment_for(engine.port, "ray")) as fleet:
        pids = [place.process_id for place in places_of(fleet).values()]

    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    assert list(Path("/tmp").glob("loadcluster-ray-*")) == []
    assert not (Path.home() / ".ray" / "auth_token").exists()


def test_a_ray_that_is_not_there_is_said_with_its_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(StartFailed, match="can't be joined") as raised:
            start_ray(Ray(address=address, start_timeout_s=1), ("agent-0",))

    assert address in raised.value.message
    assert "ray status" in raised.value.hint
