"""The profile of one run: what the driver opens, closes, and asks."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from cluster.errors import ClusterError, ProcessNotFound
from cluster.experiment.model import Profile
from cluster.host.clock import ClockOffset
from cluster.host.protocol import Host
from cluster.profile.aggregate import WindowStacks
from cluster.profile.events import SWITCH_TRACEPOINT, event_arguments
from cluster.profile.notes import notes_on_counters, notes_on_samples
from cluster.profile.perf_lane import PerfLane
from cluster.profile.perf_messages import cause_of
from cluster.profile.perf_record import (
    DWARF_FREQUENCY_HZ_MAX,
    record_argv,
    sampling_frequency_hz,
)
from cluster.profile.perf_stat import OUTPUT, StatRow, counts_per_window, parse_stat, stat_argv
from cluster.profile.preflight import Preflight, preflight
from cluster.profile.procfs import as_json
from cluster.profile.procfs_lane import INTERVAL_S, ProcfsLane
from cluster.profile.profile_window import profile_window
from cluster.profile.samples import (
    DWARF_TIMEOUT_S,
    FP_TIMEOUT_S,
    Sampled,
    read_samples,
    symbolise,
)
from cluster.profile.window import HostWindow
from cluster.results.engine import Capability, EngineWindow, ProfileWindow
from cluster.results.finding import Finding, Severity

_TRACEFS: Final = "/sys/kernel/tracing"
_TURNS_FOR_A_SAMPLE: Final = 4


class ProfileSession:
    """Watches one engine process. A context manager: leaving it ends all it started.

    Nothing that goes wrong with a profiler ends the run: it becomes a finding and a capability.
    Only a process that does not exist at the start is an error.
    """

    def __init__(
        self,
        host: Host,
        pid: int,
        port: int,
        settings: Profile | Literal["off"],
        clock: ClockOffset,
        *,
        max_s: float,
    ) -> None:
        self.capabilities: list[Capability] = []
        self.findings: list[Finding] = []
        self._host = host
        self._pid = pid
        self._port = port
        self._settings = settings
        self._clock = clock
        self._max_s = max_s
        self._found = Preflight()
        self._procfs: ProcfsLane | None = None
        self._stat: PerfLane | None = None
        self._record: PerfLane | None = None
        self._windows: list[HostWindow] = []
        self._open: tuple[int, int] | None = None  # level, start in the host's clock
        self._finished: tuple[ProfileWindow, ...] | None = None

    def __enter__(self) -> Self:
        """Start the lanes. Raises ProcessNotFound: there is no such process."""
        try:
            if self._settings == "off":
                self._cannot("profile", "the experiment says `profile: off`")
            else:
                self._attach(self._settings)
            self._start_procfs()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def open_window(self, level: int) -> None:
        """Have perf count and sample from now on, for `level`."""
        if self._open is not None:
            self.close_window()
        acks = [ack for lane in self._lanes() if (ack := lane.switch("enable")) is not None]
        if acks:
            self._open = level, max(ack.acked_ns for ack in acks)

    def close_window(self) -> None:
        """Have perf rest until the next window. Without an open window, nothing happens."""
        if self._open is None:
            return
        level, start_ns = self._open
        self._open = None
        acks = [ack for lane in self._lanes() if (ack := lane.switch("disable")) is not None]
        # Where perf no longer answers, what it recorded until now may still be readable.
        end_ns = min(
            (ack.sent_ns for ack in acks), default=time.monotonic_ns() + self._clock.offset_ns
        )
        if end_ns > start_ns:
            self._windows.append(HostWindow(level, start_ns, end_ns))

    def engine_window(self, start_ns: int, end_ns: int) -> EngineWindow | None:
        """The engine's threads, memory and sockets between two times of the driver's clock.

        None where procfs could not be sampled, or not often enough. Waits at most a second for a
        sample that is still to come.
        """
        if self._procfs is None:
            return None
        turns_left = _TURNS_FOR_A_SAMPLE
        while True:
            try:
                self._procfs.refresh()
            except ClusterError as error:
                # What was read before may still frame the window.
                self._lane_failed("procfs", error.message, error.hint)
                turns_left = 0
            window = self._procfs.window(start_ns, end_ns, self._clock.offset_ns)
            if window is not None or turns_left == 0:
                return window
            # A short window ends with the sample after it, which may be yet to come.
            turns_left -= 1
            time.sleep(INTERVAL_S / 2)

    def finish(self, orders_in_window: Mapping[int, int], into: Path) -> tuple[ProfileWindow, ...]:
        """End the profile, resolve symbols on the engine's host, and bring everything home.

        Call it once the load has ended: symbols cost CPU time. Never raises for a profiler that
        failed. A second call gives what the first one gave.

        Args:
            orders_in_window: Level → orders answered in its profile window.
            into: Directory that receives the artefacts.
        """
        if self._finished is None:
            self._finished = self._finish(orders_in_window, into)
        return self._finished

    def _finish(self, orders: Mapping[int, int], into: Path) -> tuple[ProfileWindow, ...]:
        into.mkdir(parents=True, exist_ok=True)
        self.close_window()
        for lane in self._lanes():
            lane.stop()
            if lane.failed:
                self._lane_failed(lane.label, lane.failed, lane.failed_remedy)
        self._bring_procfs(into)
        if not self._windows:
            return ()
        rows = self._counted(into)
        sampled = self._sampled(into)
        by_level = {stacks.window.level: stacks for stacks in sampled.windows} if sampled else {}
        return tuple(
            self._window(window, rows, sampled, by_level.get(window.level), orders)
            for window in self._windows
        )

    def _window(
        self,
        window: HostWindow,
        rows: Mapping[int, list[StatRow]],
        sampled: Sampled | None,
        stacks: WindowStacks | None,
        orders: Mapping[int, int],
    ) -> ProfileWindow:
        whole = profile_window(
            window,
            rows.get(window.level, []),
            stacks,
            sampled.names if sampled else {},
            sample_event=sampled.event if sampled else "",
            unavailable=self._found.unavailable,
            why_no_counters=self._stat.failed if self._stat else "perf stat did not run",
            orders=orders.get(window.level),
            to_driver_ns=self._clock.to_driver_ns,
        )
        self.findings += notes_on_counters(whole)
        if stacks is not None:
            self.findings += notes_on_samples(whole, stacks, self._settings)
        return whole

    def _attach(self, settings: Profile) -> None:
        try:
            self._found = preflight(self._host, self._pid, settings)
        except ProcessNotFound:
            raise
        except ClusterError as error:
            self._lane_failed("profile", error.message, error.hint)
            return
        self.capabilities += self._found.capabilities
        if not self._found.perf or (self._found.why_no_samples and not self._found.events):
            self._no_profile()
            return
        self._start_counting()
        self._start_sampling(settings)

    def _no_profile(self) -> None:
        missing = [capability for capability in self._found.capabilities if capability.why]
        reason = next((c for c in missing if c.why == self._found.why_no_samples), missing[0])
        self.findings.append(
            Finding(
                severity=Severity.WARNING,
                code="no-profile",
                message=f"The engine could not be profiled: {reason.why}.",
                advice=reason.remedy,
            )
        )

    def _start_counting(self) -> None:
        arguments = event_arguments(self._found.events)
        if not arguments:
            return
        argv = stat_argv([self._found.perf], self._pid, arguments, as_json=self._found.stat_as_json)
        self._stat = self._start_lane(argv, "perf stat")

    def _start_sampling(self, settings: Profile) -> None:
        if not self._found.sample_event:
            return
        if sampling_frequency_hz(settings) < settings.frequency_hz:
            self.findings.append(
                Finding(
                    severity=Severity.NOTE,
                    code="sampling-slowed",
                    message=f"DWARF stacks are sampled at {DWARF_FREQUENCY_HZ_MAX} Hz instead of "
                    f"{settings.frequency_hz} Hz: each carries 8 KiB.",
                    advice="Build the engine with -fno-omit-frame-pointer and set "
                    "profile.call_graph: fp.",
                )
            )
        tracepoint = SWITCH_TRACEPOINT if self._found.switch_stacks else ""
        argv = record_argv(
            [self._found.perf], self._pid, settings, self._found.sample_event, tracepoint
        )
        self._record = self._start_lane(argv, "perf record")

    def _start_lane(self, argv: list[str], label: str) -> PerfLane | None:
        try:
            return PerfLane.start(self._host, argv, label, self._max_s)
        except ClusterError as error:
            cause = cause_of(error.message)
            known = not cause.why.startswith("perf said")
            self._lane_failed(
                label, cause.why if known else error.message, error.hint or cause.remedy
            )
            return None

    def _start_procfs(self) -> None:
        try:
            self._procfs = ProcfsLane.start(self._host, self._pid, self._port, self._max_s)
        except ClusterError as error:
            self._lane_failed("procfs", error.message, error.hint)

    def _lanes(self) -> list[PerfLane]:
        return [lane for lane in (self._stat, self._record) if lane is not None]

    def _counted(self, into: Path) -> dict[int, list[StatRow]]:
        """The rows of perf stat by level; counters.json keeps them all."""
        if self._stat is None:
            return {}
        try:
            text = self._host.read(f"{self._stat.supervised.directory}/{OUTPUT}")
        except ClusterError as error:
            self._lane_failed(self._stat.label, error.message, error.hint)
            return {}
        rows = list(parse_stat(text.decode(errors="replace").splitlines()))
        began_ns = self._stat.began_ns
        _write_json(
            into / "counters.json",
            {
                "began_ns": self._clock.to_driver_ns(began_ns),
                "windows": [
                    {
                        "level": window.level,
                        "start_ns": self._clock.to_driver_ns(window.start_ns),
                        "end_ns": self._clock.to_driver_ns(window.end_ns),
                    }
                    for window in self._windows
                ],
                "rows": [asdict(row) for row in rows],
            },
        )
        return counts_per_window(rows, began_ns, self._windows)

    def _sampled(self, into: Path) -> Sampled | None:
        if self._record is None:
            return None
        dwarf = self._settings != "off" and self._settings.call_graph == "dwarf"
        try:
            said = symbolise(
                self._host,
                self._found.perf,
                self._record.supervised.directory,
                into,
                timeout_s=DWARF_TIMEOUT_S if dwarf else FP_TIMEOUT_S,
            )
            told = self._record.ended.stderr_tail if self._record.ended else ""
            sampled = read_samples(self._host, into, self._windows, said, told)
        except ClusterError as error:
            self._lane_failed(self._record.label, error.message, error.hint)
            return None
        if sampled.trouble:
            self._lane_failed(self._record.label, sampled.trouble)
        return sampled

    def _bring_procfs(self, into: Path) -> None:
        if self._procfs is None:
            return
        try:
            self._procfs.refresh()
            self._procfs.stop()
        except ClusterError as error:
            self._lane_failed("procfs", error.message, error.hint)
        times_ns = self._procfs.times_ns(self._clock.offset_ns)
        _write_json(into / "procfs.json", as_json(self._procfs.samples, times_ns))

    def _lane_failed(self, label: str, why: str, remedy: str = "") -> None:
        """Say it once: a lane that is gone fails at every later step, too."""
        if any(c.what == label and not c.available for c in self.capabilities):
            return
        self._cannot(label, why, remedy)
        self.findings.append(
            Finding(
                severity=Severity.WARNING,
                code="profile-lane-failed",
                message=f"{label[0].upper()}{label[1:]} failed: {why}.",
                advice=remedy,
            )
        )

    def _cannot(self, what: str, why: str, remedy: str = "") -> None:
        self.capabilities.append(Capability(what=what, available=False, why=why, remedy=remedy))

    def _stop(self) -> None:
        """End everything that still runs on the host; what fails here ends by itself there."""
        for lane in self._lanes():
            lane.stop()
        try:
            if self._procfs is not None:
                self._procfs.stop()
            if not self._found.tracefs_mounted:
                # perf mounts it for tracepoints, as root; others may use it by now.
                self._host.run(["umount", _TRACEFS])
        except ClusterError as error:
            self._lane_failed("clean-up of the profile", error.message, error.hint)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8")
