"""Whether a merged tail is all agents', or that of one of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtr

from cluster.analysis.clients.holm import holm
from cluster.analysis.clients.lag import AgentWindow
from cluster.analysis.uncertainty.latency import percentile_of
from cluster.analysis.windows import Merged, merge
from cluster.results.agent import AgentResult
from cluster.results.over_time import Counts
from cluster.results.summary import OutlierAgent
from cluster.units import format_ns

AGENTS_NEEDED: Final = 3  # of two, either may be the odd one
BATCHES_NEEDED: Final = 4  # seconds: below, Student's t has hardly any power
ALPHA: Final = 0.01  # that an agent like all others is named, at a level, by the test alone
INFLUENCE: Final = 0.1  # of the p99, without the agent: what would change a conclusion


@dataclass(frozen=True)
class Outliers:
    """The agents that own the tail, or why that can't be told."""

    agents: tuple[OutlierAgent, ...] = ()
    why_none: str = ""


def outlier_agents(agents: Sequence[AgentWindow], control: Merged) -> Outliers:
    """Find agents that have more than their share of the orders beyond the merged p99.

    Both must hold: more than chance has it, and a p99 that is another without the agent.

    Args:
        agents: each agent's window.
        control: the same merged.
    """
    if len(agents) < AGENTS_NEEDED:
        return Outliers(why_none=_too_few(agents))
    p99, why = _p99(control)
    if p99 is None:
        return Outliers(why_none=why)
    if len(control.seconds) < BATCHES_NEEDED:
        return Outliers(
            why_none=f"{len(control.seconds)} seconds: {BATCHES_NEEDED} are needed to tell an "
            "agent from a moment"
        )
    beyond = np.stack([_per_second(w.agent, control.seconds, p99) for w in agents])
    orders, tail = beyond[:, :, 0], beyond[:, :, 1]
    if not tail.sum():
        return Outliers(why_none="no order is beyond the p99: the slowest are all alike")
    adjusted = holm([_p_value(orders, tail, i) for i in range(len(agents))])
    named = [
        entry
        for i in range(len(agents))
        if adjusted[i] < ALPHA
        and (entry := _entry(agents, i, p99, beyond, p_value=adjusted[i])).influence is not None
        and entry.influence > INFLUENCE
    ]
    return Outliers(tuple(named))


def _too_few(agents: Sequence[AgentWindow]) -> str:
    if len(agents) < AGENTS_NEEDED - 1:
        return "there are no other agents to compare with"
    each = [
        f"{window.agent.agent} {format_ns(p99) if p99 is not None else 'unknown'}"
        for window in agents
        for p99 in [_p99(window.own)[0]]
    ]
    return f"of two agents either may be the odd one: their p99 are {' and '.join(each)}"


def _p99(window: Merged) -> tuple[int | None, str]:
    return percentile_of(window.response, 99, window.unanswered + window.orders.unsent)


def _per_second(agent: AgentResult, seconds: range, p99_ns: int) -> Counts:
    """Orders, and those beyond the p99, by second. Shape (seconds, 2).

    An order without an answer is beyond it.
    """
    counts = np.zeros((len(seconds), 2), np.int64)
    for interval in agent.intervals:
        if interval.index in seconds:
            orders, response = interval.orders, interval.response
            slow = response.total - response.count_at_or_below(p99_ns)
            missing = orders.timed_out + orders.lost + orders.unsent
            counts[interval.index - seconds.start] = orders.intended, slow + missing
    return counts


def _p_value(orders: Counts, tail: Counts, agent: int) -> float:
    """The chance of so large a tail share, were the tail dealt out by orders: one-sided.

    Given the tail of a second, an agent's part of it is binomial if orders are independent. They
    are not: a stall makes many late at once. So seconds are the batches, and their excess over the
    agent's share is held against what it varies from second to second by Student's t; against the
    binomial variance where that is larger, which few batches may miss.

    Args:
        orders: by agent and second. Shape (agents, seconds).
        tail: those beyond the p99, likewise.
        agent: which one.
    """
    all_orders, all_tail = orders.sum(axis=0), tail.sum(axis=0)
    share = orders[agent] / np.maximum(all_orders, 1)
    excess = tail[agent] - share * all_tail
    batches = len(excess)
    binomial = float((all_tail * share * (1 - share)).mean())
    variance = max(float(excess.var(ddof=1)), binomial)
    if variance <= 0:
        return 1.0
    return float(stdtr(batches - 1, -excess.mean() / math.sqrt(variance / batches)))


def _entry(
    agents: Sequence[AgentWindow], i: int, p99: int, beyond: Counts, *, p_value: float
) -> OutlierAgent:
    own = agents[i]
    others = [window.agent for window in agents if window is not own]
    without, _ = _p99(merge(others, own.own.seconds))
    order_share, tail_share = beyond[i].sum(axis=0) / beyond.sum(axis=(0, 1))
    return OutlierAgent(
        agent=own.agent.agent,
        host=own.agent.host,
        order_share=float(order_share),
        tail_share=float(tail_share),
        p_value=p_value,
        p99_ns=p99,
        p99_without_ns=without,
        influence=abs(p99 - without) / p99 if without is not None and p99 else None,
    )
