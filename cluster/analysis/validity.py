"""What the reader must know about a level: each rule gives a finding or stays silent.

docs/measurement.md lists every code with its limit and where that comes from.
"""

import math
from collections.abc import Sequence
from typing import Final

from cluster.analysis import closed_loop_rules as closed_loop
from cluster.analysis import environment_rules as environment
from cluster.analysis import load_rules as load
from cluster.analysis.books import audit, is_open
from cluster.analysis.clients import client_host_rules as host
from cluster.analysis.clients import client_rules as clients
from cluster.analysis.clients.calibration import within_calibrated_rate
from cluster.analysis.finding import finding
from cluster.analysis.observed import Observed
from cluster.analysis.reply_rules import reply_findings
from cluster.analysis.steady import length_rules as lengths
from cluster.analysis.steady.steadiness import steadiness, steadiness_findings
from cluster.analysis.uncertainty.intervals import percentile_dependence
from cluster.analysis.uncertainty.latency import UNSTABLE, orders_needed, percentile_of
from cluster.analysis.uncertainty.pieces import RESPONSE
from cluster.results.finding import Finding, Severity
from cluster.results.summary import Calibration, Steadiness

# At the default, one order in a hundred without an answer ends the rise (abort.error_ratio).
UNANSWERED_INVALID: Final = 0.01


def unstable_reason(seen: Observed) -> str:
    """Why a level has no steady state, for the figures that it therefore lacks; empty: it may."""
    unstable = load.stable(seen)
    return f"{UNSTABLE}: {_as_clause(unstable.message)}" if unstable else ""


def _as_clause(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def findings(
    seen: Observed,
    unanswered_max: float = UNANSWERED_INVALID,
    steady: Steadiness | None = None,
    calibrations: Sequence[Calibration] = (),
) -> list[Finding]:
    """Everything to be known about a level, what makes it invalid first.

    Args:
        seen: the level.
        unanswered_max: share of sent orders without an answer that makes a level invalid.
        steady: its steadiness, if that was judged already.
        calibrations: what the load hosts can do by themselves.
    """
    unstable = unstable_reason(seen)
    found = [
        *audit(seen.record),
        *agents_lost(seen),
        orders_open(seen),
        ended_early(seen),
        orders_unanswered(seen, unanswered_max),
        load.schedule_kept(seen),
        load.offered_as_planned(seen),
        clients.shares_due(seen),
        clients.shares_sent(seen),
        *clients.arrivals_by_law(seen),
        *clients.tail_is_shared(seen),
        load.replay_fed(seen),
        load.replay_references_known(seen),
        load.rate_reached(seen),
        load.stable(seen),
        closed_loop.waiting_hidden(seen),
        environment.engine_has_cpu(seen),
        environment.client_has_cpu(seen),
        environment.host_has_cpu(seen),
        host.client_polls(seen),
        host.client_keeps_its_cpu(seen),
        host.host_is_quiet(seen),
        host.hypervisor_spares_client(seen),
        environment.network_keeps_packets(seen),
        environment.profiler_is_quiet(seen),
        lengths.warm_up_over(seen),
        lengths.known_well_enough(seen),
        *steadiness_findings(seen, steady or steadiness(seen, unstable), unstable),
        within_calibrated_rate(seen, calibrations),
        *reply_findings(seen),
        enough_orders(seen),
    ]
    order = list(Severity)
    return sorted((f for f in found if f), key=lambda f: order.index(f.severity))


def agents_lost(seen: Observed) -> list[Finding]:
    """Every agent stayed to the end: a lost one's share of the load was missing from then on."""
    return [
        finding(
            seen,
            Severity.INVALID,
            "agent-lost",
            f"{agent.agent} on {agent.host} was lost after {_seconds_of(agent.intervals)} s: "
            f"{agent.lost}. Its share was not given to others; data of all agents count up to "
            "there.",
            "See why the host failed, and run again.",
        )
        for agent in seen.record.agents
        if agent.lost
    ]


def _seconds_of(intervals: tuple[object, ...]) -> int:
    return len(intervals)


def orders_open(seen: Observed) -> Finding | None:
    """Every order had met its fate when the level's records were closed."""
    names = [a.agent for a in seen.record.agents if not a.lost and is_open(a, seen.record)]
    if not names:
        return None
    last = [seen.record.progress[name][-1] for name in names]
    unknown = sum(sample.in_flight + sample.backlog for sample in last)
    return finding(
        seen,
        Severity.WARNING if seen.record.ended_early else Severity.INVALID,
        "orders-open",
        f"What became of {unknown:,} orders of {', '.join(names)} is not known: the records were "
        "closed before they were answered or timed out.",
        "The books of this level can't be balanced. Lengthen `measure.drain_s`.",
    )


def ended_early(seen: Observed) -> Finding | None:
    """The level went on as long as planned."""
    why, level = seen.record.ended_early, seen.record.level
    measured = len(seen.windows.control)
    if not why and seen.record.completed_s >= level.warmup_s + level.control_s:
        return None
    whole = measured == level.control_s
    return finding(
        seen,
        Severity.WARNING if whole else Severity.INVALID,
        "ended-early",
        f"The level ended after {seen.record.completed_s} of {level.duration_s} s, with {measured} "
        f"of {level.control_s} s measured: {why or 'no reason is known'}.",
        "" if whole else "What was measured until then is kept, but is not a steady state.",
    )


def orders_unanswered(seen: Observed, share_max: float) -> Finding | None:
    """Every sent order was answered."""
    missing, sent = seen.control.unanswered, seen.control.orders.sent
    if not missing:
        return None
    invalid = missing > share_max * sent
    return finding(
        seen,
        Severity.INVALID if invalid else Severity.WARNING,
        "orders-unanswered",
        f"{missing:,} of {sent:,} orders were never answered: "
        f"{seen.control.orders.timed_out:,} timed out, {seen.control.orders.lost:,} were lost "
        "with their connection.",
        "They count as longer than any measured time. Look at the engine's log for that time.",
    )


def enough_orders(seen: Observed) -> Finding | None:
    """There are orders enough for the p99: independent ones, as far as that can be told."""
    window, needed = seen.control, orders_needed(99)
    if not seen.windows.control:
        return None
    orders, effective = window.orders.intended, float(window.orders.intended)
    value, _ = percentile_of(window.response, 99, window.unanswered + window.orders.unsent)
    if value is not None:
        found, _ = percentile_dependence(seen.over_time(window, RESPONSE), value)
        effective = found.effective_count(orders) if found else effective
    if effective >= needed:
        return None
    rate = effective / len(seen.windows.control)
    enough = f"Measure for {math.ceil(needed / rate):,} s" if rate else "Offer more"
    alike = f", which tell as much as {effective:,.0f} independent ones," if value else ""
    return finding(
        seen,
        Severity.WARNING,
        "too-few-orders",
        f"{orders:,} orders{alike} do not support a p99, which needs {needed:,}.",
        f"{enough} (`measure.control_s`) to get one.",
    )
