"""Hosts whose clocks are hours apart, exactly: time namespaces of this machine."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from cluster.analysis.clock_summary import clock_findings, clock_summaries, start_of
from cluster.driver.engine_clock import engine_clock
from cluster.driver.level import LevelRun
from cluster.experiment.model import Experiment
from cluster.experiment.plan import plan
from cluster.experiment.wire import compile_protocol
from cluster.fleet.protocol import Fleet, PerAgent
from cluster.fleet.start import places_of, same_clock
from cluster.host.connect import open_host
from cluster.host.identity import identity_here, identity_of
from cluster.units import NS_PER_S
from fakes.acceptor import AcceptingEngine
from fakes.agents import FakeClock
from fakes.scene import FakeEngine, FakeWatcher
from integration.sshd import Sshd, why_not

T = TypeVar("T")

AHEAD_S: Final = 7_200


def ahead(seconds: int) -> tuple[str, ...]:
    """Runs what follows with a monotonic clock so far ahead."""
    return ("unshare", "--time", "--monotonic", str(seconds))


def no_time_namespaces() -> bool:
    try:
        return subprocess.run([*ahead(1), "true"], capture_output=True, check=False).returncode != 0
    except FileNotFoundError:
        return True


pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(no_time_namespaces(), reason="needs time namespaces, and root"),
]

AGENT: Final = """
import pickle, sys
from cluster.fleet.agent import Agent
agent = Agent()
while True:
    name, arguments = pickle.load(sys.stdin.buffer)
    try:
        answer = getattr(agent, name)(*arguments), ""
    except Exception as error:
        answer = None, str(error)
    pickle.dump(answer, sys.stdout.buffer)
    sys.stdout.buffer.flush()
"""


class ProcessFleet(Fleet):
    """Agents in processes of their own, some of them in another time."""

    def __init__(self, wrappers: Mapping[str, tuple[str, ...]]) -> None:
        self.agents = tuple(wrappers)
        self._processes = {
            agent: subprocess.Popen(
                [*wrapper, sys.executable, "-c", AGENT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for agent, wrapper in wrappers.items()
        }

    def call(
        self, method: Callable[..., T], arguments: Mapping[str, tuple[Any, ...]], timeout_s: float
    ) -> PerAgent[T]:
        assert timeout_s > 0
        ok, failed = {}, {}
        for agent, own in arguments.items():
            pickle.dump((method.__name__, own), self._processes[agent].stdin)  # type: ignore[arg-type]
            self._processes[agent].stdin.flush()  # type: ignore[union-attr]
        for agent in arguments:
            answer, why = pickle.load(self._processes[agent].stdout)  # type: ignore[arg-type]  # noqa: S301 - our own
            if why:
                failed[agent] = why
            else:
                ok[agent] = answer
        return PerAgent(ok, failed)

    def close(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.communicate(timeout=10)


def test_agents_hours_apart_begin_together_and_their_clocks_are_known_within_the_error() -> None:
    with ExitStack() as stack:
        engine = stack.enter_context(AcceptingEngine())
        experiment = Experiment.model_validate(
            {
                "name": "clocks",
                "engine": {"port": engine.port},
                "agents": {"count": 2, "connections": 1},
                "load": {"rates_per_s": [2_000], "arrivals": "constant"},
                "measure": {"warmup_s": 0, "control_s": 3},
                "profile": "off",
            }
        )
        planned = plan(experiment, frozenset(os.sched_getaffinity(0)))
        fleet = stack.enter_context(ProcessFleet({"agent-0": (), "agent-1": ahead(AHEAD_S)}))
        same = same_clock(places_of(fleet))
        record = LevelRun(
            experiment,
            compile_protocol(experiment, planned),
            planned.levels[0],
            fleet,
            {agent: agent for agent in fleet.agents},
            FakeEngine(FakeClock()),
            FakeWatcher(),
            same_clock=same,
        ).carry_out()

    near, far = record.agents
    assert {"agent-0"} == same
    assert (True, False) == (near.same_clock, far.same_clock)
    assert all(
        abs(reading.offset_ns - AHEAD_S * NS_PER_S) <= reading.error_ns for reading in far.clock
    )
    assert [3_000, 3_000] == [agent.orders.sent for agent in record.agents]
    for agent in record.agents:
        start = start_of(agent, record.start_ns)
        assert start is not None
        # Nobody begins before the start; mapping one's start and mapping it back have an error.
        assert start.skew_ns >= -start.error_ns - max((r.error_ns for r in agent.clock), default=0)
    drift = clock_summaries([record], None)[1]
    assert drift.drift_ppm is not None
    assert drift.drift_error_ppm is not None
    assert abs(drift.drift_ppm) <= drift.drift_error_ppm  # a namespace does not drift
    assert [] == clock_findings([record], None)


@pytest.mark.skipif(bool(why_not()), reason="needs openssh-server")
def test_an_engine_host_hours_ahead_is_known_within_its_error(tmp_path: Path) -> None:
    with (
        Sshd(tmp_path, wrapper=ahead(AHEAD_S)) as sshd,
        closing(open_host(sshd.spec())) as host,
        engine_clock(host, max_s=60) as clock,
    ):
        identity = identity_of(host)

    assert abs(clock.first.offset_ns - AHEAD_S * NS_PER_S) <= clock.first.error_ns
    assert clock.first.error_ns < NS_PER_S
    # It is this machine, and yet another clock.
    assert identity.same_host(identity_here())
    assert not identity.same_clock(identity_here())
