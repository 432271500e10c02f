"""What a run says of its hosts' clocks, and of how near to each other the agents began."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cluster.analysis.clocks import Move, drift_of, move_of, offset_at
from cluster.results.agent import AgentResult
from cluster.results.clock import ClockReading, ClockSummary, HostClock
from cluster.results.finding import Finding, Severity
from cluster.results.level import LevelRecord
from cluster.units import NS_PER_S, format_ns

ENGINE: Final = "engine"
NOT_READ: Final = "its clock was not read"
READ_ONCE: Final = "its clock was read once only"
UNEVEN: Final = "it did not drift evenly: no line passes through all readings"
NOT_BEGUN: Final = "not every worker began"


@dataclass(frozen=True)
class Start:
    """An agent's start, in the driver's clock."""

    skew_ns: int  # the last worker ready - the start asked for
    error_ns: int  # the true skew lies within ± this


@dataclass(frozen=True)
class _Member:
    """Who takes part, with every reading of the run, and the starts it has to do with."""

    who: str
    clock: HostClock
    starts_ns: tuple[int, ...]  # of the levels, driver's clock
    skews: tuple[Start | None, ...]  # of an agent


def start_of(agent: AgentResult, start_ns: int) -> Start | None:
    """How near an agent began to the common start. None: not every worker began, or no clock."""
    if agent.began_ns is None:
        return None
    offset = _offset_at(HostClock(agent.host, agent.same_clock, agent.clock), start_ns)
    if offset is None:
        return None
    return Start(agent.began_ns - offset.offset_ns - start_ns, offset.error_ns)


def clock_summaries(records: Sequence[LevelRecord], engine: HostClock | None) -> list[ClockSummary]:
    """Each agent's clock, and that of the engine's host, over the whole run."""
    return [_summary(member) for member in _members(records, engine)]


def clock_findings(records: Sequence[LevelRecord], engine: HostClock | None) -> list[Finding]:
    """Clocks that moved further than they can drift. Each host is named once."""
    findings: dict[str, Finding] = {}
    for member in _members(records, engine):
        move = None if member.clock.same else move_of(member.clock.readings)
        if move is not None:
            findings.setdefault(member.clock.host, _moved(member, move))
    return list(findings.values())


def _members(records: Sequence[LevelRecord], engine: HostClock | None) -> Iterable[_Member]:
    members: dict[tuple[str, str], _Member] = {}
    for record in records:
        for agent in record.agents:
            own = _Member(
                agent.agent,
                HostClock(agent.host, agent.same_clock, agent.clock),
                (record.start_ns,),
                (start_of(agent, record.start_ns),),
            )
            key = agent.agent, agent.host
            members[key] = _joined(members[key], own) if key in members else own
    yield from members.values()
    if engine is not None:
        yield _Member(ENGINE, engine, tuple(record.start_ns for record in records), ())


def _joined(one: _Member, other: _Member) -> _Member:
    clock = replace(
        one.clock,
        same=one.clock.same and other.clock.same,
        readings=one.clock.readings + other.clock.readings,
    )
    return replace(
        one,
        clock=clock,
        starts_ns=one.starts_ns + other.starts_ns,
        skews=one.skews + other.skews,
    )


def _summary(member: _Member) -> ClockSummary:
    clock = member.clock
    missing: dict[str, str] = {}
    offsets = [_offset_at(clock, start_ns) for start_ns in member.starts_ns]
    errors = [offset.error_ns for offset in offsets if offset is not None]
    if not errors:
        missing |= dict.fromkeys(("offset_ns", "error_ns"), NOT_READ)
    drift = drift_of(clock.readings)
    if drift is None and not clock.same:
        missing["drift_ppm"] = UNEVEN if len(clock.readings) > 1 else READ_ONCE
    skews = [start for start in member.skews if start is not None]
    if not skews:
        missing["start_skew_ns"] = "it sends no orders" if member.who == ENGINE else NOT_BEGUN
    first = offsets[0] if offsets else None
    return ClockSummary(
        who=member.who,
        host=clock.host,
        same=clock.same,
        readings=len(clock.readings),
        offset_ns=first.offset_ns if first else None,
        error_ns=max(errors, default=None),
        drift_ppm=0.0 if clock.same else drift.ppm if drift else None,
        drift_error_ppm=0.0 if clock.same else drift.error_ppm if drift else None,
        start_skew_ns=max((start.skew_ns for start in skews), key=abs, default=None),
        not_measured=missing,
    )


def _offset_at(clock: HostClock, at_ns: int) -> ClockReading | None:
    return ClockReading(at_ns, 0, 0) if clock.same else offset_at(clock.readings, at_ns)


def _moved(member: _Member, move: Move) -> Finding:
    by = f"{format_ns(abs(move.by_ns))} {'ahead' if move.by_ns > 0 else 'back'}"
    within_s = (move.to_ns - move.from_ns) / NS_PER_S
    return Finding(
        severity=Severity.WARNING,
        code="clock-moved",
        message=f"The clock of {member.clock.host} ({member.who}) moved {by} against the driver's "
        f"within {within_s:.0f} s, known within {format_ns(move.error_ns)}: more than a sound "
        "clock drifts.",
        advice="A monotonic clock is never set, but it stops while a machine is suspended or its "
        "virtual machine is moved, and NTP may slew it. What compares this host's times with "
        "others' is off by as much: common starts, and which second a profile window began in.",
    )
