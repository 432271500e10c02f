"""The profile of one run: what the driver opens, closes, and asks."""

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from cluster.errors import ClusterError, CommandFailed, ProcessNotFound
from cluster.experiment.model import Profile
from cluster.host.clock import ClockOffset
from cluster.host.protocol import Host
from cluster.profile.events import SWITCH_TRACEPOINT, event_arguments
from cluster.profile.harvest import Harvest
from cluster.profile.perf_lane import PerfLane
from cluster.profile.perf_messages import cause_of
from cluster.profile.perf_record import record_argv, sampling_frequency_hz
from cluster.profile.perf_stat import stat_argv
from cluster.profile.preflight import Preflight, preflight
from cluster.profile.procfs_lane import INTERVAL_S, ProcfsLane
from cluster.profile.remarks import Remarks
from cluster.profile.window import HostWindow
from cluster.results.engine import Capability, EngineWindow, ProfileWindow
from cluster.results.finding import Finding

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
        self._remarks = Remarks()
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

    @property
    def capabilities(self) -> list[Capability]:
        """What can and what can't be measured on the engine's host."""
        return self._remarks.capabilities

    @property
    def findings(self) -> list[Finding]:
        """What the reader of the profile must know."""
        return self._remarks.findings

    def __enter__(self) -> Self:
        """Start the lanes. Raises ProcessNotFound: there is no such process."""
        try:
            if self._settings == "off":
                self._remarks.cannot("profile", "the experiment says `profile: off`")
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
                self._remarks.lane_failed("procfs", error.message, error.hint)
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
            try:
                self._finished = self._finish(orders_in_window, into)
            except OSError as error:
                # The directory on this side: full, or not ours. The load's results come first.
                self._remarks.lane_failed("keeping the profile", f"{into}: {error.strerror}")
                self._finished = ()
        return self._finished

    def _finish(self, orders: Mapping[int, int], into: Path) -> tuple[ProfileWindow, ...]:
        into.mkdir(parents=True, exist_ok=True)
        self.close_window()
        for lane in self._lanes():
            lane.stop()
            if lane.failed:
                self._remarks.lane_failed(lane.label, lane.failed, lane.failed_remedy)
        harvest = Harvest(self._host, self._clock, into, self._windows, self._remarks)
        if self._procfs is not None:
            harvest.keep_procfs(self._procfs)
        if not self._windows or self._settings == "off":
            return ()
        rows = harvest.counted(self._stat) if self._stat else {}
        sampled = None
        if self._record is not None:
            sampled = harvest.sampled(self._record, self._found.perf, self._settings)
        return harvest.together(
            rows,
            sampled,
            self._found,
            self._settings,
            why_no_counters=self._stat.failed if self._stat else "perf stat did not run",
            orders=orders,
        )

    def _attach(self, settings: Profile) -> None:
        try:
            self._found = preflight(self._host, self._pid, settings)
        except ProcessNotFound:
            raise
        except ClusterError as error:
            self._remarks.lane_failed("profile", error.message, error.hint)
            return
        self._remarks.capabilities += self._found.capabilities
        if not self._found.perf or (self._found.why_no_samples and not self._found.events):
            self._no_profile()
            return
        self._start_counting()
        self._start_sampling(settings)

    def _no_profile(self) -> None:
        missing = [capability for capability in self._found.capabilities if capability.why]
        reason = next((c for c in missing if c.why == self._found.why_no_samples), missing[0])
        self._remarks.no_profile(reason.why, reason.remedy)

    def _start_counting(self) -> None:
        arguments = event_arguments(self._found.events)
        if not arguments:
            return
        argv = stat_argv([self._found.perf], self._pid, arguments, as_json=self._found.stat_as_json)
        self._stat = self._start_lane(argv, "perf stat")

    def _start_sampling(self, settings: Profile) -> None:
        if not self._found.sample_event:
            return
        frequency_hz = sampling_frequency_hz(settings)
        if frequency_hz < settings.frequency_hz:
            self._remarks.note(
                "sampling-slowed",
                f"DWARF stacks are sampled at {frequency_hz} Hz instead of "
                f"{settings.frequency_hz} Hz: each carries 8 KiB.",
                "Build the engine with -fno-omit-frame-pointer and set profile.call_graph: fp.",
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
            said = error.stderr if isinstance(error, CommandFailed) else error.message
            cause = cause_of(said)
            known = not cause.why.startswith("perf said")
            self._remarks.lane_failed(
                label, cause.why if known else error.message, error.hint or cause.remedy
            )
            return None

    def _start_procfs(self) -> None:
        try:
            self._procfs = ProcfsLane.start(self._host, self._pid, self._port, self._max_s)
        except ClusterError as error:
            self._remarks.lane_failed("procfs", error.message, error.hint)

    def _lanes(self) -> list[PerfLane]:
        return [lane for lane in (self._stat, self._record) if lane is not None]

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
            self._remarks.lane_failed("clean-up of the profile", error.message, error.hint)
