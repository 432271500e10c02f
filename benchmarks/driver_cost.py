"""What the driver costs itself, over the number of its agents: simulated, without load or network.

The driver's own code carries out a level in virtual time. Its agents are fakes in this process:
each answers a poll with a second's snapshot, unpacked from the bytes in which it would have come
from another process. The CPU time between the first second and the last, by the seconds between,
is the share of a core that one snapshot a second of every agent takes: polls, exchanges with the
clocks, merging, guards, the event log, the live view. What Ray takes to carry a call is not in it.

.venv/bin/python benchmarks/driver_cost.py [--agents 10 100 300 1000] [--seconds 20] [--rate …]
"""

import argparse
import io
import pickle
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from rich.console import Console

from cluster.analysis.level import summarise_level
from cluster.driver.ledger import Ledger
from cluster.driver.level import LevelRun
from cluster.driver.watch import LevelWatcher
from cluster.experiment.model import Experiment
from cluster.experiment.plan import Level, plan
from cluster.experiment.wire import compile_protocol
from cluster.fleet.agent import Closing, Poll
from cluster.fleet.protocol import Fleet, PerAgent
from cluster.report.live import LiveView
from cluster.results.agent import Interval, Progress
from cluster.results.engine import EngineWindow
from cluster.results.histogram import Histogram
from cluster.results.orders import OrderCounts
from cluster.results.over_time import MS_PER_S, SLOTS_PER_S, Activity, Slots
from cluster.results.store import RunDirectory
from cluster.units import NS_PER_S
from machine import describe_machine

T = TypeVar("T")

RATE_PER_S = 1_000_000  # of all agents
MIB = 1024 * 1024
GOAL_CORE = 0.5
GOAL_MERGE_S = 0.3


def snapshot(second: int, sent: int, rng: np.random.Generator) -> bytes:
    """What an agent says of a second in which it sent so many, as it crosses to another process."""
    orders = OrderCounts(intended=sent, sent=sent, accepted=sent)
    service = rng.lognormal(10.6, 0.5, sent).astype(np.int64)  # about 40 µs
    lag = rng.lognormal(8, 1, sent).astype(np.int64)
    due_ns = np.arange(sent) * NS_PER_S // sent
    interval = Interval(
        second,
        orders,
        response=Histogram.from_values(service + lag),
        service=Histogram.from_values(service),
        send_lag=Histogram.from_values(lag),
        engine=Histogram.from_values(service // 4),
        slots=Slots.of_orders(due_ns, service + lag),
    )
    activity = replace(
        Activity.empty(second),
        sent_per_ms=np.bincount(due_ns * MS_PER_S // NS_PER_S, minlength=MS_PER_S),
        in_flight_order_ns=np.full(SLOTS_PER_S, int(service.sum()) // SLOTS_PER_S),
        send_sample_ns=due_ns[:100],
        poll_gap=Histogram.from_values(lag),
    )
    so_far = sent * (second + 1)
    progress = Progress(
        time_ns=second * NS_PER_S,
        orders=OrderCounts(intended=so_far, sent=so_far, accepted=so_far),
        in_flight=1,
        backlog=0,
        connections_open=4,
        finished=False,
        errors=dict.fromkeys(("closed_by_engine", "lease_expired", "reset"), 0),
    )
    return pickle.dumps(Poll(progress, (interval,), (activity,)))


@dataclass
class VirtualTime:
    """Passes only when somebody sleeps."""

    now: int = 1_000 * NS_PER_S

    def now_ns(self) -> int:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.now += round(seconds * NS_PER_S)


class FakeFleet(Fleet):
    """Agents that answer at once: whatever is asked once a second, out of bytes."""

    def __init__(self, agents: int, snapshots: list[bytes], clock: VirtualTime) -> None:
        self.agents = tuple(f"agent-{index}" for index in range(agents))
        self._snapshots = snapshots
        self._clock = clock
        self._told = dict.fromkeys(self.agents, -1)

    def call(
        self, method: Callable[..., T], arguments: Mapping[str, tuple[Any, ...]], timeout_s: float
    ) -> PerAgent[T]:
        """See `Fleet.call`."""
        assert timeout_s > 0  # noqa: S101  (the driver waits for nothing without end)
        answer: Callable[[str], Any] = {
            "poll": self._poll,
            "finish": self._finish,
            "clock_ns": lambda _: self._clock.now_ns(),
            "connect": lambda _: 4,
        }.get(method.__name__, lambda _: None)
        return PerAgent({agent: answer(agent) for agent in arguments}, {})

    def close(self) -> None:
        """See `Fleet.close`."""

    def _poll(self, agent: str) -> Poll:
        self._told[agent] += 1
        poll: Poll = pickle.loads(self._snapshots[self._told[agent]])  # noqa: S301  (our own)
        return poll

    def _finish(self, agent: str) -> Closing:
        poll = replace(self._poll(agent), intervals=(), activity=())
        return Closing(poll, complete=True, tcp=None, workers=(), peak_rss_bytes=1)


class NoEngine:
    """An engine's side that has nothing to say."""

    def engine_exit(self) -> str:
        """See `EngineWatch`."""
        return ""

    def open_window(self, level: int) -> None:
        """See `EngineWatch`."""

    def close_window(self) -> None:
        """See `EngineWatch`."""

    def engine_window(self, start_ns: int, end_ns: int) -> EngineWindow | None:
        """See `EngineWatch`."""
        assert start_ns < end_ns  # noqa: S101  (it is a window)
        return None


@dataclass
class TimedWatcher(LevelWatcher):
    """The run's own watcher; besides, it reads this process's CPU time at each second."""

    level: Level
    directory: RunDirectory
    cpu_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.level, LiveView(Console(file=io.StringIO())), self.directory)

    def second(self, level: Level, elapsed_s: int, ledger: Ledger, remark: str = "") -> None:
        """See `Watcher`."""
        super().second(level, elapsed_s, ledger, remark)
        self.cpu_s.append(time.process_time())


@dataclass(frozen=True)
class Cost:
    """What so many agents cost the driver."""

    agents: int
    snapshot_bytes: int
    core_share: float  # at one snapshot a second each
    merge_s: float  # of one second's response, service time and send lag of all agents
    summary_s: float  # CPU time after the level: everything that is said of it
    peak_bytes: int


def cost_of(agents: int, seconds: int, rate_per_s: int, folder: Path) -> Cost:
    """Carry out one level of so many agents, which share the rate."""
    rng = np.random.default_rng(1)
    sent = rate_per_s // agents
    snapshots = [snapshot(second, sent, rng) for second in range(seconds + 1)]
    experiment = Experiment.model_validate(
        {
            "name": "driver-cost",
            "agents": {"count": agents},
            "load": {"rates_per_s": [sent * agents], "arrivals": "constant"},
            "measure": {"warmup_s": 1, "control_s": seconds - 1},
            "profile": "off",
        }
    )
    planned = plan(experiment, frozenset({0}))
    (level,) = planned.levels
    clock = VirtualTime()
    fleet = FakeFleet(agents, snapshots, clock)
    watcher = TimedWatcher(level, RunDirectory.create(folder, f"agents-{agents}"))
    record = LevelRun(
        experiment,
        compile_protocol(experiment, planned),
        level,
        fleet,
        {agent: f"host-of-{agent}" for agent in fleet.agents},
        NoEngine(),
        watcher,
        now_ns=clock.now_ns,
        sleep=clock.sleep,
    ).carry_out()
    began_s = time.process_time()
    for quantity in ("response", "service", "send_lag"):
        merged = Histogram.sum(getattr(agent.intervals[0], quantity) for agent in record.agents)
        assert merged.total == agents * sent  # noqa: S101  (merging is exact)
    merged_s = time.process_time()
    summarise_level(record)
    return Cost(
        agents=agents,
        snapshot_bytes=len(snapshots[0]),
        core_share=(watcher.cpu_s[-1] - watcher.cpu_s[0]) / (len(watcher.cpu_s) - 1),
        merge_s=merged_s - began_s,
        summary_s=time.process_time() - merged_s,
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def main() -> None:
    """Print the curve over agents."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--agents", type=int, nargs="+", default=[10, 100, 300, 1_000])
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--rate", type=int, default=RATE_PER_S, help="orders/s of all agents")
    asked = options.parse_args()
    print(describe_machine())
    print(f"{asked.rate:,} orders/s of all agents together, levels of {asked.seconds} s")
    print("agents  a snapshot  share of a core  3 merges  summary of the level  peak memory")
    with tempfile.TemporaryDirectory() as folder:
        for agents in sorted(asked.agents):
            cost = cost_of(agents, asked.seconds, asked.rate, Path(folder))
            print(
                f"{cost.agents:6,}  {cost.snapshot_bytes / 1024:6.0f} KiB  {cost.core_share:15.3f}"
                f"  {cost.merge_s:6.3f} s  {cost.summary_s:18.1f} s  {cost.peak_bytes / MIB:7,.0f}"
                " MiB"
            )
    print(f"goal: {GOAL_CORE} of a core and {GOAL_MERGE_S} s for 1,000 agents")


if __name__ == "__main__":
    main()
