"""How a rule states a finding about a level."""

from cluster.analysis.observed import Observed
from cluster.results.finding import Finding, Severity


def finding(
    seen: Observed, severity: Severity, code: str, message: str, advice: str = ""
) -> Finding:
    """A finding that knows its level."""
    return Finding(severity=severity, code=code, message=message, advice=advice, level=seen.index)
