"""Findings for people: gravest first, and what was found at several levels said once."""

from dataclasses import dataclass
from typing import Final

from cluster.report.levels import name_of_level
from cluster.results.finding import Finding, Severity
from cluster.results.summary import Summary

_GRAVITY: Final = (Severity.INVALID, Severity.WARNING, Severity.NOTE)


@dataclass(frozen=True)
class Occurrence:
    """One level at which a finding was made, and its message there."""

    level: str  # its name; empty: the whole run
    message: str


@dataclass(frozen=True)
class FindingGroup:
    """One kind of finding. The highest level speaks for it; the other levels are kept beside."""

    severity: str
    code: str
    message: str
    advice: str
    level: str
    others: tuple[Occurrence, ...]

    @property
    def likewise(self) -> str:
        """At which other levels it was found, as a sentence; empty when at none."""
        names = [occurrence.level for occurrence in self.others if occurrence.level]
        if not names:
            return ""
        return f"Likewise at {', '.join(names[:-1])}{' and ' if names[1:] else ''}{names[-1]}."


def all_findings(summary: Summary) -> list[Finding]:
    """The run's findings and those of its levels, each once."""
    found = [*summary.findings, *(f for level in summary.levels for f in level.findings)]
    return list({(f.code, f.level, f.message): f for f in found}.values())


def finding_groups(summary: Summary) -> tuple[FindingGroup, ...]:
    """Findings by kind, gravest first, and within that in the order they were made."""
    kinds: dict[tuple[Severity, str], list[Finding]] = {}
    for finding in all_findings(summary):
        kinds.setdefault((finding.severity, finding.code), []).append(finding)
    ordered = sorted(kinds.values(), key=lambda found: _GRAVITY.index(found[0].severity))
    return tuple(_group(summary, found) for found in ordered)


def _group(summary: Summary, found: list[Finding]) -> FindingGroup:
    rising = sorted(found, key=lambda f: -1 if f.level is None else f.level)
    *others, speaker = rising
    return FindingGroup(
        speaker.severity.value,
        speaker.code,
        speaker.message,
        speaker.advice,
        name_of_level(summary.levels, speaker.level),
        tuple(Occurrence(name_of_level(summary.levels, f.level), f.message) for f in others),
    )


def headline(summary: Summary) -> str:
    """How far the measurement can be trusted; empty when it is valid and whole."""
    grave = sum(group.severity == Severity.INVALID for group in finding_groups(summary))
    parts = []
    if summary.interrupted:
        parts.append("The run was interrupted: what was measured until then is shown.")
    if not summary.valid:
        because = {0: "", 1: ": one finding says why"}.get(grave, f": {grave} findings say why")
        parts.append(f"This measurement is not valid{because}. Do not rely on its figures.")
    return " ".join(parts)
