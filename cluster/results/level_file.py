"""result.json of a level: a LevelRecord without what the logs and over_time.npz hold."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import TypedDict, cast

from pydantic import Field, ValidationError

from cluster.errors import ResultsError
from cluster.experiment.plan import Level
from cluster.results.agent import (
    QUANTITIES,
    AgentResult,
    Interval,
    Progress,
    TcpStats,
    WorkerThread,
)
from cluster.results.clock import ClockReading
from cluster.results.engine import EngineWindow, ProfileWindow
from cluster.results.histogram import Histogram
from cluster.results.hlog import LogInterval
from cluster.results.level import LevelRecord
from cluster.results.orders import OrderCounts
from cluster.results.record import Record
from cluster.results.replies import ReplyCounts, ReplyManners
from cluster.results.summary import SCHEMA_VERSION, LevelSummary

# One log per histogram of an interval: agent and second → histogram.
Histograms = Mapping[str, Mapping[tuple[str, int], Histogram]]


class StoredInterval(Record):
    """The books of one second of one agent."""

    index: int
    orders: OrderCounts


class StoredAgent(Record):
    """AgentResult without histograms."""

    agent: str
    host: str
    start_ns: int
    intervals: list[StoredInterval]
    orders: OrderCounts
    errors: dict[str, int]
    tcp: TcpStats | None
    workers: tuple[WorkerThread, ...]
    peak_rss_bytes: int
    lost: str
    # Runs of before the replies were counted have none of these.
    replies: ReplyCounts = Field(default_factory=ReplyCounts)
    reject_reasons: dict[str, int] = Field(default_factory=dict)
    steal_ratio: float | None = None
    no_kernel_times: str = ""
    # Nor of before clocks were kept.
    began_ns: int | None = None
    clock: tuple[ClockReading, ...] = ()
    same_clock: bool = False


class StoredLevel(Record):
    """result.json: what was measured, and what was concluded from it when it was written."""

    schema_version: int = SCHEMA_VERSION
    level: Level
    start_ns: int
    start_epoch_ns: int  # the same by the wall clock
    sending_ended_ns: int
    ended_ns: int
    agents: list[StoredAgent]
    progress: dict[str, tuple[Progress, ...]]
    engine_control: EngineWindow | None
    engine_profile: EngineWindow | None
    profile: ProfileWindow | None
    ended_early: str
    completed_s: int
    in_flight_max: int | None
    manners: ReplyManners | None = None  # None: the run has no log of other replies
    summary: LevelSummary


def stored_level(record: LevelRecord, summary: LevelSummary, start_epoch_ns: int) -> StoredLevel:
    """What goes into result.json; `log_intervals` gives the rest."""
    return StoredLevel(
        level=record.level,
        start_ns=record.start_ns,
        start_epoch_ns=start_epoch_ns,
        sending_ended_ns=record.sending_ended_ns,
        ended_ns=record.ended_ns,
        agents=[_stored_agent(agent) for agent in record.agents],
        progress=dict(record.progress),
        engine_control=record.engine_control,
        engine_profile=record.engine_profile,
        profile=record.profile,
        ended_early=record.ended_early,
        completed_s=record.completed_s,
        in_flight_max=record.in_flight_max,
        manners=record.manners,
        summary=summary,
    )


def _stored_agent(result: AgentResult) -> StoredAgent:
    facts = {
        field.name: getattr(result, field.name)
        for field in fields(result)
        if field.name in StoredAgent.model_fields and field.name != "intervals"
    }
    intervals = [StoredInterval(index=i.index, orders=i.orders) for i in result.intervals]
    return StoredAgent(intervals=intervals, **facts)


def logs_of(manners: ReplyManners | None) -> dict[str, str]:
    """The logs of a level: histogram of an interval → name of the log."""
    logs = {quantity: quantity for quantity in QUANTITIES}
    return logs | {"other_reply": manners.other_reply} if manners else logs


def log_intervals(record: LevelRecord, quantity: str) -> Iterable[LogInterval]:
    """The lines of one histogram's log: second by second, so that readers find time in order."""
    lines = [
        LogInterval(agent.agent, interval.index, getattr(interval, quantity))
        for agent in record.agents
        for interval in agent.intervals
    ]
    return sorted(lines, key=lambda line: (line.index, line.agent))


def parse_level(text: str, name: str) -> StoredLevel:
    """Read result.json.

    Raises:
        ResultsError: it is damaged.
    """
    try:
        return StoredLevel.model_validate_json(text)
    except ValidationError as error:
        raise ResultsError(f"{name} is damaged: {first_problem(error)}") from error


def first_problem(error: ValidationError) -> str:
    """The first of pydantic's complaints, as one clause."""
    problem = error.errors(include_url=False)[0]
    place = ".".join(map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])


def level_record(stored: StoredLevel, histograms: Histograms, name: str) -> LevelRecord:
    """Put the histograms back.

    Raises:
        ResultsError: a log lacks a second that result.json has.
    """
    try:
        agents = tuple(_agent_result(agent, histograms) for agent in stored.agents)
    except KeyError as error:
        raise ResultsError(f"{name} is damaged: a histogram log lacks {error}") from error
    return LevelRecord(
        level=stored.level,
        start_ns=stored.start_ns,
        sending_ended_ns=stored.sending_ended_ns,
        ended_ns=stored.ended_ns,
        agents=agents,
        progress=stored.progress,
        engine_control=stored.engine_control,
        engine_profile=stored.engine_profile,
        profile=stored.profile,
        ended_early=stored.ended_early,
        completed_s=stored.completed_s,
        in_flight_max=stored.in_flight_max,
        manners=stored.manners or ReplyManners(),
    )


def _agent_result(stored: StoredAgent, histograms: Histograms) -> AgentResult:
    bare = AgentResult(
        agent=stored.agent,
        host=stored.host,
        start_ns=stored.start_ns,
        intervals=(),
        orders=stored.orders,
        errors=stored.errors,
        tcp=stored.tcp,
        workers=stored.workers,
        peak_rss_bytes=stored.peak_rss_bytes,
        lost=stored.lost,
        replies=stored.replies,
        reject_reasons=stored.reject_reasons,
        steal_ratio=stored.steal_ratio,
        no_kernel_times=stored.no_kernel_times,
        began_ns=stored.began_ns,
        clock=stored.clock,
        same_clock=stored.same_clock,
    )
    intervals = (
        Interval(
            i.index,
            i.orders,
            **_histograms_of(stored.agent, i.index, histograms),
        )
        for i in stored.intervals
    )
    return replace(bare, intervals=tuple(intervals))


class _Logged(TypedDict, total=False):
    response: Histogram
    service: Histogram
    send_lag: Histogram
    engine: Histogram
    other_reply: Histogram


def _histograms_of(agent: str, index: int, histograms: Histograms) -> _Logged:
    logged = {name: log[agent, index] for name, log in histograms.items()}
    return cast("_Logged", logged)
