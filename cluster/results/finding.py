"""What the reader must know about a measurement's validity."""

from enum import StrEnum

from cluster.results.record import Record


class Severity(StrEnum):
    """How much a finding weighs."""

    INVALID = "invalid"  # the measurement can't be trusted; exit status 3
    WARNING = "warning"  # it can, with care
    NOTE = "note"  # good to know


class Finding(Record):
    """One sentence with its number and what to do about it."""

    severity: Severity
    code: str  # stable, kebab-case: client-behind-schedule
    message: str
    advice: str = ""
    level: int | None = None
