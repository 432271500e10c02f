"""What is going to be sent where: said before anything is."""

from collections.abc import Sequence

from cluster.experiment.model import Experiment
from cluster.experiment.plan import Plan
from cluster.units import format_rate, format_speed


def offer_in_words(experiment: Experiment, planned: Plan, addresses: Sequence[str]) -> str:
    """The target, and the total that all agents together offer it.

    Args:
        experiment: what to do.
        planned: its plan.
        addresses: what the engine's name stands for, in digits.
    """
    engine, agents = experiment.engine, experiment.agents
    known = [address for address in addresses if address != engine.address]
    where = f"{engine.address} port {engine.port}" + (f" ({', '.join(known)})" if known else "")
    agreed = (
        "; you say that you are authorized to load it" if engine.i_am_authorized_to_load else ""
    )
    connections = agents.count * agents.connections
    return (
        f"target {where}: {_rates(planned)}, in all, from {agents.count} "
        f"agent{'s' * (agents.count > 1)} over {connections:,} connection{'s' * (connections > 1)}"
        f"{agreed}"
    )


def highest_rate_per_s(planned: Plan) -> float | None:
    """The most that all agents together offer; None: no level has a rate."""
    rates = [level.offered_per_s for level in planned.levels if level.offered_per_s is not None]
    return max(rates, default=None)


def _rates(planned: Plan) -> str:
    parts = []
    highest = highest_rate_per_s(planned)
    if highest is not None:
        parts.append(f"up to {format_rate(highest)}")
    speeds = [level.speed for level in planned.levels if level.speed is not None]
    if speeds:
        parts.append(f"the file's orders {format_speed(max(speeds))}")
    closed = [level.in_flight for level in planned.levels if level.in_flight]
    if closed:
        parts.append(f"as much as it takes with {max(closed):,} in flight")
    return " and ".join(parts)
