"""Findings about the load hosts: who kept the clients waiting, and what it makes of the times."""

from typing import Final

from cluster.analysis.clients.client_host import Pauses, noise_ns, pauses, preemption
from cluster.analysis.clients.lag import LAG_NOTICED_NS, LAG_SHARE_P99, LAG_SHARE_P99_9
from cluster.analysis.environment_rules import STEAL_NOTICED
from cluster.analysis.finding import finding
from cluster.analysis.observed import Observed
from cluster.analysis.uncertainty.latency import percentile_of
from cluster.results.agent import AgentResult
from cluster.results.finding import Finding, Severity
from cluster.units import format_ns

# What one time in a hundred waits has a share in the p99, if the wait is a share of it.
TIME_IN_P99: Final = 0.01
PREEMPTED_PER_S: Final = 1  # so often, it is in every second and no single event


def response_ns(seen: Observed, percentile: float) -> int | None:
    """A percentile of the response times of the control window."""
    window = seen.control
    return percentile_of(window.response, percentile, window.unanswered + window.orders.unsent)[0]


def longest_pauses(seen: Observed) -> Pauses | None:
    """The agent whose pauses are met for longest."""
    tail = response_ns(seen, 99.9)
    found = [pauses(agent, seen.control.seconds, tail) for agent in seen.record.agents]
    return max((p for p in found if p), key=lambda p: p.met_ns, default=None)


def is_a_share(found: Pauses) -> bool:
    """Whether pauses make a share of the response time that must be said.

    As a send lag: above what a thread that sleeps is late by anyway, and a fifth of the p99.9.
    """
    share = found.share_p99_9
    return found.met_ns > LAG_NOTICED_NS and share is not None and share > LAG_SHARE_P99_9


def client_polls(seen: Observed) -> Finding | None:
    """The clients look for answers often enough for the times that they report."""
    found = longest_pauses(seen)
    if found is None or not is_a_share(found):
        return None
    agent = found.agent
    return finding(
        seen,
        Severity.WARNING,
        "client-paused",
        f"{agent.agent} on {agent.host} was in pauses of {format_ns(found.met_ns)} and longer for "
        f"0.1% of the time: {found.share_p99_9:.0%} of the p99.9 response time.",
        "An answer that comes in a pause is read after it. Give the clients CPUs of their own "
        "(`cpus`), or spread the load over more workers or hosts.",
    )


def noisiest(seen: Observed) -> tuple[AgentResult, int, float | None] | None:
    """The agent whose host wakes threads latest during the load: how late, and of the p99."""
    p99 = response_ns(seen, 99)
    found = [
        (agent, noise, noise / p99 if p99 else None)
        for agent in seen.record.agents
        if agent.jitter and (noise := noise_ns(agent.jitter.during)) is not None
    ]
    return max(found, key=lambda entry: entry[1], default=None)


def host_is_quiet(seen: Observed) -> Finding | None:
    """An idle thread of the load host wakes up when it should."""
    worst = noisiest(seen)
    if worst is None:
        return None
    agent, noise, share = worst
    if noise <= LAG_NOTICED_NS or share is None or share <= LAG_SHARE_P99:
        return None
    before = noise_ns(agent.jitter.before) if agent.jitter else None
    return finding(
        seen,
        Severity.WARNING,
        "client-host-jitters",
        f"A thread that only sleeps woke up {format_ns(noise)} later than usual once in a hundred "
        f"times on {agent.host}, {share:.0%} of the p99 response time"
        + (f" ({format_ns(before)} before the load)." if before is not None else "."),
        "So much of the tail may be the load host's own: other programs, power saving, interrupts "
        "or a hypervisor. Use a quieter host, or isolated CPUs (`cpus`).",
    )


def most_stolen_from(seen: Observed) -> AgentResult | None:
    """The agent from whose host the hypervisor took most, and for long enough to show."""
    stolen = [a for a in seen.record.agents if (a.steal_ratio or 0) > STEAL_NOTICED]
    told = [agent for agent in stolen if _theft_shows(agent, response_ns(seen, 99))]
    return max(told, key=lambda a: a.steal_ratio or 0, default=None)


def hypervisor_spares_client(seen: Observed) -> Finding | None:
    """The hypervisor gives the load hosts their CPUs, or what it takes is not to be noticed.

    A share of the CPU time says how many orders meet a theft, not for how long: the host's jitter
    does. Where it was measured and is small, the theft was harmless.
    """
    agent = most_stolen_from(seen)
    if agent is None:
        return None
    return finding(
        seen,
        Severity.WARNING,
        "client-host-steals-cpu",
        f"The hypervisor took {agent.steal_ratio or 0:.1%} of the CPU time from {agent.host}, the "
        f"load host of {agent.agent}: so many orders in a hundred may have met it.",
        "The p99 is then the hypervisor's. Use dedicated CPUs for figures to keep.",
    )


def _theft_shows(agent: AgentResult, p99_ns: int | None) -> bool:
    noise = noise_ns(agent.jitter.during) if agent.jitter else None
    return noise is None or not p99_ns or noise > LAG_SHARE_P99 * p99_ns


def client_keeps_its_cpu(seen: Observed) -> Finding | None:
    """Nobody pushes a load worker off its CPU for long enough to show."""
    found, p99 = preemption(seen.record.agents, seen.sending_s), response_ns(seen, 99)
    if (
        found is None
        or found.per_s < PREEMPTED_PER_S
        or found.time_ratio <= TIME_IN_P99
        or (p99 and found.wait_ns <= LAG_SHARE_P99 * p99)
    ):
        return None
    share = f", {found.wait_ns / p99:.0%} of the p99 response time" if p99 else ""
    return finding(
        seen,
        Severity.WARNING,
        "client-preempted",
        f"A worker of {found.agent.agent} on {found.agent.host} was pushed off its CPU "
        f"{found.per_s:,.0f} times a second, for {min(found.time_ratio, 1):.1%} of the time: "
        f"up to {format_ns(found.wait_ns)} each{share}.",
        "Other threads run on its CPU. Use fewer workers than CPUs, or pin them (`cpus`).",
    )
