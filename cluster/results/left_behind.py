"""Whether a run left something on a host."""

from pydantic import Field

from cluster.results.record import Record


class LeftBehind(Record):
    """What was looked for on one host after everything had ended, and what was still there."""

    host: str
    looked_for: list[str]
    found: list[str] = Field(default_factory=list)
    not_looked: str = ""  # why, where something could not be looked for
