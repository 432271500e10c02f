"""From an experiment to a started fleet."""

from cluster import __version__
from cluster.errors import StartFailed
from cluster.experiment.model import Experiment
from cluster.fleet.agent import Place
from cluster.fleet.in_process import start_in_process
from cluster.fleet.protocol import Fleet
from cluster.fleet.ray_fleet import start_ray


def start_fleet(experiment: Experiment, clients: int | None = None) -> Fleet:
    """Start every agent that `experiment` asks for.

    Args:
        experiment: Which fleet, and how many agents.
        clients: So many agents instead, on hosts of their own where there are as many; else they
            share those of the planned ones, evenly.

    Raises:
        StartFailed: agents did not come up.
    """
    planned = experiment.agents.count
    agents = tuple(f"agent-{index}" for index in range(clients or planned))
    if experiment.fleet == "in-process":
        return start_in_process(agents)
    return start_ray(experiment.ray, agents, hosts=planned)


def places_of(fleet: Fleet) -> dict[str, Place]:
    """Where every agent runs, all with the same version as this driver.

    Raises:
        StartFailed: an agent does not answer, or runs another version.
    """
    places = fleet.places().require_all(StartFailed, "agents did not come up")
    others = {
        name: f"{place.host} runs loadcluster {place.version}"
        for name, place in places.items()
        if place.version != __version__
    }
    if others:
        raise StartFailed(
            f"agents run another version than this driver ({__version__})",
            others,
            "install the same version on every load host",
        )
    return dict(places)
