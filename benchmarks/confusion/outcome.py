"""What a run answered to what was planted."""

from typing import Final

from cluster.results.record import Record

CONFIDENT: Final = 0.9  # from here on an answer that is wrong is confidently wrong
DISTURBED: Final = "disturbed"
ANSWERS: Final = ("engine", "network", "client", "inconclusive")


class Outcome(Record):
    """One run of one row."""

    cause: str
    strength: str
    truth: str  # engine, network, client, or none: nothing was at its limit
    repeat: int
    # verdict.bottleneck; "no answer": the run failed; "disturbed": others starved the clients, so
    # that another cause was there besides the planted one.
    answer: str
    confidence: float
    sentence: str
    run: str  # its directory's name
    took_s: float
    notes: list[str]  # signs that the plant was there

    @property
    def named(self) -> bool:
        """Whether a cause was named."""
        return self.answer in {"engine", "network", "client"}

    @property
    def right(self) -> bool:
        """Whether the cause that was named is the planted one."""
        return self.named and self.answer == self.truth

    @property
    def confidently_wrong(self) -> bool:
        """Whether another cause was named with a confidence of 0.9 or more."""
        return self.named and not self.right and self.confidence >= CONFIDENT


class Matrix(Record):
    """All outcomes of one run of the benchmark."""

    version: str  # of loadcluster
    measured_at: str  # ISO 8601, UTC
    machine: str
    control_s: int
    disturbed: int = 0  # runs that were done again, because others took the clients' CPU
    outcomes: list[Outcome]
    skipped: dict[str, str]  # row → why it could not be planted
