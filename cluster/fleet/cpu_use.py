"""Who uses this host's CPUs while a rate is tried: the workers, the reflector, or others."""

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from cluster.fleet.worker_use import worker_use
from cluster.results.agent import WorkerThread
from cluster.units import NS_PER_S

STAT: Final = Path("/proc/stat")
TICK_NS: Final = NS_PER_S // os.sysconf("SC_CLK_TCK")
IDLE_FIELDS: Final = (3, 4)  # idle, iowait: proc_stat(5)
FIELDS: Final = 8  # up to steal, which others have had; guests are in user already


class CpuUse:
    """CPU time from now on, of the reflector and of everything on the workers' CPUs."""

    def __init__(self, worker_cpus: Sequence[int], reflector_pid: int | None) -> None:
        self._cpus = set(worker_cpus) or os.sched_getaffinity(0)
        self._apart = bool(worker_cpus)  # and the reflector is elsewhere
        self._tasks = Path(f"/proc/{reflector_pid}/task") if reflector_pid is not None else None
        self._began_ns = time.monotonic_ns()
        self._threads_before = self._threads()
        self._busy_before_ns = busy_ns(STAT.read_text(), self._cpus)

    def reflector_busy_ratio(self) -> float | None:
        """Share of the time that its busiest thread was on a CPU; None: not seen from here."""
        return max(self._threads_ns(), default=0) / self._elapsed_ns() if self._tasks else None

    def others_ratio(self, workers: Iterable[WorkerThread]) -> float:
        """Share of the workers' CPUs that neither they nor the reflector used.

        The kernel counts it in ticks, so a few hundredths may be chance.
        """
        own_ns = sum(worker.cpu_ns for worker in workers)
        if not self._apart:
            own_ns += sum(self._threads_ns())
        busy = busy_ns(STAT.read_text(), self._cpus) - self._busy_before_ns
        return max(0, busy - own_ns) / (self._elapsed_ns() * len(self._cpus))

    def _elapsed_ns(self) -> int:
        return time.monotonic_ns() - self._began_ns

    def _threads_ns(self) -> list[int]:
        before = self._threads_before
        return [ns - before.get(thread, 0) for thread, ns in self._threads().items()]

    def _threads(self) -> dict[int, int]:
        if self._tasks is None or not self._tasks.exists():
            return {}
        uses = [worker_use(int(task.name), self._tasks) for task in self._tasks.iterdir()]
        return {use.thread_id: use.cpu_ns for use in uses if use is not None}


def busy_ns(stat: str, cpus: set[int]) -> int:
    """Time that was not idle on these CPUs, ns, from the text of /proc/stat."""
    ticks = 0
    for line in stat.splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cpus:
            numbers = [int(field) for field in fields[:FIELDS]]
            ticks += sum(numbers) - sum(numbers[field] for field in IDLE_FIELDS)
    return ticks * TICK_NS


def is_crowded(workers: int, cpus: Sequence[int], other_threads: int) -> bool:
    """Whether workers have to wait for each other, or for other threads of ours.

    Args:
        workers: how many there are.
        cpus: one for each; empty: not pinned.
        other_threads: that run where workers run, unless these are pinned.
    """
    if cpus:
        return len(set(cpus)) < len(cpus)
    return workers + other_threads > len(os.sched_getaffinity(0))
