"""What the engine replied besides one answer per order, and why it rejected orders."""

from typing import Literal, Self

from pydantic import Field

from cluster.results.record import Record

OTHER_REASONS = ""  # no reason was given, or a worker's list of reasons was full
OTHER_REASONS_MEANING = "no reason, or one beyond those that are told apart"


class ReplyManners(Record):
    """What the protocol says of replies, as far as results depend on it."""

    timed_reply: Literal["first", "last"] = "first"  # which one ends the response time
    reasons: dict[str, str] = Field(default_factory=dict)  # what a rejection's reason means

    @property
    def other_reply(self) -> Literal["first_reply", "last_reply"]:
        """What an interval's `other_reply` holds."""
        return "last_reply" if self.timed_reply == "first" else "first_reply"


class ReplyCounts(Record):
    """Replies that are no order's answer, and requests that were not made."""

    executions: int = 0
    remainders: int = 0  # unfilled rests that were cancelled
    unsolicited: int = 0  # match no order, as the protocol says
    out_of_order: int = 0  # answers that overtook an earlier order's
    skipped: int = 0  # requests for an order known to be gone: not sent, and in no books

    def __add__(self, other: Self) -> "ReplyCounts":
        return ReplyCounts(
            **{
                name: getattr(self, name) + getattr(other, name)
                for name in ReplyCounts.model_fields
            }
        )


class RejectReason(Record):
    """One reason for which orders were rejected."""

    reason: str  # as the engine says it, see `reason_text`; OTHER_REASONS for the rest
    meaning: str  # by the protocol's description; empty: it has no word for it
    count: int

    @property
    def in_words(self) -> str:
        """The reason and what it means."""
        if self.reason and self.meaning:
            return f"{self.reason} ({self.meaning})"
        return self.reason or self.meaning


def reason_text(raw: bytes) -> str:
    r"""The bytes of a reason as printable text: other bytes and characters become \x00, \u202e.

    Different bytes give different texts, so a backslash becomes two.
    """
    text = raw.replace(b"\\", b"\\\\").decode(errors="backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
