"""Findings about what came back: messages nobody understood, sessions that ended, rejections."""

from typing import Final

from cluster.analysis.finding import finding
from cluster.analysis.observed import Observed
from cluster.analysis.replies import reject_reasons, reply_counts
from cluster.analysis.windows import total_orders
from cluster.results.finding import Finding, Severity

REJECTED_NOTICED: Final = 0.05
SKIPPED_NOTICED: Final = 0.05
REASONS_TOLD: Final = 3

# What ends a connection, as the load client counts it.
LOSSES: Final = {
    "closed_by_engine": "closed by the engine",
    "reset": "reset",
    "send_failed": "failed in sending",
    "receive_failed": "failed in receiving",
    "protocol_error": "ended by us, as no message could be found in what came",
    "logged_out": "logged out by the engine",
    "engine_silent": "ended by us, as nothing came for longer than the protocol allows",
}


def reply_findings(seen: Observed) -> list[Finding | None]:
    """All of them."""
    return [
        connections_kept(seen),
        messages_known(seen),
        messages_intact(seen),
        messages_whole(seen),
        sequence_kept(seen),
        orders_rejected(seen),
        requests_made(seen),
    ]


def connections_kept(seen: Observed) -> Finding | None:
    """Every connection lived to the end of the level.

    Only a warning: orders that were lost with a connection, or never sent, have rules of their own.
    """
    lost = {kind: count for kind in LOSSES if (count := _errors(seen, kind))}
    if not lost:
        return None
    connections = sum(share.connections for share in seen.record.level.shares)
    kinds = ", ".join(f"{count:,} {LOSSES[kind]}" for kind, count in lost.items())
    return finding(
        seen,
        Severity.WARNING,
        "connections-lost",
        f"{sum(lost.values()):,} of {connections:,} connections ended during the level: {kinds}.",
        "Orders in flight on them were lost, and later orders went over the others. Look at the "
        "engine's log for that time.",
    )


def messages_known(seen: Observed) -> Finding | None:
    """The protocol's description has every message that the engine sent."""
    unknown = _errors(seen, "unknown_message")
    if not unknown:
        return None
    return finding(
        seen,
        Severity.WARNING,
        "messages-unknown",
        f"{unknown:,} messages from the engine are not in the protocol's description; they were "
        "skipped.",
        "Add them to the wire schema: as `means: unsolicited`, if they answer no order. An order "
        "whose answer is among them times out.",
    )


def messages_intact(seen: Observed) -> Finding | None:
    """Every message had the checksum that it says."""
    garbled = _errors(seen, "garbled_message")
    if not garbled:
        return None
    return finding(
        seen,
        Severity.WARNING,
        "messages-garbled",
        f"{garbled:,} messages from the engine had a wrong checksum and were skipped.",
        "Compare the engine's checksum with the wire schema's. An order whose answer is among "
        "them times out.",
    )


def messages_whole(seen: Observed) -> Finding | None:
    """No connection ended within a message."""
    cut = _errors(seen, "cut_message")
    if not cut:
        return None
    return finding(
        seen,
        Severity.WARNING,
        "messages-cut",
        f"{cut:,} connections ended in the middle of a message from the engine.",
        "Either it was cut off while sending, or the wire schema's `framing` takes its messages "
        "for longer than they are.",
    )


def sequence_kept(seen: Observed) -> Finding | None:
    """The engine's sessions numbered their messages without a gap."""
    broken = _errors(seen, "sequence_break")
    if not broken:
        return None
    return finding(
        seen,
        Severity.WARNING,
        "sequence-broken",
        f"{broken:,} messages of the engine's sessions did not carry the next number.",
        "Messages were lost or sent twice: look at the engine's log.",
    )


def orders_rejected(seen: Observed) -> Finding | None:
    """The engine accepted nearly all orders: refusing is less work than matching."""
    rejected, answered = seen.control.orders.rejected, seen.control.orders.answered
    if rejected <= REJECTED_NOTICED * answered:
        return None
    return finding(
        seen,
        Severity.WARNING,
        "orders-rejected",
        f"The engine rejected {rejected:,} of {answered:,} answered orders "
        f"({rejected / answered:.0%}).{_why_rejected(seen)}",
        "Its times are partly those of refusing. Check `order_flow` against what the engine takes.",
    )


def _why_rejected(seen: Observed) -> str:
    reasons = reject_reasons(seen.record)
    if not reasons:
        return ""
    told = ", ".join(f"{reason.in_words} {reason.count:,}" for reason in reasons[:REASONS_TOLD])
    more = len(reasons) - REASONS_TOLD
    others = f", and {more:,} more" if more > 0 else ""
    return f" Reasons over the whole level: {told}{others}."


def requests_made(seen: Observed) -> Finding | None:
    """The mix of requests is nearly the one asked for."""
    skipped = reply_counts(seen.record).skipped
    sent = total_orders(agent.orders for agent in seen.record.agents).sent
    if skipped <= SKIPPED_NOTICED * (sent + skipped):
        return None
    return finding(
        seen,
        Severity.NOTE,
        "requests-skipped",
        f"{skipped:,} requests to replace or cancel an order were not sent, as the order was known "
        f"to be gone; {sent:,} requests were sent.",
        "The rate is as planned; the mix has fewer of these requests than `order_flow.mix` says.",
    )


def _errors(seen: Observed, kind: str) -> int:
    return sum(agent.errors.get(kind, 0) for agent in seen.record.agents)
