"""The runs under one directory, for `loadcluster runs`."""

from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ResultsError
from cluster.results.files import explained
from cluster.results.store import EXPERIMENT, SUMMARY, RunDirectory
from cluster.results.summary import Summary


@dataclass(frozen=True)
class RunEntry:
    """One line of `loadcluster runs`."""

    path: Path
    summary: Summary | None
    problem: str  # why there is no summary


def list_runs(base: Path) -> list[RunEntry]:
    """The runs under `base`, oldest first; unreadable ones with their problem.

    Raises:
        ResultsError: `base` is missing or can't be read.
    """
    with explained(base, "list runs in"):
        paths = sorted(path for path in base.iterdir() if path.is_dir())
    entries = []
    for path in paths:
        if not any((path / name).exists() for name in (SUMMARY, EXPERIMENT)):
            continue
        try:
            entries.append(RunEntry(path, RunDirectory.open(path).load_summary(), ""))
        except ResultsError as error:
            entries.append(RunEntry(path, None, error.message))
    return entries
