"""Runs the command line as a user does, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cluster.results.summary import Summary

LIMIT_S = 120


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    exit_status: int
    stdout: str
    stderr: str

    @property
    def summary(self) -> Summary:
        """The run's summary, printed with --json."""
        return Summary.model_validate(json.loads(self.stdout))


def loadcluster(*arguments: str, env: Mapping[str, str] | None = None) -> Said:
    """Run `loadcluster` with `arguments` to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "cluster", *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        env=os.environ | dict(env or {}),
    )
    return Said(done.returncode, done.stdout, done.stderr)


def start_loadcluster(*arguments: str) -> subprocess.Popen[str]:
    """Start `loadcluster` in a session of its own, for tests that interrupt it."""
    return subprocess.Popen(
        [sys.executable, "-m", "cluster", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def write_experiment(folder: Path, **sections: Any) -> Path:
    """A small experiment in `folder`: in-process, no profiler, 2 s; `sections` replace parts."""
    experiment: dict[str, Any] = {
        "name": "small",
        "fleet": "in-process",
        "agents": {"count": 1, "connections": 2},
        "load": {"rates_per_s": [500], "timeout_s": 1},
        "measure": {"warmup_s": 0, "control_s": 2, "drain_s": 1},
        "profile": "off",
        "output_directory": str(folder / "runs"),
    }
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(experiment | sections))
    return path


def only_run(folder: Path) -> Path:
    """The directory of the one run that was made in `folder`."""
    (run,) = (folder / "runs").iterdir()
    return run
