"""Calibrates one load host: its own clients against a reflector that answers at once.

The floor is the service time at a low rate; the clean rate is the highest that goes out on time.
Orders are orderwire's whatever the experiment speaks, and due as a Poisson process.
"""

import math
import time
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Final

from cluster.analysis.clients.clean_rate import (
    Bound,
    CleanRate,
    Trial,
    bound_of,
    highest_clean_rate,
)
from cluster.analysis.clients.lag import IN_FLIGHT_BOUND_RATIO
from cluster.analysis.uncertainty.latency import latency
from cluster.analysis.windows import merge_intervals
from cluster.errors import ClusterError
from cluster.experiment.model import OrderFlow
from cluster.experiment.plan import AgentShare
from cluster.fleet.calibration_spec import CalibrationSpec, Reflector, Shape
from cluster.fleet.cpu_use import CpuUse, is_crowded
from cluster.fleet.reflector import loopback_reflector
from cluster.fleet.spec import LoadSpec, WireSpec
from cluster.results.summary import Calibration
from cluster.units import NS_PER_S

if TYPE_CHECKING:
    from cluster.fleet.agent import Agent

LONGEST_S: Final = 8.0  # of one calibration, the reflector's start included
FLOOR_S: Final = 1.0
FLOOR_PER_S: Final = 1_000.0
TRIAL_S: Final = 0.4
TRIAL_AT_MOST_S: Final = 0.9  # with connecting, and answers that come late
GUESS_PER_S: Final = 200_000.0  # of one worker
DRAIN_S: Final = 0.3
OTHERS_TOO_MANY: Final = 0.3  # of the workers' CPUs: any rate would tell of those others
LEAD_NS: Final = 5_000_000  # until the first order is due: the workers are there by then
LOOK_NS: Final = 30_000_000  # before the last order is due: the kernel forgets threads that end

WHY_NONE: Final = {
    "client": "the clients were the limit",
    "reflector": "the reflector was the limit",
    "other load": "something else used the host's CPUs",
    "time": "there was no time to try one",
}


class Cancelled(ClusterError):
    """The agent was closed while it calibrated its host."""


def calibrate(spec: CalibrationSpec, client: "Agent", cancelled: Event) -> Calibration:
    """Measure the floor and the highest clean rate, within `LONGEST_S`.

    Args:
        spec: what is asked for.
        client: a load client that does nothing else; it is closed at the end.
        cancelled: set by another thread to end it after the trial that runs.

    Raises:
        ClusterError: the reflector did not start or can't be reached; or `cancelled`.
    """
    deadline = time.monotonic() + LONGEST_S
    try:
        if spec.reflector is not None:
            return _Ladder(client, spec, spec.reflector, deadline, cancelled).climb()
        with loopback_reflector(spec.shape, max_s=2 * LONGEST_S) as reflector:
            return _Ladder(client, spec, reflector, deadline, cancelled).climb()
    finally:
        client.close()


class _Ladder:
    def __init__(
        self,
        client: "Agent",
        spec: CalibrationSpec,
        reflector: Reflector,
        deadline: float,
        cancelled: Event,
    ) -> None:
        self._client = client
        self._spec = spec
        self._shape = spec.shape
        self._reflector = reflector
        self._deadline = deadline
        self._cancelled = cancelled

    def climb(self) -> Calibration:
        floor = self._floor()
        service = latency(floor.window.service, floor.window.unanswered)
        others = floor.others_ratio or 0
        if others > OTHERS_TOO_MANY:
            found = CleanRate(None, "other load")
            why = f"no rate was tried: something else used {min(others, 1):.0%} of the CPUs"
        else:
            guess = GUESS_PER_S * self._shape.workers
            found = highest_clean_rate(self._bound_at, guess, self._may_go_on)
            why = f"no rate that was tried went out on time: {WHY_NONE[found.bound_by]}"
        clean = found.rate_per_s
        return Calibration(
            host=self._spec.host,
            against=self._spec.against,
            measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
            floor_p50_ns=service.p50,
            floor_p99_ns=service.p99,
            clean_rate_per_s=None if clean is None else clean / self._shape.agents,
            not_measured=why if clean is None else "",
            agents=self._shape.agents,
            bound_by=found.bound_by,
        )

    def _floor(self) -> Trial:
        tries = [self._try(FLOOR_PER_S, FLOOR_S)]
        if tries[0].disturbed:
            tries.append(self._try(FLOOR_PER_S, FLOOR_S))
        return min(tries, key=lambda trial: trial.window.service.percentile(99) or math.inf)

    def _may_go_on(self) -> bool:
        if self._cancelled.is_set():
            raise Cancelled("the calibration was cancelled")
        return time.monotonic() + TRIAL_AT_MOST_S < self._deadline

    def _bound_at(self, rate_per_s: float) -> Bound | None:
        return bound_of(self._try(rate_per_s, TRIAL_S))

    def _try(self, rate_per_s: float, seconds: float) -> Trial:
        client, duration_ns = self._client, round(seconds * NS_PER_S)
        client.prepare(_load(self._shape, self._reflector, rate_per_s, duration_ns))
        client.connect(NS_PER_S)
        use = CpuUse(self._shape.cpus, self._reflector.pid)
        start_ns = client.clock_ns() + LEAD_NS
        client.start_at(start_ns)
        time.sleep(max(0, start_ns + duration_ns - LOOK_NS - client.clock_ns()) / NS_PER_S)
        polled = client.poll()
        reflector_busy_ratio = use.reflector_busy_ratio()
        closing = client.finish(round(2 * DRAIN_S * NS_PER_S))
        progress = polled.progress
        intervals = [*polled.intervals, *closing.poll.intervals]
        waits = [worker.run_queue_wait_ns / duration_ns for worker in closing.workers]
        due = progress.orders.intended
        full = progress.in_flight >= IN_FLIGHT_BOUND_RATIO * self._shape.in_flight_max
        tcp = closing.tcp
        return Trial(
            window=merge_intervals(intervals),
            answered_ratio=progress.orders.answered / due if due else 0.0,
            in_flight_bound=full and progress.backlog > 0,
            rwnd_limited_ratio=tcp.rwnd_limited_us / tcp.busy_us if tcp and tcp.busy_us else None,
            reflector_busy_ratio=reflector_busy_ratio,
            run_queue_ratio=max(waits, default=None),
            others_ratio=use.others_ratio(closing.workers),
            crowded=is_crowded(self._shape.workers, self._shape.cpus, self._reflector.threads),
        )


def _load(shape: Shape, to: Reflector, rate_per_s: float, duration_ns: int) -> LoadSpec:
    share = AgentShare(
        agent="calibration",
        index=0,
        rate_per_s=rate_per_s,
        in_flight=0,
        phase=0.0,
        connections=shape.connections,
        workers=shape.workers,
        cpus=shape.cpus,
    )
    drain_ns = round(DRAIN_S * NS_PER_S)
    return LoadSpec(
        address=to.address,
        port=to.port,
        share=share,
        arrivals="poisson",
        law=None,
        duration_ns=duration_ns,
        timeout_ns=drain_ns,
        drain_ns=drain_ns,
        lease_ns=2 * NS_PER_S,
        seed=1,
        spin=shape.spin,
        in_flight_max=shape.in_flight_max,
        flow=OrderFlow(),
        wire=WireSpec(
            plan_text="",  # orderwire's
            secrets={},
            first_id=1,
            ids_per_connection=0,
            first_client=0,
            refusals={},
        ),
        authorized=to.authorized,
    )
