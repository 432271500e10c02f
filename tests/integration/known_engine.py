"""A reference engine whose behaviour is known, loaded as a user loads it, and left in peace."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from cluster.host.reference import reference_engine
from cluster.results.summary import LevelSummary, Summary
from fakes.command_line import loadcluster, write_experiment

# How often a client or an engine that others kept from the CPUs may try again.
ATTEMPTS = 3
DISTURBED = {
    "client-behind-schedule",
    "client-host-steals-cpu",
    "client-paused",
    "client-preempted",
    "client-waits-for-cpu",
    "engine-waits-for-cpu",
    "host-steals-cpu",
}

needs_two_cpus = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="engine and client need a CPU each"
)


@cache
def ahead_of_all() -> tuple[str, ...]:
    """The start of a command that others can't keep from its CPU; empty where it is forbidden.

    For engines and clients that sleep between orders: one that spins would take its CPU from the
    kernel, too.
    """
    command = ("chrt", "--fifo", "5")
    if shutil.which("chrt") is None:
        return ()
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else ()


def run_against(
    folder: Path, *options: str, ahead: tuple[str, ...] = (), **sections: object
) -> Summary:
    """Load a reference engine with `options`, engine and client on CPUs of their own.

    Args:
        folder: where the experiment and its run go.
        options: of the engine's command line.
        ahead: what engine and client are started with, see `ahead_of_all`.
        sections: of the experiment, instead of those of `write_experiment`.
    """
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    first, *_, last = sorted(os.sched_getaffinity(0))
    command = [*ahead, str(reference_engine()), "--port", str(port), *options]
    experiment = write_experiment(
        folder,
        engine={"port": port, "command": command},
        cpus={"engine": [first], "agents": [[last]]},
        **sections,
    )
    said = loadcluster("run", str(experiment), "--json", wrapper=ahead)
    assert said.stdout, said.stderr
    return said.summary


def undisturbed_level(run: Callable[[], Summary]) -> LevelSummary:
    """The only level of a run in which the CPUs were those of engine and client.

    Skips the test when others take the CPUs time after time: the level says so itself.
    """
    for _ in range(ATTEMPTS):
        (level,) = run().levels
        if not DISTURBED & {finding.code for finding in level.findings}:
            return level
    said = "; ".join(f.message for f in level.findings if f.code in DISTURBED)
    pytest.skip(f"others take this machine's CPUs from engine and client: {said}")
