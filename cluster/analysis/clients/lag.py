"""Whether the clients sent on time, and if they did not, whose fault it was."""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from scipy.special import bdtrc

from cluster.analysis.series import Samples, due, samples, sent
from cluster.analysis.uncertainty.latency import percentile_of
from cluster.analysis.windows import Merged, merge
from cluster.results.agent import AgentResult
from cluster.results.histogram import Histogram
from cluster.results.level import LevelRecord
from cluster.units import NS_PER_MS, NS_PER_S, NS_PER_US

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

# On time is within a twentieth of the median response time, which changes no conclusion, or within
# LAG_NOTICED_NS if that is more. Caladan's 5 µs presume its own scheduler. Its load generator stops
# below 95 % of sends on time; here an order counts as late for that beyond LAG_INVALID_NS only, or
# the same twentieth.
ADHERENCE_INVALID: Final = 0.95
ON_TIME_SHARE: Final = 0.05
# Of a few orders a few are late by chance: more must be than a client of 95 % has at 1 %.
ADHERENCE_ALPHA: Final = 0.01

# The kernel's share of sending time in which the engine's receive window was closed, beyond which
# orders wait in the client because the engine does not read.
BACK_PRESSURE_RWND: Final = 0.1
IN_FLIGHT_BOUND_RATIO: Final = 0.95

# Orders due in a pause of the client are late by as much, so a hundredth of them can be later than
# the p99 only if pauses of about that length are a hundredth of the time. If they are less, the
# client looked in time, and its sockets did not take what it had.
GAP_SHARE: Final = 0.25  # of the p99: late orders that catch up make others late
PAUSED_TIME_MIN: Final = 0.01
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
    bound_ns: int  # later than this an order is late whatever for
    within_bound_ratio: float | None  # sent earlier
    unsent: int  # in the window, though the level went on and no connection was lost
    late: bool  # beyond what leaves the measurement valid
    noticeable: bool  # makes a share of the response time that must be said
    fault: Fault | None  # whose the lag is, if late or noticeable
    rwnd_limited_ratio: float | None
    in_flight_bound: bool  # the clients' own limit of unanswered orders was reached
    held_by: HeldBy = ""  # what kept orders in the clients, if it was not themselves
    own: bool = False  # the clients' own doing beyond doubt: they looked late, or had no CPU
    missed: bool = False  # so, and more than single orders


@dataclass(frozen=True)
class Doings:
    """What clients did while they sent."""

    poll_gaps: Histogram  # one look at the sockets to the next
    wanted_ratio: float | None  # on a CPU or waiting for one, the busiest worker; None: not known
    worker_ns: int  # the time of all workers together in which the looks were taken

    def had_time(self, busy: float) -> bool:
        """Whether no worker wanted a CPU for `busy` of the time.

        A worker that has overdue orders and a CPU sleeps only while its sockets take no more.
        """
        return self.wanted_ratio is not None and self.wanted_ratio < busy

    def explain(self, lag_p99_ns: int | None) -> bool:
        """Whether pauses of the clients may have made so much lag; so, too, where none are known.

        Where more than a hundredth was never sent, the p99 has no bound.
        """
        lag_ns = NS_PER_S if lag_p99_ns is None else lag_p99_ns
        if not self.poll_gaps.total or lag_ns <= LAG_NOTICED_NS:
            return True
        long = self.poll_gaps.values_ns > GAP_SHARE * lag_ns
        paused_ns = float(
            np.sum(self.poll_gaps.values_ns[long] * 1.0 * self.poll_gaps.counts[long])
        )
        return paused_ns >= PAUSED_TIME_MIN * self.worker_ns


@dataclass(frozen=True)
class AgentWindow:
    """One agent in a window: its orders, and how late it sent them."""

    agent: AgentResult
    own: Merged
    lag: Lag | None  # None when closed-loop


def agent_windows(record: LevelRecord, seconds: range) -> tuple[AgentWindow, ...]:
    """Each agent by itself: one late client of many is not to be seen in what all sent."""
    return tuple(_agent_window(record, agent, seconds) for agent in record.agents)


def _agent_window(record: LevelRecord, agent: AgentResult, seconds: range) -> AgentWindow:
    own = merge([agent], seconds)
    if record.level.arrivals == "closed":
        return AgentWindow(agent, own, None)
    bound = record.in_flight_max
    alone = replace(
        record,
        agents=(agent,),
        progress={agent.agent: record.progress.get(agent.agent, ())},
        in_flight_max=bound // len(record.agents) if bound is not None else None,
    )
    return AgentWindow(agent, own, send_lag(alone, own, ADHERENCE_ALPHA / len(record.agents)))


def send_lag(record: LevelRecord, window: Merged, alpha: float = ADHERENCE_ALPHA) -> Lag:
    """Judge the send lag of a level's window, or of one agent's as if it were the level."""
    return judge_lag(
        window,
        unsent=_unsent(record, window),
        rwnd_limited_ratio=rwnd_limited_ratio(record),
        in_flight_bound=_in_flight_bound(record, window),
        doings=_doings(record, window),
        alpha=alpha,
    )


def judge_lag(
    window: Merged,
    *,
    unsent: int,
    rwnd_limited_ratio: float | None,
    in_flight_bound: bool,
    doings: Doings,
    alpha: float = ADHERENCE_ALPHA,
) -> Lag:
    """Judge send lag against response time, by one rule for levels and for calibration.

    Args:
        window: what was recorded.
        unsent: orders due in it that the clients left unsent of their own accord.
        rwnd_limited_ratio: share of sending time in which the receiver's window was closed.
        in_flight_bound: as many orders were unanswered as the clients allow themselves.
        doings: of the clients meanwhile.
        alpha: the chance with which a client of 95 % on time may be told late.
    """
    lag_p99, _ = percentile_of(window.send_lag, 99, unsent)
    share_99 = _share(window, 99)
    share_999 = _share(window, 99.9)
    on_time_ns = _twentieth_or(LAG_NOTICED_NS, window)
    bound_ns = _twentieth_or(LAG_INVALID_NS, window)
    within_bound = _ratio_within(window, unsent, bound_ns)
    late = (
        _beyond(lag_p99, share_99, LAG_SHARE_P99, LAG_INVALID_NS)
        or _adherence_broken(window, unsent, within_bound, alpha)
        or unsent > 0
    )
    noticeable = _beyond(lag_p99, share_99, LAG_SHARE_P99, LAG_NOTICED_NS) or _beyond(
        percentile_of(window.send_lag, 99.9)[0], share_999, LAG_SHARE_P99_9, LAG_NOTICED_NS
    )
    fault: Fault | None = None
    held_by: HeldBy = ""
    if late or noticeable:
        held_by = _held_by(lag_p99, rwnd_limited_ratio, doings, bound=in_flight_bound)
        fault = "engine" if held_by else "client"
    own = fault == "client" and (bool(doings.poll_gaps.total) or not doings.had_time(WORKER_IDLE))
    return Lag(
        p99_ns=lag_p99,
        share_p99=share_99,
        share_p99_9=share_999,
        on_time_ns=on_time_ns,
        on_time_ratio=_ratio_within(window, unsent, on_time_ns),
        bound_ns=bound_ns,
        within_bound_ratio=within_bound,
        unsent=unsent,
        late=late,
        noticeable=noticeable,
        fault=fault,
        rwnd_limited_ratio=rwnd_limited_ratio,
        in_flight_bound=in_flight_bound,
        held_by=held_by,
        own=own,
        missed=own and (unsent > 0 or _adherence_broken(window, unsent, within_bound, alpha)),
    )


def _held_by(lag_p99: int | None, rwnd: float | None, doings: Doings, *, bound: bool) -> HeldBy:
    if (rwnd or 0) >= BACK_PRESSURE_RWND:
        return "receive window"
    if bound:
        return "in flight"
    return "" if doings.explain(lag_p99) or not doings.had_time(WORKER_BUSY) else "sockets"


def _doings(record: LevelRecord, window: Merged) -> Doings:
    sending_ns = record.sending_ended_ns - record.start_ns
    wanted = [
        (worker.cpu_ns + worker.run_queue_wait_ns) / sending_ns
        for agent in record.agents
        for worker in agent.workers
        if sending_ns > 0
    ]
    gaps = Histogram.sum(
        activity.poll_gap
        for agent in record.agents
        for activity in agent.activity
        if activity.index in window.seconds
    )
    workers = sum(len(agent.workers) for agent in record.agents)
    return Doings(gaps, max(wanted, default=None), workers * len(window.seconds) * NS_PER_S)


def _share(window: Merged, percentile: float) -> float | None:
    lag, _ = percentile_of(window.send_lag, percentile)
    response, _ = percentile_of(window.response, percentile)
    return lag / response if lag is not None and response else None


def _beyond(lag_ns: int | None, share: float | None, share_max: float, floor_ns: int) -> bool:
    return lag_ns is not None and lag_ns > floor_ns and (share is None or share > share_max)


def _twentieth_or(least_ns: int, window: Merged) -> int:
    median, _ = percentile_of(window.response, 50)
    return max(least_ns, round(ON_TIME_SHARE * (median or 0)))


def _ratio_within(window: Merged, unsent: int, limit_ns: int) -> float | None:
    due_orders = window.send_lag.total + unsent
    if not due_orders:
        return None
    return window.send_lag.count_at_or_below(limit_ns) / due_orders


def _adherence_broken(window: Merged, unsent: int, ratio: float | None, alpha: float) -> bool:
    if ratio is None or ratio >= ADHERENCE_INVALID:
        return False
    orders = window.send_lag.total + unsent
    late = round((1 - ratio) * orders)
    return bool(bdtrc(late - 1, orders, 1 - ADHERENCE_INVALID) < alpha)


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
