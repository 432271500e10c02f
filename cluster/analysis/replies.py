"""What the engine replied at a level besides one answer per order, all agents merged."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from cluster.analysis.uncertainty.latency import latency
from cluster.analysis.windows import Merged
from cluster.results.level import LevelRecord
from cluster.results.replies import (
    OTHER_REASONS,
    OTHER_REASONS_MEANING,
    RejectReason,
    ReplyCounts,
    ReplyManners,
)
from cluster.results.summary import Latency

REASONS_MAX: Final = 32  # as many as a worker tells apart


@dataclass(frozen=True)
class ReplyTimes:
    """First and last reply of orders with several; the one that is timed is the response time."""

    first_ns: Latency | None
    last_ns: Latency | None
    not_measured: dict[str, str] = field(default_factory=dict)


def reply_times(control: Merged, manners: ReplyManners) -> ReplyTimes:
    """The reply that does not end the response time, of those that came in the window."""
    timed, other = f"{manners.timed_reply}_reply_ns", f"{manners.other_reply}_ns"
    reasons = {timed: "the response time ends with this reply"}
    if not control.other_reply.total:
        reasons[other] = "no order had several replies"
        return ReplyTimes(None, None, reasons)
    times = latency(control.other_reply)
    if manners.other_reply == "last_reply":
        return ReplyTimes(None, times, reasons)
    return ReplyTimes(times, None, reasons)


def reply_counts(record: LevelRecord) -> ReplyCounts:
    """The counts of all agents over the whole level."""
    return sum((agent.replies for agent in record.agents), ReplyCounts())


def reject_reasons(record: LevelRecord) -> list[RejectReason]:
    """Why orders were rejected over the whole level, frequent reasons first, the rest as one."""
    counts: Counter[str] = Counter()
    for agent in record.agents:
        counts.update(agent.reject_reasons)
    rest = counts.pop(OTHER_REASONS, 0)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rest += sum(count for _, count in ordered[REASONS_MAX:])
    meanings = record.manners.reasons
    reasons = [
        RejectReason(reason=reason, meaning=meanings.get(reason, ""), count=count)
        for reason, count in ordered[:REASONS_MAX]
    ]
    if rest:
        reasons.append(
            RejectReason(reason=OTHER_REASONS, meaning=OTHER_REASONS_MEANING, count=rest)
        )
    return reasons
