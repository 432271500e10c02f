"""The counting lane: the command line of perf stat, its output, and counts per window."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cluster.profile.events import ALL_EVENTS, plain_event
from cluster.profile.window import HostWindow
from cluster.results.engine import Counter
from cluster.units import NS_PER_MS, NS_PER_S

# Rows of different windows must not share an interval: windows are at least a second apart.
INTERVAL_MS: Final = 500
OUTPUT: Final = "stat.txt"  # in the lane's private directory
_SEPARATOR: Final = ";"
_COLUMNS: Final = 6  # time, value, unit, event, running time, share of the time in percent
_NOT_RUN: Final = "no thread of the engine ran while it was counted, or its counter was taken"


@dataclass(frozen=True)
class StatRow:
    """One event over one interval of perf stat."""

    at_s: float  # end of the interval, since perf began
    event: str  # the plain name
    value: float | None  # None: not counted in this interval, `tag` says how perf puts it
    unit: str
    running_ns: float  # how long it was really counted
    running_ratio: float  # of the time it should have been
    tag: str = ""


def stat_argv(
    perf: Sequence[str], pid: int, arguments: Sequence[str], *, as_json: bool
) -> list[str]:
    """The command line of perf stat, disabled until its control fifo enables it."""
    argv = [*perf, "stat", "-p", str(pid), "-I", str(INTERVAL_MS), "-D", "-1"]
    argv += ["-j"] if as_json else ["-x", _SEPARATOR]
    argv += ["--control=fifo:{ctl},{ack}", "-o", "{dir}/" + OUTPUT]
    for argument in arguments:
        argv += ["-e", argument]
    return argv


def parse_stat(lines: Iterable[str]) -> Iterator[StatRow]:
    """Every row of an event; comments and rows with a derived metric alone are passed over.

    Takes both forms: one JSON object a line, and the older `-x ;`. What is damaged, such as a
    last line that perf could not finish, is passed over too.
    """
    for line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        row = _from_json(text) if text.startswith("{") else _from_columns(text)
        if row is not None:
            yield row


def _from_json(text: str) -> StatRow | None:
    try:
        fields = json.loads(text)
    except ValueError:
        return None
    if not fields.get("event") or "counter-value" not in fields:
        return None
    keys = ("interval", "counter-value", "unit", "event", "event-runtime", "pcnt-running")
    return _row([str(fields.get(key, "")) for key in keys])


def _from_columns(text: str) -> StatRow | None:
    fields = text.split(_SEPARATOR)
    return _row(fields[:_COLUMNS]) if len(fields) >= _COLUMNS and fields[3] else None


def _row(columns: Sequence[str]) -> StatRow | None:
    at, value, unit, event, running, share = columns
    try:
        at_s, running_ns, percent = float(at), float(running), float(share)
    except ValueError:
        return None
    try:
        number, tag = float(value), ""
    except ValueError:
        number, tag = None, value.strip("<> ")
    return StatRow(at_s, plain_event(event), number, unit, running_ns, percent / 100, tag)


def counts_per_window(
    rows: Sequence[StatRow], began_ns: int, windows: Sequence[HostWindow]
) -> dict[int, list[StatRow]]:
    """Which counted rows belong to which window, by level.

    While perf is disabled nothing is counted, so a counted row belongs to the window nearest to
    it: when perf began (`began_ns`, host's clock) needs to be known to half a second only.
    """
    by_level: dict[int, list[StatRow]] = {window.level: [] for window in windows}
    for row in rows:
        if row.value is None or not windows:
            continue
        end_ns = began_ns + round(row.at_s * NS_PER_S)
        middle_ns = end_ns - INTERVAL_MS * NS_PER_MS // 2
        nearest = min(windows, key=lambda window: _distance_ns(window, middle_ns))
        by_level[nearest.level].append(row)
    return by_level


def _distance_ns(window: HostWindow, time_ns: int) -> int:
    return max(window.start_ns - time_ns, time_ns - window.end_ns, 0)


def counters_of(rows: Iterable[StatRow], unavailable: Mapping[str, str]) -> list[Counter]:
    """One counter per event of the plan, in its order.

    Args:
        rows: Of one window.
        unavailable: Event → why it was not asked for.
    """
    by_event: dict[str, list[StatRow]] = {}
    for row in rows:
        by_event.setdefault(row.event, []).append(row)
    return [
        _sum(event, by_event[event])
        if event in by_event
        else Counter(event=event, value=None, why=unavailable.get(event, _NOT_RUN))
        for event in ALL_EVENTS
    ]


def _sum(event: str, rows: Sequence[StatRow]) -> Counter:
    running_ns = sum(row.running_ns for row in rows)
    enabled_ns = sum(row.running_ns / row.running_ratio for row in rows if row.running_ratio)
    return Counter(
        event=event,
        value=sum(row.value for row in rows if row.value is not None),
        unit=rows[0].unit,
        running_ratio=min(1.0, running_ns / enabled_ns) if enabled_ns else None,
    )
