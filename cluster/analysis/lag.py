"""Whether the clients sent on time, and if they did not, whose fault it was."""

from dataclasses import dataclass
from typing import Final, Literal

from cluster.analysis.latency import percentile_of
from cluster.analysis.series import Samples, due, samples, sent
from cluster.analysis.windows import Merged
from cluster.results.histogram import Histogram
from cluster.results.level import LevelRecord
from cluster.units import NS_PER_MS, NS_PER_US

# The client is to blame for its share of the response time, which includes the send lag. A tenth of
# the p99, a fifth of the p99.9: engineering limits, of the order at which a conclusion about the
# engine changes.
LAG_SHARE_P99: Final = 0.1
LAG_SHARE_P99_9: Final = 0.2

# Below this a lag is the wake-up of a thread that sleeps until the next order is due: the kernel's
# timer slack is 50 µs for ordinary threads (PR_SET_TIMERSLACK in prctl(2)).
LAG_NOTICED_NS: Final = 50 * NS_PER_US
# Above this orders bunch: at 100,000/s a hundred arrive at once where one was meant.
LAG_INVALID_NS: Final = 1 * NS_PER_MS

# Caladan's load generator stops below 95 % of sends on time. Its 5 µs presume its own scheduler: on
# time here is within LAG_INVALID_NS, or a twentieth of the median response time if that is more.
ADHERENCE_INVALID: Final = 0.95
ON_TIME_SHARE: Final = 0.05

# The kernel's share of sending time in which the engine's receive window was closed, beyond which
# orders wait in the client because the engine does not read.
BACK_PRESSURE_RWND: Final = 0.1
IN_FLIGHT_BOUND_RATIO: Final = 0.95

# A client that looks at its sockets so much more often than it is late is not late for want of a
# CPU: they did not take what it had.
GAP_SHARE: Final = 0.25
WORKER_BUSY: Final = 0.9
WORKER_IDLE: Final = 0.5

Fault = Literal["client", "engine"]  # engine: whatever is beyond the clients' sockets
HeldBy = Literal["", "in flight", "receive window", "sockets"]


@dataclass(frozen=True)
class Lag:
    """How late orders were sent in a window."""

    p99_ns: int | None
    share_p99: float | None  # of the response time's p99; None: not known
    share_p99_9: float | None
    on_time_ns: int  # what counts as on time
    on_time_ratio: float | None  # sent so
    unsent: int  # in the window, though the level went on and no connection was lost
    late: bool  # beyond what leaves the measurement valid
    noticeable: bool  # makes a share of the response time that must be said
    fault: Fault | None  # whose the lag is, if late or noticeable
    rwnd_limited_ratio: float | None
    in_flight_bound: bool  # the clients' own limit of unanswered orders was reached
    held_by: HeldBy = ""  # what kept orders in the clients, if it was not themselves
    own: bool = False  # the clients' own doing beyond doubt: they looked late, or had no CPU
    missed: bool = False  # so, and more than single orders


def send_lag(record: LevelRecord, window: Merged) -> Lag:
    """Judge the send lag of a window against the response time."""
    unsent = _unsent(record, window)
    lag_p99, _ = percentile_of(window.send_lag, 99, unsent)
    share_99 = _share(window, 99)
    share_999 = _share(window, 99.9)
    on_time_ns = _on_time_ns(window)
    on_time = _on_time_ratio(window, unsent, on_time_ns)
    rwnd = rwnd_limited_ratio(record)
    bound = _in_flight_bound(record, window)
    late = (
        _beyond(lag_p99, share_99, LAG_SHARE_P99, LAG_INVALID_NS)
        or (on_time is not None and on_time < ADHERENCE_INVALID)
        or unsent > 0
    )
    noticeable = _beyond(lag_p99, share_99, LAG_SHARE_P99, LAG_NOTICED_NS) or _beyond(
        percentile_of(window.send_lag, 99.9)[0], share_999, LAG_SHARE_P99_9, LAG_NOTICED_NS
    )
    fault: Fault | None = None
    held_by: HeldBy = ""
    if late or noticeable:
        held_by = _held_by(record, window, lag_p99, rwnd, bound=bound)
        fault = "engine" if held_by else "client"
    own = fault == "client" and (
        bool(_poll_gaps(record, window).total) or not _workers_had_time(record, WORKER_IDLE)
    )
    return Lag(
        p99_ns=lag_p99,
        share_p99=share_99,
        share_p99_9=share_999,
        on_time_ns=on_time_ns,
        on_time_ratio=on_time,
        unsent=unsent,
        late=late,
        noticeable=noticeable,
        fault=fault,
        rwnd_limited_ratio=rwnd,
        in_flight_bound=bound,
        held_by=held_by,
        own=own,
        missed=own and _more_than_single(on_time, unsent),
    )


def _more_than_single(on_time: float | None, unsent: int) -> bool:
    return unsent > 0 or (on_time is not None and on_time < ADHERENCE_INVALID)


def _held_by(
    record: LevelRecord, window: Merged, lag_p99: int | None, rwnd: float | None, *, bound: bool
) -> HeldBy:
    if (rwnd or 0) >= BACK_PRESSURE_RWND:
        return "receive window"
    if bound:
        return "in flight"
    longest, _ = percentile_of(_poll_gaps(record, window), 99.9)
    looked = longest is not None and lag_p99 is not None and longest <= GAP_SHARE * lag_p99
    return "sockets" if looked and _workers_had_time(record, WORKER_BUSY) else ""


def _poll_gaps(record: LevelRecord, window: Merged) -> Histogram:
    return Histogram.sum(
        activity.poll_gap
        for agent in record.agents
        for activity in agent.activity
        if activity.index in window.seconds
    )


def _workers_had_time(record: LevelRecord, busy: float) -> bool:
    """Whether no worker wanted a CPU for `busy` of the time.

    A worker that has overdue orders and a CPU sleeps only while its sockets take no more.
    """
    sending_ns = record.sending_ended_ns - record.start_ns
    wanted = [
        worker.cpu_ns + worker.run_queue_wait_ns
        for agent in record.agents
        for worker in agent.workers
    ]
    return bool(wanted) and max(wanted) < busy * sending_ns


def _share(window: Merged, percentile: float) -> float | None:
    lag, _ = percentile_of(window.send_lag, percentile)
    response, _ = percentile_of(window.response, percentile)
    return lag / response if lag is not None and response else None


def _beyond(lag_ns: int | None, share: float | None, share_max: float, floor_ns: int) -> bool:
    return lag_ns is not None and lag_ns > floor_ns and (share is None or share > share_max)


def _on_time_ns(window: Merged) -> int:
    median, _ = percentile_of(window.response, 50)
    return max(LAG_INVALID_NS, round(ON_TIME_SHARE * (median or 0)))


def _on_time_ratio(window: Merged, unsent: int, on_time_ns: int) -> float | None:
    due_orders = window.send_lag.total + unsent
    if not due_orders:
        return None
    return window.send_lag.count_at_or_below(on_time_ns) / due_orders


def _unsent(record: LevelRecord, window: Merged) -> int:
    """Orders the clients left unsent of their own accord.

    When a level ends early, or the engine closes connections, orders stay unsent for that reason.
    """
    return 0 if record.ended_early or window.orders.lost else window.orders.unsent


def rwnd_limited_ratio(record: LevelRecord) -> float | None:
    """Share of sending time in which the engine's receive window was closed, of all agents."""
    stats = [agent.tcp for agent in record.agents if agent.tcp is not None]
    busy_us = sum(tcp.busy_us for tcp in stats)
    return sum(tcp.rwnd_limited_us for tcp in stats) / busy_us if busy_us else None


def sndbuf_limited_ratio(record: LevelRecord) -> float | None:
    """Share of sending time in which the client's own send buffer was full, of all agents."""
    stats = [agent.tcp for agent in record.agents if agent.tcp is not None]
    busy_us = sum(tcp.busy_us for tcp in stats)
    return sum(tcp.sndbuf_limited_us for tcp in stats) / busy_us if busy_us else None


def _in_flight_bound(record: LevelRecord, window: Merged) -> bool:
    """Whether orders waited because as many were unanswered as the clients allow themselves."""
    if record.in_flight_max is None or not record.agents:
        return False
    share = record.in_flight_max / len(record.agents)
    if any(_reached(agent, window, share) for agent in samples(record)):
        return True
    # Samples fall between an answer and the order that takes its place; the mean does not. Little's
    # law gives it: orders in flight are the service times of all orders over the time of sending.
    late = [s.progress[-1] for s in samples(record) if due(s.progress[-1]) > sent(s.progress[-1])]
    return bool(late) and _mean_in_flight(record) >= IN_FLIGHT_BOUND_RATIO * record.in_flight_max


def _mean_in_flight(record: LevelRecord) -> float:
    service = Histogram.sum(i.service for agent in record.agents for i in agent.intervals)
    sending_ns = record.sending_ended_ns - record.start_ns
    return (service.mean or 0) * service.total / sending_ns if sending_ns > 0 else 0.0


def _reached(agent: Samples, window: Merged, bound: float) -> bool:
    inside = [
        sample
        for elapsed, sample in zip(agent.elapsed_s, agent.progress, strict=True)
        if window.seconds.start <= elapsed <= window.seconds.stop
    ]
    full = [s for s in inside if s.in_flight >= IN_FLIGHT_BOUND_RATIO * bound and due(s) > sent(s)]
    return bool(inside) and 2 * len(full) >= len(inside)
