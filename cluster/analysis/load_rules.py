"""Findings about the load: was it offered on time, as planned, and did the engine keep up?"""

import math
from typing import Final

import numpy as np

from cluster.analysis.clients.lag import Lag
from cluster.analysis.finding import finding
from cluster.analysis.observed import Observed
from cluster.analysis.series import due, mean_rate, samples, total_at, waiting
from cluster.analysis.steady.trend import rising
from cluster.experiment.model import Bursts, Hawkes
from cluster.results.finding import Finding, Severity
from cluster.results.level import LevelRecord
from cluster.units import NS_PER_S, format_ns, format_rate

# Achieved against offered rate. Lancet (USENIX ATC 2019) accepts 10 %, at which the engine may be
# overloaded already; with exact counts 1 % can be told.
RATE_TOLERANCE: Final = 0.01
POISSON_SIGMAS: Final = 4  # chance beyond: 6 in 100,000

# A capture that begins in mid-session names orders from before; a hundredth is more than a tail.
UNKNOWN_NOTICED: Final = 0.01

# Orders that pile up, over those offered in the same time. A stable queue wanders by far less, and
# an engine that misses the rate by a thousandth has no steady state either.
PILE_UP_RATIO: Final = 0.001
PILE_UP_ORDERS: Final = 10  # at low rates: a handful is chance


def schedule_kept(seen: Observed) -> Finding | None:
    """The clients sent on time, or how late, and whose fault it was.

    Every client is judged by itself, too: the lag of one of many is nothing in that of all.
    """
    if seen.lag is None:
        return None
    each = [pair for pair in _each(seen) if _is_told(pair[0])]
    everyone = [(seen.lag, "The clients")] if _is_told(seen.lag) else []
    if not each and not everyone:
        return None
    # Where it is the lag of a few, they are named.
    told = each + everyone if 2 * len(each) <= len(seen.agents) else everyone + each
    # What is worst comes first: late and the client's, late, noticeable.
    lag, who = min(told, key=lambda pair: (not pair[0].late, pair[0].fault != "client"))
    if lag.fault == "engine":
        return finding(
            seen,
            Severity.WARNING,
            "engine-pushed-back",
            f"Orders waited in {_small(who)} because the engine or the way to it took no more: "
            f"{_late_by(lag)}, {_pushed_back_by(lag)}.",
            "Response times include this wait and depend on how long the load lasts. "
            "Offer less to measure them.",
        )
    if not lag.late:
        return finding(
            seen,
            Severity.WARNING,
            "client-lag-in-response",
            f"The lateness of {_small(who)} is part of the response times: {_late_by(lag)}.",
            "Read service times beside response times, or give the clients CPUs of their own "
            "(`cpus`) and `wait: spin`.",
        )
    return finding(
        seen,
        Severity.INVALID,
        "client-behind-schedule",
        f"{who} could not keep to the schedule: {_late_by(lag)}.",
        "What was measured is the clients. Use more load hosts or workers, pin them to CPUs of "
        "their own (`cpus`), or use `wait: spin`.",
    )


def _is_told(lag: Lag) -> bool:
    return lag.late or lag.noticeable


def _each(seen: Observed) -> list[tuple[Lag, str]]:
    """Each client's lag, the latest first."""
    if len(seen.agents) == 1:
        return []
    own = [
        (window.lag, f"{window.agent.agent} on {window.agent.host} (1 of {len(seen.agents)})")
        for window in seen.agents
        if window.lag is not None
    ]
    return sorted(own, key=lambda pair: -(pair[0].p99_ns or 0))


def _small(who: str) -> str:
    return who[0].lower() + who[1:]


def _late_by(lag: Lag) -> str:
    parts = []
    if lag.p99_ns is not None:
        share = f", {lag.share_p99:.0%} of the p99 response time" if lag.share_p99 else ""
        parts.append(f"send lag p99 {format_ns(lag.p99_ns)}{share}")
    limit_ns, ratio = lag.on_time_ns, lag.on_time_ratio
    if lag.late:
        limit_ns, ratio = lag.bound_ns, lag.within_bound_ratio
    if ratio is not None:
        parts.append(f"{ratio:.2%} sent within {format_ns(limit_ns)}")
    if lag.unsent:
        parts.append(f"{lag.unsent:,} orders never sent")
    return ", ".join(parts)


def _pushed_back_by(lag: Lag) -> str:
    if lag.held_by == "sockets":
        return "though the clients looked in time: their sockets took no more"
    if lag.held_by == "in flight":
        return "with as many orders unanswered as `in_flight_max` allows"
    return f"with its receive window closed {lag.rwnd_limited_ratio or 0:.0%} of the sending time"


def chance(record: LevelRecord, planned: float, sigmas: float = POISSON_SIGMAS) -> float:
    """By how many orders a schedule may be off in a window that holds `planned`."""
    law = record.level.law
    poisson = sigmas * math.sqrt(planned)
    if isinstance(law, Hawkes):
        return law.spread * poisson
    within = law.within if isinstance(law, Bursts) else record.level.arrivals
    # A constant schedule may be off by one order at each end of the window, for every agent.
    return poisson if within == "poisson" else 2 * len(record.agents)


def offered_as_planned(seen: Observed) -> Finding | None:
    """As many orders were due as the level's rate says."""
    rate, seconds = seen.record.level.offered_per_s, len(seen.control.seconds)
    if rate is None or not seconds:
        return None
    planned, intended = rate * seconds, seen.control.orders.intended
    if abs(intended - planned) <= RATE_TOLERANCE * planned + chance(seen.record, planned):
        return None
    return finding(
        seen,
        Severity.INVALID,
        "offered-off-plan",
        f"{intended:,} orders were due in {seconds} s where {format_rate(rate)} is {planned:,.0f}.",
        "Agents may have been lost or started apart: see events.jsonl.",
    )


def _pile_up(record: LevelRecord) -> float:
    """So many orders may wait at a moment without a queue that grows."""
    level = record.level
    if not isinstance(level.law, Bursts) or level.offered_per_s is None:
        return PILE_UP_ORDERS
    # A burst may wait until the pause after it; samples fall anywhere in both.
    return max(PILE_UP_ORDERS, level.offered_per_s * level.law.period_ns / NS_PER_S)


def replay_fed(seen: Observed) -> Finding | None:
    """A file's orders reached the workers before they were due."""
    late, orders = _counted(seen, "replay_starved"), _intended(seen)
    if not late:
        return None
    return finding(
        seen,
        Severity.INVALID,
        "replay-starved",
        f"The clients could not read the file fast enough: {late:,} of {orders:,} orders reached "
        "their worker only after they were due.",
        "They kept their intended times, so response times include this wait. Use Parquet instead "
        "of CSV, a faster disk, a lower speed, or more CPUs on the load hosts.",
    )


def replay_references_known(seen: Observed) -> Finding | None:
    """The file's replaces and cancels name orders that are living in it."""
    unknown, orders = _counted(seen, "replay_unknown_reference"), _intended(seen)
    if not unknown:
        return None
    share = unknown / (unknown + orders)
    return finding(
        seen,
        Severity.WARNING if share > UNKNOWN_NOTICED else Severity.NOTE,
        "replay-unknown-reference",
        f"{unknown:,} rows of the file ({share:.1%}) were skipped: they replace or cancel an order "
        "that the file does not enter before, or that was cancelled or could not rest.",
        "The engine was spared these requests. A file cut out of a longer one begins so; else see "
        "`order_flow.replay.columns` and `living_orders_max`.",
    )


def _counted(seen: Observed, kind: str) -> int:
    return sum(agent.errors.get(kind, 0) for agent in seen.record.agents)


def _intended(seen: Observed) -> int:
    return sum(agent.orders.intended for agent in seen.record.agents)


def rate_reached(seen: Observed) -> Finding | None:
    """As many orders were answered as were due in the same seconds."""
    if seen.closed_loop:
        return None
    window = seen.control.seconds
    offered = mean_rate(samples(seen.record), window.start, window.stop, due)
    achieved = seen.throughput.mean
    if not offered or achieved is None:
        return None
    missing = 1 - achieved / offered
    # A few orders due just before the window's end are answered after it.
    if missing <= RATE_TOLERANCE + _pile_up(seen.record) / (offered * len(window)):
        return None
    return finding(
        seen,
        Severity.INVALID,
        "rate-not-reached",
        f"{format_rate(offered)} were offered and {format_rate(achieved)} answered "
        f"({missing:.1%} less).",
        "The engine, the network or the clients can't sustain this rate: its percentiles describe "
        "a growing queue. The verdict says which.",
    )


def stable(seen: Observed) -> Finding | None:
    """Unanswered orders, in flight and still in the clients, do not pile up."""
    if seen.closed_loop:
        return None
    agents = samples(seen.record)
    start = seen.windows.control.start
    stop = max(seen.windows.control.stop, seen.windows.profile.stop)
    if not agents or stop <= start:
        return None
    times = agents[0].elapsed_s
    times = times[(times >= start) & (times <= stop + 0.5)]
    trend = rising(times, total_at(agents, times, waiting))
    offered = mean_rate(agents, start, stop, due)
    if trend is None or not trend.significant or not offered:
        return None
    grown = trend.slope_per_s * float(np.ptp(times))
    if trend.slope_per_s < PILE_UP_RATIO * offered or grown < _pile_up(seen.record):
        return None
    return finding(
        seen,
        Severity.INVALID,
        "unstable-at-this-rate",
        f"Unanswered orders piled up by {format_rate(trend.slope_per_s)}: there is no steady "
        f"state at {format_rate(offered)}.",
        "Its percentiles depend on how long the load lasts. Offer less to measure them.",
    )
