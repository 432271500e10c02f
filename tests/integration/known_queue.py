"""Levels against the reference engine's queue, and what each of their orders must have waited."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from cluster.analysis.observed import observe
from cluster.results.histogram import Histogram
from cluster.results.store import RunDirectory
from cluster.results.summary import LevelSummary
from fakes.command_line import only_run
from fakes.queues import (
    Law,
    Times,
    mean_wait,
    response_percentile,
    responses_s,
    schedule_s,
    service_times_s,
)
from integration.known_engine import run_against

SERVICE_S: Final = 500e-6  # long against what a small shared machine adds
QUIET: Final = (
    0.3  # the first level's load; its waiting is known, so the rest of its time is overhead
)
SEED: Final = 4
WARMUP_S: Final = 1


@dataclass(frozen=True)
class QueueLevel:
    """One level. Times in s; `overhead_s` is what client, network and engine add to each order."""

    load: float
    law: Law
    summary: LevelSummary
    measured: Histogram  # response times of the control window, ns
    simulated: Times  # of the same orders, from their schedule and service times
    overhead_s: float

    @property
    def measured_wait_s(self) -> float:
        """Mean wait: of the response time without service and overhead."""
        return (self.measured.mean or 0) / 1e9 - SERVICE_S - self.overhead_s

    @property
    def simulated_wait_s(self) -> float:
        """Mean wait of these very orders."""
        return float(self.simulated.mean()) - SERVICE_S

    @property
    def theory_wait_s(self) -> float:
        """Mean wait in the long run."""
        return mean_wait(self.law, self.load) * SERVICE_S

    @property
    def measured_p99_s(self) -> float:
        """99th percentile of the response time without overhead."""
        return (self.measured.percentile(99) or 0) / 1e9 - self.overhead_s

    @property
    def simulated_p99_s(self) -> float:
        """The same of these very orders."""
        return self.simulated_percentile_s(99)

    def simulated_percentile_s(self, percentile: float) -> float:
        """A percentile of the response time of these very orders."""
        return float(np.percentile(self.simulated, percentile, method="inverted_cdf"))

    @property
    def theory_p99_s(self) -> float:
        """The same in the long run."""
        return response_percentile(self.law, self.load, 99) * SERVICE_S

    def interval_s(self, name: str) -> tuple[float, float] | None:
        """The level's 95 % interval of a response time without overhead; None if it gives none."""
        told = self.summary.response_ns.intervals.get(name)
        if told is None or told.high is None:
            return None
        return told.low / 1e9 - self.overhead_s, told.high / 1e9 - self.overhead_s


def queue_levels(
    folder: Path, law: Law, loads: Sequence[float], control_s: int, ahead: bool
) -> list[QueueLevel]:
    """Load the queue with Poisson arrivals at a quiet level and then at each of `loads`."""
    folder.mkdir()
    rates = [load / SERVICE_S for load in (QUIET, *loads)]
    queue = ["--queue-ns", str(round(SERVICE_S * 1e9)), "--queue-law", law]
    summary = run_against(
        folder,
        *queue,
        "--queue-seed",
        str(SEED),
        "--reflect",
        ahead=ahead,
        agents={"count": 1, "workers": 1, "connections": 1},
        load={"rates_per_s": rates, "arrivals": "poisson", "seed": SEED, "timeout_s": 2},
        measure={
            "warmup_s": WARMUP_S,
            "warmup_at_most_s": WARMUP_S,
            "control_s": control_s,
            "drain_s": 1,
        },
    )
    records = RunDirectory.open(only_run(folder)).load_levels()
    services = service_times_s(law, SERVICE_S, SEED)
    found: list[QueueLevel] = []
    overhead_s = 0.0
    for load, level, record, rate in zip(
        (QUIET, *loads), summary.levels, records, rates, strict=True
    ):
        due = schedule_s(rate, SEED + (level.index << 32), level.orders.intended)
        counted = (due >= WARMUP_S) & (due < WARMUP_S + control_s)
        simulated = responses_s(due, services)[counted]
        measured = observe(record).control.response
        if not found:
            # Of the median order: a single pause is not what every order pays.
            overhead_s = (measured.percentile(50) or 0) / 1e9 - float(np.median(simulated))
        found.append(QueueLevel(load, law, level, measured, simulated, overhead_s))
    return found
