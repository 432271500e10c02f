"""Client invariance: a level once more, from the planned and from twice as many clients.

The load, its connections and the bound of unanswered orders stay the same in sum.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Final

from cluster.experiment.model import Experiment
from cluster.experiment.placement import spread
from cluster.experiment.plan import Level, Plan, shares_of, split_count

TWICE: Final = 2
Cpus = tuple[tuple[int, ...], ...]


def why_no_twin(experiment: Experiment, level: Level | None = None) -> str:
    """Why no level, or not this one, can come from twice as many clients; empty when it can."""
    agents = experiment.agents
    needed = TWICE * agents.count * agents.workers
    connections = agents.count * agents.connections
    if connections < needed:
        return (
            f"{connections:,} connection{'s' * (connections > 1)} can't be shared by {needed:,} "
            "workers of twice as many clients: each needs its own"
        )
    if level is not None and level.in_flight is not None and level.in_flight < needed:
        return (
            f"{level.in_flight:,} orders in flight can't be shared by {needed:,} workers of twice "
            "as many clients: each needs one"
        )
    return ""


def repeated(level: Level, index: int) -> Level:
    """The same level once more, so that its twin is compared with what was measured beside it."""
    return replace(level, index=index, clients="repeated", profile_s=0)


def doubled(experiment: Experiment, level: Level, index: int, cpus: Cpus) -> Level:
    """The level's twin: the same load over the same number of connections, from 2K clients.

    Where the connections can't be shared evenly, the rate goes by connections: each carries as
    much as before, but for the planned level's own differences.

    Args:
        experiment: Whose level it is; `why_no_twin` must have nothing against it.
        level: As planned.
        index: The twin's own.
        cpus: Of each of the 2K clients, one per worker or none, as `twin_cpus` gives them.
    """
    clients = len(cpus)
    connections = split_count(sum(share.connections for share in level.shares), clients)
    return replace(
        repeated(level, index),
        clients="doubled",
        shares=shares_of(
            experiment,
            rates_per_s=_by_connections(level.offered_per_s or 0.0, connections),
            in_flight=split_count(level.in_flight or 0, clients),
            connections=connections,
            cpus=cpus,
        ),
    )


def twin_cpus(experiment: Experiment, planned: Plan, usable_cpus: frozenset[int]) -> Cpus:
    """The CPUs of the workers of 2K clients.

    With `apart` they are spread over this machine's CPUs besides the engine's, as K clients are:
    whether some share a CPU depends on how many there are. Listed CPUs are those of the client
    from which a twin took over.
    """
    shares = planned.levels[0].shares
    if experiment.cpus == "apart" and shares[0].cpus:
        free = tuple(sorted(usable_cpus - set(planned.engine_cpus)))
        return spread(free, TWICE * len(shares), experiment.agents.workers)
    return tuple(share.cpus for share in shares for _ in range(TWICE))


def pair_of(experiment: Experiment, level: Level, index: int, cpus: Cpus) -> tuple[Level, Level]:
    """The level repeated, and its twin right after it."""
    return repeated(level, index), doubled(experiment, level, index + 1, cpus)


def _by_connections(rate_per_s: float, connections: tuple[int, ...]) -> tuple[float, ...]:
    """Shares of a rate in proportion to connections; their sum, rounded once, is the rate."""
    total = sum(connections)
    shares = [rate_per_s * own / total for own in connections[:-1]]
    rest = Fraction(rate_per_s) - sum(map(Fraction, shares), Fraction(0))
    return (*shares, float(rest))
