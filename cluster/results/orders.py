"""The books: what became of every order."""

from typing import Self

from cluster.results.record import Record


class OrderCounts(Record):
    """Orders by fate.

    The books balance when `intended = sent + unsent` and
    `sent = accepted + rejected + timed_out + lost`.
    """

    intended: int = 0
    sent: int = 0
    unsent: int = 0
    accepted: int = 0
    rejected: int = 0
    timed_out: int = 0
    lost: int = 0

    def __add__(self, other: Self) -> "OrderCounts":
        return OrderCounts(
            **{
                name: getattr(self, name) + getattr(other, name)
                for name in OrderCounts.model_fields
            }
        )

    @property
    def answered(self) -> int:
        """Orders the engine answered, accepted or rejected."""
        return self.accepted + self.rejected

    @property
    def schedule_imbalance(self) -> int:
        """Orders of the schedule that are neither sent nor unsent; 0 when the books balance."""
        return self.intended - self.sent - self.unsent

    @property
    def answer_imbalance(self) -> int:
        """Sent orders without a fate; 0 when the books balance."""
        return self.sent - self.answered - self.timed_out - self.lost

    @property
    def balanced(self) -> bool:
        """Whether every order is accounted for."""
        return self.schedule_imbalance == 0 and self.answer_imbalance == 0
