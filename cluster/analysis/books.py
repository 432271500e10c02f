"""Whether every order is accounted for: in every second, agent, and in the fleet."""

from cluster.analysis.windows import total_orders
from cluster.results.agent import AgentResult, Interval
from cluster.results.finding import Finding, Severity
from cluster.results.level import LevelRecord
from cluster.results.orders import OrderCounts
from cluster.results.replies import ReplyManners

CODE = "books-unbalanced"
SHOWN = 5  # one fault shows in every second; the first few say what it is


def audit(record: LevelRecord) -> list[Finding]:
    """Findings about orders that are missing or counted twice, and by how much.

    Agents that were lost, or had orders open at the end, are left out: their books end somewhere
    in between, which is a finding of its own.
    """
    agents = [agent for agent in record.agents if not agent.lost and not is_open(agent, record)]
    # Closed-loop there is no schedule, so no lag is recorded.
    scheduled = record.level.arrivals != "closed"
    manners = record.manners
    problems = [p for agent in agents for p in _problems_of(agent, scheduled, manners)]
    if not problems:
        problems = _imbalance("all agents", total_orders(agent.orders for agent in agents))
    if len(problems) > SHOWN:
        problems = [*problems[:SHOWN], f"{len(problems) - SHOWN:,} more such imbalances."]
    return [
        Finding(
            severity=Severity.INVALID,
            code=CODE,
            message=problem,
            advice="This is a fault of loadcluster: keep the run directory and report it.",
            level=record.level.index,
        )
        for problem in problems
    ]


def is_open(agent: AgentResult, record: LevelRecord) -> bool:
    """Whether the agent's last word came before every order had met its fate."""
    said = record.progress.get(agent.agent, ())
    return bool(said) and not said[-1].finished


def _problems_of(agent: AgentResult, scheduled: bool, manners: ReplyManners) -> list[str]:
    problems = _imbalance(agent.agent, agent.orders)
    intervals = total_orders(interval.orders for interval in agent.intervals)
    for name in OrderCounts.model_fields:
        whole, parts = getattr(agent.orders, name), getattr(intervals, name)
        if whole != parts:
            problems.append(
                f"{agent.agent}: {name} is {whole:,}, but its seconds add up to {parts:,} "
                f"({parts - whole:+,})."
            )
    for interval in agent.intervals:
        who = f"{agent.agent}, second {interval.index}"
        problems += _problems_of_second(who, interval, scheduled)
    return problems + _other_replies(agent, manners)


def _problems_of_second(who: str, interval: Interval, scheduled: bool) -> list[str]:
    problems = _imbalance(who, interval.orders)
    expected = {
        "response": interval.orders.answered,
        "service": interval.orders.answered,
        "send_lag": interval.orders.sent if scheduled else 0,
    }
    # Some replies of a protocol may say the engine's times and others not: a bound, no balance.
    if interval.engine.total > interval.orders.answered:
        expected["engine"] = interval.orders.answered
    for quantity, orders in expected.items():
        recorded = getattr(interval, quantity).total
        if recorded != orders:
            problems.append(
                f"{who}: {recorded:,} times were recorded as {quantity} for {orders:,} orders "
                f"({recorded - orders:+,})."
            )
    return problems


def _other_replies(agent: AgentResult, manners: ReplyManners) -> list[str]:
    """Only orders with several replies have them, each one: a bound, and no balance.

    A last reply follows an answer. A first one that does not count may be all that ever came.
    """
    last = manners.other_reply == "last_reply"
    most = agent.orders.answered if last else agent.orders.sent
    recorded = sum(interval.other_reply.total for interval in agent.intervals)
    if recorded <= most:
        return []
    orders = f"{most:,} {'answered' if last else 'sent'} orders"
    return [
        f"{agent.agent}: {recorded:,} times were recorded as {manners.other_reply} for {orders}."
    ]


def _imbalance(who: str, orders: OrderCounts) -> list[str]:
    problems = []
    if orders.schedule_imbalance:
        problems.append(
            f"{who}: {orders.intended:,} orders were due, {orders.sent:,} sent and "
            f"{orders.unsent:,} not sent: {orders.schedule_imbalance:+,} unaccounted for."
        )
    if orders.answer_imbalance:
        problems.append(
            f"{who}: of {orders.sent:,} sent orders {orders.answered:,} were answered, "
            f"{orders.timed_out:,} timed out and {orders.lost:,} were lost: "
            f"{orders.answer_imbalance:+,} unaccounted for."
        )
    return problems
