"""Processes that end with this program, however it ends."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confusion.plant import CLIENT_CPU, ENGINE_CPU, NetworkPath
from confusion.priority import FIRST, prefer

HERE: Final = Path(__file__).parent
PATIENCE_S: Final = 5
HOG: Final = "while :; do :; done"


def bound_to_us(argv: Sequence[str], signal: str = "KILL") -> list[str]:
    """A command that the kernel ends when this program is gone."""
    return ["setpriv", "--pdeathsig", signal, *argv]


def end(process: subprocess.Popen[str]) -> None:
    """End a process that we started, and wait for it."""
    process.terminate()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


@contextmanager
def hogs(count: int) -> Iterator[None]:
    """So many threads that want the clients' CPU all the time."""
    argv = bound_to_us(["taskset", "-c", str(CLIENT_CPU), "bash", "-c", HOG])
    started: list[subprocess.Popen[str]] = []
    try:
        started.extend(subprocess.Popen(argv, text=True) for _ in range(count))
        for process in started:
            prefer(process.pid)
        yield
    finally:
        for process in started:
            end(process)


@dataclass
class PathProcess:
    """A network path that is there."""

    pid: int
    engine_space: int  # file descriptors of the process
    clients_space: int
    carried: int = 0  # packets; known when it has ended
    dropped: int = 0

    def enter(self, space: int, argv: Sequence[str]) -> list[str]:
        """A command in one of its namespaces."""
        return ["nsenter", f"--net=/proc/{self.pid}/fd/{space}", *argv]


@contextmanager
def network_path(path: NetworkPath, program: Path, seed: int) -> Iterator[PathProcess]:
    """Two namespaces and the path between them; they end with it."""
    argv = [
        str(program),
        str(path.delay_us),
        str(path.loss_ratio),
        str(path.rate_mbit * 1e6),
        str(path.queue_ms),
        str(seed),
    ]
    process = subprocess.Popen(
        ["taskset", "-c", str(ENGINE_CPU), "nice", "-n", str(FIRST), *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None  # noqa: S101  (asked for above)
    try:
        ready = process.stdout.readline()
        if not ready:
            raise OSError("the network path did not come up: it said why above")
        spaces = json.loads(ready)
        there = PathProcess(process.pid, spaces["engine"], spaces["clients"])
        yield there
    finally:
        process.terminate()
        told = process.stdout.read()
        end(process)
    counts = json.loads(told)
    there.carried, there.dropped = counts["carried"], counts["dropped"]


def build_path(folder: Path) -> Path:
    """Compile the network path into `folder`."""
    program, source = folder / "path", HERE / "path.cpp"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        compiler = os.environ.get("CXX", "g++")
        argv = [compiler, "-std=c++20", "-O2", str(source), "-o", str(program)]
        subprocess.run(argv, check=True)
    return program
