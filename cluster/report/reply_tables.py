"""The tables of what the engine replied, and why it rejected orders."""

from collections.abc import Sequence
from typing import Final

from cluster.report.cells import Cell, Table, columns, count, missing, reason_of, words
from cluster.report.level_tables import percentile
from cluster.report.levels import level_name
from cluster.results.replies import RejectReason, ReplyCounts
from cluster.results.summary import Latency, LevelSummary

REASONS_SHOWN: Final = 10  # of each level
COUNTS: Final = {
    "Executions": "executions",
    "Remainders": "remainders",
    "Unsolicited": "unsolicited",
    "Out of order": "out_of_order",
    "Skipped": "skipped",
}
_PERCENTILES: Final = ("p50", "p99")


def other_reply_name(levels: Sequence[LevelSummary]) -> str:
    """Which reply is told of beside the one that ends the response time."""
    last_is_timed = any(level.timed_reply == "last" for level in levels)
    return "First reply" if last_is_timed else "Last reply"


def other_reply(level: LevelSummary) -> tuple[Latency | None, str]:
    """The times of the reply that does not end the response time, or why there are none."""
    if level.timed_reply == "last":
        return level.first_reply_ns, reason_of(level.not_measured, "first_reply_ns")
    return level.last_reply_ns, reason_of(level.not_measured, "last_reply_ns")


def replies_table(levels: Sequence[LevelSummary]) -> Table:
    """What the engine replied per level; levels of before replies were counted are left out."""
    name = other_reply_name(levels)
    names = ("Level", *COUNTS, "Several", *(f"{name} {p}" for p in _PERCENTILES))
    rows = (_replies_row(level, level.replies) for level in levels if level.replies)
    return Table(columns(names, words=("Level",)), tuple(rows))


def _replies_row(level: LevelSummary, replies: ReplyCounts) -> tuple[Cell, ...]:
    times, why = other_reply(level)
    return (
        words(level_name(level)),
        *(count(getattr(replies, field)) for field in COUNTS.values()),
        count(times.count if times else 0),
        *(percentile(times, p) if times else missing(why) for p in _PERCENTILES),
    )


def reasons_table(levels: Sequence[LevelSummary]) -> Table:
    """Why orders were rejected, per level, frequent reasons first."""
    rows = tuple(
        _reason_row(level, reason)
        for level in levels
        for reason in level.reject_reasons[:REASONS_SHOWN]
    )
    names = ("Level", "Reason", "Meaning", "Orders")
    return Table(columns(names, words=names[:-1]), rows)


def _reason_row(level: LevelSummary, reason: RejectReason) -> tuple[Cell, ...]:
    return (
        words(level_name(level)),
        words(reason.reason),
        words(reason.meaning),
        count(reason.count),
    )
