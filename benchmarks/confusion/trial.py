"""One run of one plant: planted, measured by loadcluster, and cleaned up."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import yaml

from cluster.host.reference import reference_engine
from confusion.cpu_group import CpuGroup
from confusion.load_threads import LoadThreads
from confusion.outcome import DISTURBED, Outcome
from confusion.plant import Plant
from confusion.priority import FIRST, LAST, SHORT_SLICE_NS, prefer
from confusion.processes import PathProcess, bound_to_us, build_path, end, hogs, network_path

LIMIT_S: Final = 90
# Others that take the clients' CPU plant a cause of their own. A worker that wakes 30,000 times a
# second and takes the CPU from another program each time waits some percent of the time already.
DISTURBED_RATIO: Final = 0.1
TRIES_MAX: Final = 3
LOOPBACK: Final = "127.0.0.1"
ENGINE_END: Final = "10.199.0.1"  # as path.cpp has it
ENGINE_PORT: Final = 9001  # in a namespace of its own every port is free


class Planter:
    """Runs plants, one at a time, below one folder."""

    def __init__(
        self,
        folder: Path,
        group: CpuGroup | None,
        *,
        control_s: int,
        seed: int = 1,
        tries_max: int = TRIES_MAX,
    ) -> None:
        """Prepare.

        Args:
            folder: receives `runs/` and what is built.
            group: of this program; None: quotas can't be planted.
            control_s: seconds measured at each level.
            seed: of the arrivals and of the packets that are lost, in the first repeat.
            tries_max: how often a run that others disturb is done.
        """
        self._folder = folder
        self._group = group
        self.control_s = control_s
        self._tries_max = tries_max
        self._seed = seed
        self.disturbed = 0  # runs that were done again

    def run(self, plant: Plant, repeat: int) -> Outcome:
        """Plant a cause, measure, clean up; again when others starved the clients meanwhile."""
        for attempt in range(1, self._tries_max + 1):
            began = time.monotonic()
            notes: list[str] = []
            before = set(self._runs())
            summary = self._once(plant, repeat, notes)
            made = sorted(set(self._runs()) - before)
            for run in made:
                with suppress(OSError):
                    (run / "report.html").unlink()  # some MB; `loadcluster report` makes it anew
            why = disturbed(plant, summary) if summary else ""
            if not why:
                break
            notes.append(why)
            self.disturbed += attempt < self._tries_max
        verdict = summary.get("verdict", {})
        if why:
            verdict["bottleneck"] = DISTURBED
        return Outcome(
            cause=plant.cause,
            strength=plant.strength,
            truth=plant.truth,
            repeat=repeat,
            answer=verdict.get("bottleneck", "no answer"),
            confidence=verdict.get("confidence", 0.0),
            sentence=verdict.get("sentence", ""),
            run=made[0].name if made else "",
            took_s=round(time.monotonic() - began, 1),
            notes=notes,
        )

    def _once(self, plant: Plant, repeat: int, notes: list[str]) -> dict[str, Any]:
        with ExitStack() as planted:
            path = None
            if plant.path is not None:
                program = build_path(self._folder)
                path = planted.enter_context(network_path(plant.path, program, self._seed + repeat))
            said = self._measure(plant, self._seed + repeat, path, planted, notes)
        if path is not None:
            notes.append(f"{path.dropped:,} of {path.carried + path.dropped:,} packets dropped")
        summary: dict[str, Any] = json.loads(said) if said else {}
        return summary

    def _runs(self) -> list[Path]:
        return list((self._folder / "runs").glob("*"))

    def _measure(
        self,
        plant: Plant,
        seed: int,
        path: PathProcess | None,
        planted: ExitStack,
        notes: list[str],
    ) -> str:
        address, port = (ENGINE_END, ENGINE_PORT) if path else (LOOPBACK, free_port())
        engine = [str(reference_engine()), "--address", address, "--port", str(port)]
        command = ["nice", "-n", str(FIRST), *engine, *plant.faults]
        run = [sys.executable, "-m", "cluster", "run", str(self._folder / "experiment.yaml")]
        run += ["--out", str(self._folder / "runs"), "--json"]
        if path is not None:
            command = path.enter(path.engine_space, command)
            run = path.enter(path.clients_space, run)
        experiment = plant.experiment(command, address, port, control_s=self.control_s, seed=seed)
        (self._folder / "experiment.yaml").write_text(yaml.safe_dump(experiment))
        starved = None
        if plant.clients.quota_ratio is not None:
            if self._group is None:
                raise PermissionError("a CPU quota needs control groups")
            starved = planted.enter_context(self._group.inside("starved"))
            starved.limit(plant.clients.quota_ratio)
        planted.enter_context(hogs(plant.clients.hogs))
        with running(bound_to_us(run, "TERM")) as process:
            with LoadThreads(process.pid, lambda thread, i: treat(plant, starved, thread, i)):
                stdout, _ = process.communicate(timeout=LIMIT_S)
            if starved is not None:
                notes.append(f"throttled in {starved.throttled():,} periods")
        return stdout


def treat(plant: Plant, starved: CpuGroup | None, thread_id: int, index: int) -> None:
    """Starve a load thread, or see that nothing but the plant disturbs it.

    Each level has one load thread per agent; with one bad agent it is the first of them.
    """
    clients = plant.clients
    bad = clients.starved == "all" or index % clients.count == 0
    if bad and starved is not None:
        prefer(thread_id)
        starved.add_thread(thread_id)
    elif bad and clients.hogs:
        prefer(thread_id, nice=LAST if clients.starved == "one" else 0)
    else:
        prefer(thread_id, nice=FIRST, slice_ns=SHORT_SLICE_NS)


@contextmanager
def running(argv: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that has ended afterwards."""
    process = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        end(process)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        port: int = found.getsockname()[1]
        return port


def disturbed(plant: Plant, summary: dict[str, Any]) -> str:
    """What else than the plant starved the clients; empty when nothing did."""
    waits = [
        agent["worker_run_queue_ratio"] or 0
        for level in summary["levels"]
        for agent in level["agents"]
    ]
    worst = max(waits, default=0.0)
    if plant.truth == "client" or worst <= DISTURBED_RATIO:
        return ""
    return f"clients waited for a CPU {worst:.1%} of the time"


def why_not(plant: Plant, group: CpuGroup | None) -> str:
    """Why this machine can't have a plant; empty when it can."""
    if len(os.sched_getaffinity(0)) < 2:
        return "engine and clients need a CPU each"
    if plant.clients.quota_ratio is not None and group is None:
        return "a CPU quota needs root and control groups with the cpu controller"
    if plant.path is not None:
        if os.geteuid() != 0:
            return "a network path of its own needs root"
        if not Path("/dev/net/tun").exists():
            return "a network path needs /dev/net/tun"
        if shutil.which("nsenter") is None:
            return "a network path needs nsenter (util-linux)"
    return ""
