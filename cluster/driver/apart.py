"""No agent loads an engine on its own host unless that was asked for."""

from collections.abc import Mapping

from cluster.driver.run_findings import agents_beside_engine
from cluster.errors import StartFailed
from cluster.experiment.model import Experiment
from cluster.fleet.agent import Place, Way
from cluster.fleet.protocol import Fleet
from cluster.fleet.start import may_share_engine_host
from cluster.host.identity import Identity
from cluster.results.finding import Finding

HINT = (
    "give the run other load hosts (a Ray node without the resource `loadgen` gets no agent), or "
    "ask for it: `agents: {on_engine_host: true}`"
)


def ways_of(fleet: Fleet, experiment: Experiment) -> Mapping[str, Way]:
    """How each agent's host reaches the engine.

    Raises:
        StartFailed: an agent does not answer.
    """
    engine = experiment.engine
    return fleet.ways_to(engine.address, engine.port).require_all(
        StartFailed, "agents did not tell how they reach the engine"
    )


def require_apart(
    experiment: Experiment, fleet: Fleet, places: Mapping[str, Place], engine: Identity | None
) -> list[Finding]:
    """Refuse agents on the engine's host.

    Args:
        experiment: It may allow them.
        fleet: Started.
        places: Where its agents are.
        engine: The engine's machine; None: not known, then its address has to tell.

    Returns:
        What is to be said of those beside it, on the same machine as if on another host.

    Raises:
        StartFailed: there are such; it names them.
    """
    if may_share_engine_host(experiment):
        return []
    ways = ways_of(fleet, experiment)
    there = {
        agent: f"{place.host} has the engine's address {experiment.engine.address}"
        if ways[agent].own
        else f"{place.host} is the engine's host"
        for agent, place in places.items()
        if ways[agent].own or (place.identity and place.identity.same_host(engine))
    }
    if there:
        raise StartFailed("agents are on the engine's own host", there, HINT)
    beside = [
        agent
        for agent, place in places.items()
        if place.identity and place.identity.same_machine(engine)
    ]
    return [agents_beside_engine(beside)] if beside else []
