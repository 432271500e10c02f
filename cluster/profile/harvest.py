"""After the load: what the lanes recorded is read, put into windows, and kept as artefacts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster.errors import ClusterError
from cluster.experiment.model import Profile
from cluster.host.clock import ClockOffset
from cluster.host.protocol import Host
from cluster.profile.notes import notes_on_counters, notes_on_samples
from cluster.profile.perf_lane import PerfLane
from cluster.profile.perf_stat import OUTPUT, StatRow, counts_per_window, parse_stat
from cluster.profile.preflight import Preflight
from cluster.profile.procfs import as_json
from cluster.profile.procfs_lane import ProcfsLane
from cluster.profile.profile_window import profile_window
from cluster.profile.remarks import Remarks
from cluster.profile.samples import (
    DWARF_TIMEOUT_S,
    FP_TIMEOUT_S,
    Sampled,
    read_samples,
    symbolise,
)
from cluster.profile.window import HostWindow
from cluster.results.engine import ProfileWindow


@dataclass(frozen=True)
class Harvest:
    """Where to read, and where to put it. Nothing here raises for a lane that failed."""

    host: Host
    clock: ClockOffset
    into: Path
    windows: Sequence[HostWindow]
    remarks: Remarks

    def keep_procfs(self, lane: ProcfsLane) -> None:
        """End the procfs lane; procfs.json keeps every sample."""
        try:
            lane.refresh()
            lane.stop()
        except ClusterError as error:
            self.remarks.lane_failed("procfs", error.message, error.hint)
        times_ns = lane.times_ns(self.clock.offset_ns)
        self._write("procfs.json", as_json(lane.samples, times_ns))

    def counted(self, lane: PerfLane) -> dict[int, list[StatRow]]:
        """The rows of perf stat by level; counters.json keeps them all."""
        try:
            text = self.host.read(f"{lane.supervised.directory}/{OUTPUT}")
        except ClusterError as error:
            self.remarks.lane_failed(lane.label, error.message, error.hint)
            return {}
        rows = list(parse_stat(text.decode(errors="replace").splitlines()))
        self._write(
            "counters.json",
            {
                "began_ns": self.clock.to_driver_ns(lane.began_ns),
                "windows": [
                    {
                        "level": window.level,
                        "start_ns": self.clock.to_driver_ns(window.start_ns),
                        "end_ns": self.clock.to_driver_ns(window.end_ns),
                    }
                    for window in self.windows
                ],
                "rows": [asdict(row) for row in rows],
            },
        )
        return counts_per_window(rows, lane.began_ns, self.windows)

    def sampled(self, lane: PerfLane, perf: str, settings: Profile) -> Sampled | None:
        """The stacks of perf record; perf-report.txt and the samples themselves are kept."""
        timeout_s = DWARF_TIMEOUT_S if settings.call_graph == "dwarf" else FP_TIMEOUT_S
        told = lane.ended.stderr_tail if lane.ended else ""
        try:
            directory = lane.supervised.directory
            said = symbolise(self.host, perf, directory, self.into, timeout_s=timeout_s)
            sampled = read_samples(self.host, self.into, self.windows, said, told)
        except ClusterError as error:
            self.remarks.lane_failed(lane.label, error.message, error.hint)
            return None
        if sampled.trouble:
            self.remarks.lane_failed(lane.label, sampled.trouble)
        return sampled

    def together(
        self,
        rows: Mapping[int, Sequence[StatRow]],
        sampled: Sampled | None,
        found: Preflight,
        settings: Profile,
        *,
        why_no_counters: str,
        orders: Mapping[int, int],
    ) -> tuple[ProfileWindow, ...]:
        """Every window with its counts and stacks, and the remarks they deserve."""
        by_level = {s.window.level: s for s in sampled.windows} if sampled else {}
        whole = []
        for window in self.windows:
            stacks = by_level.get(window.level)
            made = profile_window(
                window,
                rows.get(window.level, ()),
                stacks,
                sampled.names if sampled else {},
                sample_event=sampled.event if sampled else "",
                unavailable=found.unavailable,
                why_no_counters=why_no_counters,
                orders=orders.get(window.level),
                to_driver_ns=self.clock.to_driver_ns,
            )
            self.remarks.findings += notes_on_counters(made)
            if stacks is not None:
                self.remarks.findings += notes_on_samples(made, stacks, settings)
            whole.append(made)
        return tuple(whole)

    def _write(self, name: str, value: object) -> None:
        text = json.dumps(value, separators=(",", ":")) + "\n"
        (self.into / name).write_text(text, encoding="utf-8")
