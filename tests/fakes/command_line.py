"""Runs the command line as a user does, in a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
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


def loadcluster(
    *arguments: str, env: Mapping[str, str] | None = None, wrapper: Sequence[str] = ()
) -> Said:
    """Run `loadcluster` with `arguments` to its end; `wrapper` is a command that runs it."""
    done = subprocess.run(
        [*wrapper, sys.executable, "-m", "cluster", *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        env=os.environ | dict(env or {}),
    )
    return Said(done.returncode, done.stdout, done.stderr)


def start_loadcluster(
    *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start `loadcluster` in a session of its own, for tests that interrupt it."""
    return subprocess.Popen(
        [sys.executable, "-m", "cluster", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | dict(env or {}),
    )


def write_experiment(folder: Path, **sections: Any) -> Path:
    """A small experiment in `folder`: in-process, no profiler, 2 s; `sections` replace parts.

    Load hosts are calibrated only where `measure` says so: that takes longer than most runs here.
    """
    experiment: dict[str, Any] = {
        "name": "small",
        "fleet": "in-process",
        "agents": {"count": 1, "connections": 2},
        "load": {"rates_per_s": [500], "timeout_s": 1},
        "measure": {"warmup_s": 0, "control_s": 2, "drain_s": 1},
        "profile": "off",
        "output_directory": str(folder / "runs"),
    }
    experiment |= sections
    experiment["measure"] = {"calibration": "off"} | experiment["measure"]
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(experiment))
    return path


def wait_for_event(folder: Path, kind: str, limit_s: float = 40) -> None:
    """Wait until the log of the run in `folder` has an event of that kind."""

    def logged() -> bool:
        logs = list((folder / "runs").glob("*/events.jsonl"))
        return bool(logs) and f'"kind": "{kind}"' in logs[0].read_text()

    wait_for(logged, kind, limit_s)


def wait_for(condition: Callable[[], bool], what: str, limit_s: float = 30) -> None:
    """Wait until `condition` holds; fail after `limit_s`."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {limit_s} s for {what}"
        time.sleep(0.05)


def only_run(folder: Path) -> Path:
    """The directory of the one run that was made in `folder`."""
    (run,) = (folder / "runs").iterdir()
    return run
