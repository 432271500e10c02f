"""Tells people and the event log how a level goes, once a second."""

from cluster.driver.ledger import Ledger
from cluster.experiment.plan import Level
from cluster.report.live import LiveSecond, LiveView
from cluster.results.store import RunDirectory
from cluster.units import NS_PER_S


class LevelWatcher:
    """The live view and the event log of one level."""

    def __init__(self, level: Level, view: LiveView, directory: RunDirectory) -> None:
        self._level = level
        self._view = view
        self._directory = directory
        self._answered_before = 0
        self._time_before_ns = 0
        self._intended_before = 0

    def second(self, level: Level, elapsed_s: int, ledger: Ledger, remark: str = "") -> None:
        """A second of the level is over."""
        latest = ledger.latest()
        if not latest:
            return
        self._view.second(
            LiveSecond(
                elapsed_s=elapsed_s,
                phase=_phase(level, elapsed_s, remark),
                offered_per_s=self._offered_per_s(level, elapsed_s, ledger),
                throughput_per_s=self._throughput_per_s(ledger),
                response_p99_ns=ledger.newest_response().percentile(99),
                in_flight=sum(progress.in_flight for progress in latest),
                backlog=sum(progress.backlog for progress in latest),
                connections_open=sum(progress.connections_open for progress in latest),
            )
        )

    def moved(self, level: Level) -> None:
        """The windows of the level are others now."""
        self._view.windows_moved(level)

    def _offered_per_s(self, level: Level, elapsed_s: int, ledger: Ledger) -> float | None:
        if level.arrivals != "recorded":
            return level.offered_per_s
        # What the file offers differs from second to second.
        intended = ledger.orders().intended
        before, self._intended_before = self._intended_before, intended
        return float(intended - before if elapsed_s else intended)

    def _throughput_per_s(self, ledger: Ledger) -> float | None:
        answered = ledger.orders().answered
        time_ns = max(progress.time_ns for progress in ledger.latest())
        before_ns, before = self._time_before_ns, self._answered_before
        self._time_before_ns, self._answered_before = time_ns, answered
        if not before_ns or time_ns <= before_ns:
            return None
        return (answered - before) * NS_PER_S / (time_ns - before_ns)

    def event(self, kind: str, *, time_ns: int | None = None, **facts: str | float | None) -> None:
        """Something happened that belongs on the time line."""
        self._directory.append_event(kind, time_ns=time_ns, **facts)


def _phase(level: Level, elapsed_s: int, remark: str) -> str:
    """The phase, and while it may go on for longer than planned, why."""
    phase = phase_of(level, elapsed_s)
    return f"{phase}, {remark}" if remark and phase == "control" else phase


def phase_of(level: Level, elapsed_s: int) -> str:
    """The part of the level that the second ending at `elapsed_s` belongs to."""
    if elapsed_s <= level.warmup_s:
        return "warm-up"
    if elapsed_s <= level.warmup_s + level.control_s:
        return "control"
    return "profile" if elapsed_s <= level.duration_s else "drain"
