"""Levels of known truth: records as the fleet would give them, built from what really happened."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from cluster.experiment.plan import AgentShare, Level
from cluster.results.agent import (
    AgentResult,
    Interval,
    Jitter,
    Progress,
    TcpStats,
    WorkerThread,
)
from cluster.results.engine import EngineWindow, ProfileWindow, ThreadUse
from cluster.results.histogram import Histogram
from cluster.results.level import LevelRecord
from cluster.results.orders import OrderCounts
from cluster.results.over_time import (
    MS_PER_S,
    SLOT_NS,
    SLOTS_PER_S,
    Activity,
    Slots,
    sample_slice,
)
from cluster.results.replies import ReplyCounts
from cluster.units import NS_PER_S, NS_PER_US

START_NS = 5_000 * NS_PER_S
Times = Callable[[np.random.Generator, int, int], np.ndarray]


def constant(value_us: float) -> Times:
    """The same time, give or take a tenth, for every order."""
    return lambda rng, n, _second: rng.normal(value_us, value_us / 30, n).clip(0) * NS_PER_US


@dataclass(frozen=True)
class Truth:
    """What happens at one level. Rates are of the whole fleet, per second."""

    offered_per_s: float | None = 10_000  # None: closed-loop
    answered_per_s: float | None = None  # what the engine takes; None: whatever is offered
    warmup_s: int = 1
    control_s: int = 5
    profile_s: int = 0
    agents: int = 2
    index: int = 0
    in_flight: int | None = None
    lag: Times = field(default_factory=lambda: constant(2))
    wire: Times = field(default_factory=lambda: constant(20))  # network, kernel, queues
    engine: Times = field(default_factory=lambda: constant(5))
    rejected_ratio: float = 0.01
    timed_out_per_s: int = 0
    lost_per_s: int = 0
    backlog_per_s: float = 0  # orders that pile up unsent in the clients
    worker_cpu_ratio: float = 0.3
    worker_wait_ratio: float = 0.01
    worker_switches: int = 3  # involuntary, of each agent's worker
    threads: tuple[tuple[str, float, float], ...] = (("match-0", 0.3, 0.01),)  # name, on CPU, waits
    rtt_us: float = 15
    min_rtt_us: float = 12
    retransmits: int = 0
    rwnd_limited_ratio: float = 0
    sndbuf_limited_ratio: float = 0
    receive_queue_bytes_max: int | None = 0
    steal_ratio: float | None = 0
    ended_early: str = ""
    completed_s: int | None = None
    lost_agent: str = ""  # why agent-1 is lost, two seconds into the control window
    in_flight_max: int | None = None
    finished: bool = True
    connections_open: int = 2  # of each agent, at every sample
    profile: ProfileWindow | None = None
    errors: dict[str, int] = field(default_factory=dict)  # of each agent
    skipped: int = 0  # requests, of each agent
    reject_reasons: dict[str, int] = field(default_factory=dict)  # of each agent
    jitter_us: float = 60  # of each agent's host, before and during the load
    client_steal_ratio: float | None = 0

    @property
    def duration_s(self) -> int:
        """Seconds that were planned."""
        return self.warmup_s + self.control_s + self.profile_s


def level_record(truth: Truth) -> LevelRecord:
    """The record of a level at which `truth` happened; the same truth gives the same record."""
    rng = np.random.default_rng(truth.index + 7)
    done_s = truth.duration_s if truth.completed_s is None else truth.completed_s
    taken = truth.answered_per_s or truth.offered_per_s
    if taken is None:
        raise ValueError("a closed-loop level needs answered_per_s")
    agents, progress = [], {}
    for number in range(truth.agents):
        name = f"agent-{number}"
        lost = truth.lost_agent if number == 1 else ""
        seconds = min(done_s, truth.warmup_s + 2) if lost else done_s
        intervals = tuple(_interval(truth, rng, second, number) for second in range(seconds))
        agents.append(_agent(truth, number, intervals, lost))
        progress[name] = _progress(truth, number, seconds)
    ended_ns = START_NS + done_s * NS_PER_S
    control_end_s = min(truth.warmup_s + truth.control_s, done_s)
    return LevelRecord(
        level=_level(truth),
        start_ns=START_NS,
        sending_ended_ns=ended_ns,
        ended_ns=ended_ns + NS_PER_S // 10,
        agents=tuple(agents),
        progress=progress,
        engine_control=_engine(truth, truth.warmup_s, control_end_s),
        engine_profile=_engine(truth, control_end_s, done_s) if truth.profile_s else None,
        profile=truth.profile,
        ended_early=truth.ended_early,
        completed_s=done_s,
        in_flight_max=truth.in_flight_max,
    )


def with_agent(record: LevelRecord, number: int, **changes: object) -> LevelRecord:
    """The same record with facts of one agent changed."""
    agents = list(record.agents)
    agents[number] = replace(agents[number], **changes)  # type: ignore[arg-type]
    return replace(record, agents=tuple(agents))


def _level(truth: Truth) -> Level:
    closed = truth.offered_per_s is None
    return Level(
        index=truth.index,
        arrivals="closed" if closed else "constant",
        offered_per_s=truth.offered_per_s,
        in_flight=(truth.in_flight or 1024) if closed else None,
        warmup_s=truth.warmup_s,
        control_s=truth.control_s,
        profile_s=truth.profile_s,
        shares=tuple(
            AgentShare(
                agent=f"agent-{i}",
                index=i,
                rate_per_s=(truth.offered_per_s or 0) / truth.agents,
                in_flight=0,
                phase=0.0 if closed else i / truth.agents,
                connections=2,
                workers=1,
                cpus=(),
            )
            for i in range(truth.agents)
        ),
    )


def _interval(truth: Truth, rng: np.random.Generator, second: int, number: int) -> Interval:
    closed = truth.offered_per_s is None
    intended = round((truth.offered_per_s or truth.answered_per_s or 0) / truth.agents)
    timed_out = min(truth.timed_out_per_s // truth.agents, intended)
    lost = min(truth.lost_per_s // truth.agents, intended - timed_out)
    answered = intended - timed_out - lost
    rejected = round(answered * truth.rejected_ratio)
    lag = truth.lag(rng, intended, second)
    engine = truth.engine(rng, answered, second)
    service = engine + truth.wire(rng, answered, second)
    due_ns = _due_ns(intended, number / truth.agents)
    slots = Slots.of_orders(due_ns[:answered], lag[:answered] + service)
    return Interval(
        second,
        OrderCounts(
            intended=intended,
            sent=intended,
            accepted=answered - rejected,
            rejected=rejected,
            timed_out=timed_out,
            lost=lost,
        ),
        response=Histogram.from_values(lag[:answered] + service),
        service=Histogram.from_values(service),
        send_lag=Histogram.empty() if closed else Histogram.from_values(lag),
        engine=Histogram.from_values(engine),
        slots=replace(slots, due=np.bincount(due_ns // SLOT_NS, minlength=SLOTS_PER_S)),
    )


def _due_ns(orders: int, phase: float) -> np.ndarray:
    """When the orders of a second are due: constant schedules that interleave to one."""
    return ((np.arange(orders) + phase) * NS_PER_S / max(orders, 1)).astype(np.int64)


def _activity(truth: Truth, interval: Interval, number: int) -> Activity:
    """The client's doings in a second in which it sent what was due, on time."""
    sent_ns = _due_ns(interval.orders.intended, number / truth.agents)
    piece = sample_slice(truth.offered_per_s)
    start_ns = piece.start_ns(interval.index)
    inside = (sent_ns >= start_ns) & (sent_ns < start_ns + piece.width_ns)
    in_flight = (interval.service.mean or 0) * interval.service.total / NS_PER_S
    return replace(
        Activity.empty(interval.index),
        sent_per_ms=np.bincount(sent_ns * MS_PER_S // NS_PER_S, minlength=MS_PER_S),
        in_flight_order_ns=np.full(SLOTS_PER_S, round(in_flight * SLOT_NS)),
        send_sample_ns=sent_ns[inside],
        # A late client is late because it looked late, unless a test says otherwise.
        poll_gap=interval.send_lag
        if interval.send_lag.total
        else Histogram.from_values(np.full(1000, 2_000)),
    )


def _agent(truth: Truth, number: int, intervals: tuple[Interval, ...], lost: str) -> AgentResult:
    orders = sum((interval.orders for interval in intervals), OrderCounts())
    busy_us = 1_000_000
    return AgentResult(
        agent=f"agent-{number}",
        host=f"load-{number}",
        start_ns=START_NS,
        intervals=intervals,
        orders=orders,
        errors=truth.errors,
        tcp=TcpStats(
            connections=2,
            rtt_us_min=truth.min_rtt_us,
            rtt_us_mean=truth.rtt_us,
            rtt_us_max=truth.rtt_us * 2,
            min_rtt_us=truth.min_rtt_us,
            retransmits=truth.retransmits,
            busy_us=busy_us,
            rwnd_limited_us=round(busy_us * truth.rwnd_limited_ratio),
            sndbuf_limited_us=round(busy_us * truth.sndbuf_limited_ratio),
        ),
        workers=(
            WorkerThread(
                100,
                round(truth.worker_cpu_ratio * truth.duration_s * NS_PER_S),
                round(truth.worker_wait_ratio * truth.duration_s * NS_PER_S),
                truth.worker_switches,
            ),
        ),
        peak_rss_bytes=50_000_000,
        lost=lost,
        replies=ReplyCounts(skipped=truth.skipped),
        reject_reasons=truth.reject_reasons,
        activity=tuple(_activity(truth, interval, number) for interval in intervals),
        jitter=Jitter(
            before=Histogram.from_values(np.full(100, truth.jitter_us * NS_PER_US, np.int64)),
            during=Histogram.from_values(np.full(500, truth.jitter_us * NS_PER_US, np.int64)),
        ),
        steal_ratio=truth.client_steal_ratio,
    )


def _progress(truth: Truth, number: int, seconds: int) -> tuple[Progress, ...]:
    """Samples at each second, a little late and each agent differently, as real ones are."""
    offered = truth.offered_per_s or truth.answered_per_s or 0
    taken = truth.answered_per_s or offered
    unanswered = truth.timed_out_per_s + truth.lost_per_s
    samples = []
    for second in range(seconds + 1):
        elapsed = second + (0.004 * (number + 1) if second else 0)
        due = offered * elapsed / truth.agents
        backlog = truth.backlog_per_s * elapsed / truth.agents
        answered = max(0.0, (taken - unanswered) * elapsed / truth.agents - 1)
        gone = unanswered * elapsed / truth.agents
        samples.append(
            Progress(
                time_ns=START_NS + round(elapsed * NS_PER_S),
                orders=OrderCounts(
                    intended=round(due),
                    sent=round(due - backlog),
                    accepted=round(answered),
                    timed_out=round(gone),
                ),
                in_flight=max(0, round(due - backlog - answered - gone)),
                backlog=round(backlog),
                connections_open=truth.connections_open,
                finished=truth.finished and second == seconds,
            )
        )
    return tuple(samples)


def _engine(truth: Truth, from_s: int, to_s: int) -> EngineWindow | None:
    if to_s <= from_s:
        return None
    window_ns = (to_s - from_s) * NS_PER_S
    return EngineWindow(
        start_ns=START_NS + from_s * NS_PER_S,
        end_ns=START_NS + to_s * NS_PER_S,
        threads=[
            ThreadUse(
                thread_id=200 + i,
                name=name,
                on_cpu_ns=round(busy * window_ns),
                run_queue_wait_ns=round(waits * window_ns),
                voluntary_switches=10,
                involuntary_switches=1,
                utilisation_ratio=busy,
                run_queue_ratio=waits,
            )
            for i, (name, busy, waits) in enumerate(truth.threads)
        ],
        rss_bytes=20_000_000,
        peak_rss_bytes=21_000_000,
        minor_faults=5,
        major_faults=0,
        tcp={"RetransSegs": truth.retransmits},
        softirq_ratio=0.02,
        steal_ratio=truth.steal_ratio,
        host_busy_ratio=0.4,
        receive_queue_bytes_max=truth.receive_queue_bytes_max,
    )
