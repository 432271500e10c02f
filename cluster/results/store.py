"""The run directory: every file a run leaves, and reading them again.

2026-11-23T140502-quickstart/
  experiment.yaml  facts.json  events.jsonl  summary.json  report.html
  trials/01/       result.json and response, service, send_lag, engine .hlog; last_reply.hlog,
                   or first_reply.hlog where the last reply ends the response time;
                   over_time.npz, what happened within the seconds
  profile/         what perf and its renderers gave
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from pydantic import JsonValue, ValidationError

from cluster.errors import ResultsError
from cluster.results.files import explained, read_bytes, read_text, write_whole
from cluster.results.hlog import parse_log, render_log
from cluster.results.level import LevelRecord
from cluster.results.level_file import (
    StoredLevel,
    first_problem,
    level_record,
    log_intervals,
    logs_of,
    parse_level,
    stored_level,
)
from cluster.results.over_time_file import over_time_bytes, with_over_time
from cluster.results.record import Record
from cluster.results.summary import SCHEMA_VERSION, LevelSummary, Summary
from cluster.results.wall_clock import WallClock
from cluster.units import NS_PER_S

EXPERIMENT: Final = "experiment.yaml"
FACTS: Final = "facts.json"
EVENTS: Final = "events.jsonl"
SUMMARY: Final = "summary.json"
REPORT: Final = "report.html"
OVER_TIME: Final = "over_time.npz"  # of each level
_SAME_SECOND_MAX: Final = 100  # runs of one name within one second


@dataclass(frozen=True)
class RunDirectory:
    """The directory of one run. Writing methods raise ResultsError when it is full or forbidden."""

    path: Path
    clock: WallClock = field(default_factory=WallClock.read)
    now_ns: Callable[[], int] = time.monotonic_ns
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @classmethod
    def create(cls, base: Path, name: str) -> Self:
        """Make a new directory under `base`, named after the time (UTC) and the experiment."""
        clock = WallClock.read()
        stamp = datetime.fromtimestamp(clock.epoch_ns / NS_PER_S, UTC).strftime("%Y-%m-%dT%H%M%S")
        path = _new_directory(base, f"{stamp}-{name}")
        run = cls(path, clock)
        with explained(path, "create a run in"):
            (path / "trials").mkdir()
            (path / "profile").mkdir()
        run.append_event(
            "clock",
            monotonic_ns=clock.monotonic_ns,
            epoch_ns=clock.epoch_ns,
            error_ns=clock.error_ns,
        )
        return run

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the directory of an earlier run for reading.

        Raises:
            ResultsError: it is missing, is no run, or is of another schema version.
        """
        if not path.is_dir():
            raise ResultsError(
                f"{path} is not a directory", "give a run's directory, such as runs/2026-…-name"
            )
        if not any((path / name).exists() for name in (SUMMARY, EXPERIMENT)):
            raise ResultsError(
                f"{path} holds no run: neither {SUMMARY} nor {EXPERIMENT} is there",
                "give the directory of one run, not the one above it",
            )
        run = cls(path)
        if (path / SUMMARY).exists():
            _refuse_other_versions(path / SUMMARY)
        return run

    @property
    def profile_directory(self) -> Path:
        """Where artefacts of the profiler go."""
        return self.path / "profile"

    @property
    def report_path(self) -> Path:
        """Where the report for people goes."""
        return self.path / REPORT

    def save_experiment(self, text: str) -> None:
        """Keep the experiment as run, in YAML."""
        write_whole(self.path / EXPERIMENT, text)

    def save_facts(self, hosts: Sequence[Record]) -> None:
        """Keep the facts of every host."""
        facts = {"hosts": [host.model_dump(mode="json") for host in hosts]}
        write_whole(self.path / FACTS, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")

    def append_event(self, kind: str, *, time_ns: int | None = None, **facts: JsonValue) -> None:
        """Note what happened.

        Args:
            kind: level-started, perf-enabled … in kebab-case.
            time_ns: when, in the driver's monotonic clock; now, if left out.
            facts: what else is known of it.
        """
        moment = self.now_ns() if time_ns is None else time_ns
        at = datetime.fromtimestamp(self.clock.epoch_of(moment) / NS_PER_S, UTC)
        event = {"time_ns": moment, "at": at.isoformat(timespec="microseconds"), "kind": kind}
        line = json.dumps(event | facts, ensure_ascii=False) + "\n"
        path = self.path / EVENTS
        with self._lock, explained(path, "write"), path.open("a", encoding="utf-8") as file:
            file.write(line)

    def save_level(self, record: LevelRecord, summary: LevelSummary) -> None:
        """Keep a level: result.json last, so that where it is, the logs are whole."""
        folder = self.path / "trials" / f"{record.level.index + 1:02d}"
        with explained(folder, "create"):
            folder.mkdir(parents=True, exist_ok=True)
        start_epoch_ns = self.clock.epoch_of(record.start_ns)
        for histogram, name in logs_of(record.manners).items():
            log = render_log(name, start_epoch_ns, log_intervals(record, histogram))
            write_whole(folder / f"{name}.hlog", log)
        write_whole(folder / OVER_TIME, over_time_bytes(record.agents))
        stored = stored_level(record, summary, start_epoch_ns)
        write_whole(folder / "result.json", stored.model_dump_json(indent=1) + "\n")

    def save_profile(self, name: str, content: str | bytes) -> str:
        """Keep an artefact of the profiler; gives its path inside the run directory."""
        write_whole(self.profile_directory / name, content)
        return f"profile/{name}"

    def artefacts(self) -> list[str]:
        """Files of the profiler, as paths inside the run directory."""
        files = self.profile_directory.rglob("*")
        return sorted(str(file.relative_to(self.path)) for file in files if file.is_file())

    def save_summary(self, summary: Summary) -> None:
        """Keep the outcome for machines."""
        write_whole(self.path / SUMMARY, summary.model_dump_json(indent=2) + "\n")

    def load_experiment(self) -> str:
        """The experiment as run. Raises ResultsError."""
        return read_text(self.path / EXPERIMENT)

    def load_facts(self) -> list[dict[str, JsonValue]]:
        """The facts of every host; empty when the run ended before they were known."""
        path = self.path / FACTS
        if not path.exists():
            return []
        facts = _parse_json(path)
        hosts = facts.get("hosts") if isinstance(facts, dict) else None
        if not isinstance(hosts, list):
            raise ResultsError(f"{path} is damaged: it has no list of hosts")
        return [host for host in hosts if isinstance(host, dict)]

    def load_events(self) -> list[dict[str, JsonValue]]:
        """What happened, in the order it was noted. A last line cut short is left out."""
        path = self.path / EVENTS
        if not path.exists():
            return []
        lines = read_text(path).splitlines()
        events = []
        for number, line in enumerate(lines, start=1):
            try:
                events.append(json.loads(line))
            except ValueError as error:
                if number == len(lines):
                    break
                raise ResultsError(f"{path}:{number} is damaged: {error}") from error
        return events

    def load_levels(self) -> list[LevelRecord]:
        """Every saved level, from low to high.

        Raises:
            ResultsError: a file is damaged, missing, or of another schema version.
        """
        # By number: 100 comes after 99.
        results = sorted(
            (self.path / "trials").glob("*/result.json"),
            key=lambda result: (len(result.parent.name), result),
        )
        return [self._load_level(result) for result in results]

    def _load_level(self, path: Path) -> LevelRecord:
        _refuse_other_versions(path)
        stored: StoredLevel = parse_level(read_text(path), str(path))
        histograms = {}
        for histogram, name in logs_of(stored.manners).items():
            log = path.with_name(f"{name}.hlog")
            lines = parse_log(read_text(log), str(log))
            histograms[histogram] = {(line.agent, line.index): line.histogram for line in lines}
        record = level_record(stored, histograms, str(path))
        over_time = path.with_name(OVER_TIME)
        if not over_time.exists():
            return record  # the run is older than these files
        agents = with_over_time(record.agents, read_bytes(over_time), str(over_time))
        return replace(record, agents=tuple(agents))

    def load_summary(self) -> Summary:
        """The outcome. Raises ResultsError when it is missing, damaged or of another version."""
        path = self.path / SUMMARY
        if not path.exists():
            raise ResultsError(
                f"{self.path} has no {SUMMARY}: the run did not come to its end",
                "what was measured until then is in its trials/",
            )
        _refuse_other_versions(path)
        try:
            return Summary.model_validate_json(read_text(path))
        except ValidationError as error:
            raise ResultsError(f"{path} is damaged: {first_problem(error)}") from error


def _new_directory(base: Path, name: str) -> Path:
    with explained(base, "create a run in"):
        base.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, _SAME_SECOND_MAX + 1):
            path = base / (name if attempt == 1 else f"{name}-{attempt}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return path
    raise ResultsError(f"{base} already holds {_SAME_SECOND_MAX} runs named {name}")


def _parse_json(path: Path) -> JsonValue:
    try:
        value: JsonValue = json.loads(read_text(path))
    except ValueError as error:
        raise ResultsError(f"{path} is damaged: {error}") from error
    return value


def _refuse_other_versions(path: Path) -> None:
    content = _parse_json(path)
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise ResultsError(
            f"{path} is of schema version {version}; this loadcluster reads {SCHEMA_VERSION}",
            "read it with the version of loadcluster that wrote it",
        )
