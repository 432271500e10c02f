"""What the reader must know when the engine's host did not do as it should."""

from cluster.errors import HostError
from cluster.results.finding import Finding, Severity


def host_lost(why: str) -> Finding:
    """Nothing more was heard from the engine that we started there."""
    return _warning(
        "engine-host-lost",
        f"The connection to the engine's host was lost: {why}",
        "What ran there under our supervision ends by itself within seconds.",
    )


def window_late(patience_s: float) -> Finding:
    """The profiler did not follow in time."""
    return _warning(
        "profile-window-late",
        f"The engine's host took more than {patience_s:g} s to start or to end the profiler in a "
        "profile window. The load went on, so the profile covers another time than was asked for.",
        "Is the host overloaded, or the connection to it?",
    )


def not_clean(error: HostError) -> Finding:
    """What we put there could not be taken away again."""
    return _warning(
        "engine-host-not-clean",
        f"Something may be left on the engine's host: {error.message}",
        error.hint,
    )


def _warning(code: str, message: str, advice: str) -> Finding:
    return Finding(severity=Severity.WARNING, code=code, message=message, advice=advice)
