"""What a session has to say besides its numbers."""

from cluster.results.engine import Capability
from cluster.results.finding import Finding, Severity


class Remarks:
    """Capabilities and findings as they come up."""

    def __init__(self) -> None:
        self.capabilities: list[Capability] = []
        self.findings: list[Finding] = []

    def cannot(self, what: str, why: str, remedy: str = "") -> None:
        """Something that can't be measured here."""
        self.capabilities.append(Capability(what=what, available=False, why=why, remedy=remedy))

    def no_profile(self, why: str, remedy: str) -> None:
        """No perf can run at all."""
        self.cannot("profile", why, remedy)
        self._warn("no-profile", f"The engine could not be profiled: {why}.", remedy)

    def lane_failed(self, label: str, why: str, remedy: str = "") -> None:
        """A lane gave up. Said once: what is gone fails at every later step, too."""
        if any(c.what == label and not c.available for c in self.capabilities):
            return
        self.cannot(label, why, remedy)
        self._warn("profile-lane-failed", f"{label[0].upper()}{label[1:]} failed: {why}.", remedy)

    def note(self, code: str, message: str, advice: str) -> None:
        """Good to know."""
        self.findings.append(
            Finding(severity=Severity.NOTE, code=code, message=message, advice=advice)
        )

    def _warn(self, code: str, message: str, advice: str) -> None:
        self.findings.append(
            Finding(severity=Severity.WARNING, code=code, message=message, advice=advice)
        )
