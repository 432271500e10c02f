"""A reference engine whose behaviour is known, loaded as a user loads it, and left in peace."""

import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest

from cluster.analysis.observed import observe
from cluster.host.reference import reference_engine
from cluster.results.histogram import Histogram
from cluster.results.store import RunDirectory
from cluster.results.summary import LevelSummary, Summary
from cluster.units import NS_PER_MS, format_ns
from fakes.command_line import loadcluster, only_run, write_experiment

# How often a client or an engine that others kept from the CPUs may try again.
ATTEMPTS = 3
DISTURBED: AbstractSet[str] = {
    "client-behind-schedule",
    "client-host-jitters",
    "client-host-steals-cpu",
    "client-paused",
    "client-preempted",
    "client-waits-for-cpu",
    "engine-waits-for-cpu",
    "host-steals-cpu",
}
# Real time. Equals do not displace each other: engine and workers go ahead of Python's threads.
PYTHON_PRIORITY = 5
PRIORITY = 6
WORKER = re.compile(r"load-(\d+|jitter)")

needs_two_cpus = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="engine and client need a CPU each"
)


@cache
def ahead_of_all() -> bool:
    """Whether engine and client can go ahead of everything else on their CPUs: in real time.

    For engines and clients that sleep between orders: one that spins would take its CPU from the
    kernel, too.
    """
    if shutil.which("chrt") is None:
        return False
    tried = subprocess.run([*real_time(PRIORITY), "true"], capture_output=True, check=False)
    return tried.returncode == 0


def real_time(priority: int) -> tuple[str, ...]:
    """The start of a command that runs another in real time."""
    return ("chrt", "--fifo", str(priority))


def threads_of_children() -> Iterator[Path]:
    """The threads of the processes that this one has started, as /proc has them."""
    for ours in Path("/proc/self/task").iterdir():
        for child in (ours / "children").read_text().split():
            with suppress(OSError):
                yield from Path(f"/proc/{child}/task").iterdir()


@contextmanager
def workers_first(ahead: bool) -> Iterator[None]:
    """Let load workers go ahead of their client's Python threads, which share a CPU with them."""
    done = threading.Event()

    def promote() -> None:
        while not done.wait(0.02):
            for thread in threads_of_children():
                with suppress(OSError):  # it has ended
                    if WORKER.match((thread / "comm").read_text()):
                        param = os.sched_param(PRIORITY)
                        os.sched_setscheduler(int(thread.name), os.SCHED_FIFO, param)

    watcher = threading.Thread(target=promote)
    if ahead:
        watcher.start()
    try:
        yield
    finally:
        done.set()
        if ahead:
            watcher.join()


def run_against(folder: Path, *options: str, ahead: bool = False, **sections: object) -> Summary:
    """Load a reference engine with `options`, engine and client on CPUs of their own.

    Args:
        folder: where the experiment and its run go.
        options: of the engine's command line.
        ahead: in real time, see `ahead_of_all`.
        sections: of the experiment, instead of those of `write_experiment`.
    """
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    first, *_, last = sorted(os.sched_getaffinity(0))
    engine = [str(reference_engine()), "--port", str(port), *options]
    command = [*real_time(PRIORITY), *engine] if ahead else engine
    experiment = write_experiment(
        folder,
        engine={"port": port, "command": command},
        cpus={"engine": [first], "agents": [[last]]},
        **sections,
    )
    wrapper = real_time(PYTHON_PRIORITY) if ahead else ()
    with workers_first(ahead):
        said = loadcluster("run", str(experiment), "--json", wrapper=wrapper)
    assert said.stdout, said.stderr
    return said.summary


def undisturbed_level(
    folder: Path,
    run: Callable[[Path], Summary],
    calm_ns: int = NS_PER_MS // 2,
    disturbed: AbstractSet[str] = DISTURBED,
) -> tuple[LevelSummary, Histogram]:
    """The only level of a run in which the CPUs were those of engine and client.

    Skips the test when others take the CPUs time after time: the level says so itself, or the
    orders that no fault touches.

    Args:
        folder: where runs go, each into a folder of its own.
        run: carries out the run in the folder it is given.
        calm_ns: three of four orders are answered within so long when nothing else disturbs.
        disturbed: findings by which a level tells that it was.

    Returns:
        The level, and the response times of its control window: all that were recorded, also where
        the level tells no percentile because one stall is one event.
    """
    for attempt in range(ATTEMPTS):
        own = folder / str(attempt)
        own.mkdir()
        (level,) = run(own).levels
        assert not level.ended_early, level.ended_early
        (record,) = RunDirectory.open(only_run(own)).load_levels()
        response = observe(record).control.response
        p75_ns = response.percentile(75) or 0
        said = [finding.message for finding in level.findings if finding.code in disturbed]
        if not said and p75_ns <= calm_ns:
            return level, response
    said += [f"75 of 100 orders were answered within {format_ns(p75_ns)}"]
    pytest.skip(f"others take this machine's CPUs from engine and client: {'; '.join(said)}")
