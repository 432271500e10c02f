"""What the clients' own records say for and against them as the cause."""

from typing import Final

from cluster.analysis.clients.client_host_rules import (
    is_a_share,
    longest_pauses,
    most_stolen_from,
    noisiest,
)
from cluster.analysis.clients.lag import LAG_NOTICED_NS, LAG_SHARE_P99
from cluster.analysis.verdict.case import Case, Cause, row
from cluster.results.summary import Evidence
from cluster.units import NS_PER_US, format_ns

PAUSE_SHARE_MOST: Final = 0.5
FAR: Final = 2.0  # times the round trip of the others


def outlier_agent(case: Case) -> Evidence | None:
    """A tail that is one agent's is not the engine's, which all agents share.

    It may be the agent's way to the engine: then its least round trip is longer than others'.
    """
    outliers = case.seen.outliers.agents
    if not outliers:
        return None
    worst = max(outliers, key=lambda outlier: outlier.influence or 0)
    path: Cause = "network" if _is_far(case, worst.agent) else "client"
    name = {"network": "a path of its own", "client": "a host of its own"}[path]
    return row(
        "one agent's share of the tail",
        f"{worst.agent} {worst.tail_share:.0%}, of the orders {worst.order_share:.0%}",
        f"All agents share the engine, and this one has {name}.",
        supports=path,
        weight=1.0,
    )


def _is_far(case: Case, name: str) -> bool:
    trips = {a.agent: a.tcp.min_rtt_us for a in case.seen.record.agents if a.tcp is not None}
    own = trips.pop(name, None)
    service = case.seen.control.service.percentile(50)
    if own is None or not trips or not service:
        return False
    others = sorted(trips.values())[len(trips) // 2]
    return own > FAR * others and (own - others) * NS_PER_US > LAG_SHARE_P99 * service


def arrival_law(case: Case) -> Evidence | None:
    """Orders that did not leave by their law were the clients' doing."""
    tested = [j for j in case.seen.arrivals if j.test.kept is not None and not j.excused]
    if not tested:
        return None
    worst = max(tested, key=lambda judged: judged.test.moved_ns or 0)
    moved = worst.test.moved_ns or 0
    name, value = "arrival law", f"orders of {worst.test.who} moved by {format_ns(moved)}"
    if worst.test.kept:
        # The send lag clears the client already, and it would twice for the same reason.
        return row(name, value, "Orders left by the law asked for.")
    return row(
        name,
        value,
        "Orders left the clients otherwise than the law asked for.",
        supports="client",
        weight=0.7 if worst.by_lag else 2.0,
    )


def pauses(case: Case) -> Evidence | None:
    """A client that looks away reads late, and sends late."""
    found = longest_pauses(case.seen)
    if found is None or found.share_p99_9 is None:
        return None
    name = "client's pauses"
    value = f"{format_ns(found.met_ns)}, {found.share_p99_9:.0%} of the p99.9 response time"
    if not is_a_share(found):
        # One that can't keep up may be busy in short passes.
        return row(name, value, "The clients looked for answers often.")
    return row(
        name,
        value,
        "Answers waited in the clients.",
        supports="client",
        weight=1.5 if found.share_p99_9 > PAUSE_SHARE_MOST else 0.7,
    )


def jitter(case: Case) -> Evidence | None:
    """The load host's noise floor; a quiet host clears nobody."""
    found = noisiest(case.seen)
    if found is None:
        return None
    agent, noise, share = found
    if noise <= LAG_NOTICED_NS or share is None or share <= LAG_SHARE_P99:
        return None
    return row(
        "jitter of a load host",
        f"{agent.host} {format_ns(noise)}, {share:.0%} of the p99 response time",
        "The load host wakes its threads late.",
        supports="client",
        weight=0.5,
    )


def steal(case: Case) -> Evidence | None:
    """CPU time that the hypervisor took from a load host."""
    worst = most_stolen_from(case.seen)
    if worst is None:
        return None
    return row(
        "stolen from a load host",
        f"{worst.steal_ratio or 0:.1%} of the CPU time of {worst.host}",
        "The hypervisor held the clients up.",
        supports="client",
        weight=0.5,
    )
