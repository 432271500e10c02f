"""From an experiment to a started fleet."""

from collections.abc import Mapping

from cluster import __version__
from cluster.errors import StartFailed
from cluster.experiment.model import Experiment
from cluster.experiment.target import addresses_of
from cluster.fleet.agent import Place
from cluster.fleet.calibration_cache import client_build
from cluster.fleet.in_process import start_in_process
from cluster.fleet.protocol import Fleet
from cluster.fleet.ray_fleet import start_ray
from cluster.host.identity import identity_here, is_loopback


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
    engine = () if may_share_engine_host(experiment) else addresses_of(experiment.engine.address)
    return start_ray(experiment.ray, agents, hosts=planned, avoid=engine)


def may_share_engine_host(experiment: Experiment) -> bool:
    """Whether agents may run on the engine's host: it is asked for, or nothing else can be."""
    one_machine = experiment.fleet == "in-process" or experiment.ray.address is None
    return (
        experiment.agents.on_engine_host
        # Loopback leads from an agent to an engine on its own host, and to no other.
        or is_loopback(experiment.engine.address)
        or (one_machine and experiment.engine.host == "local")
    )


def places_of(fleet: Fleet) -> dict[str, Place]:
    """Where every agent runs, all with the same version and build as this driver.

    Raises:
        StartFailed: an agent does not answer, or runs another version or build.
    """
    places = fleet.places().require_all(StartFailed, "agents did not come up")
    require_same(places, __version__, client_build())
    return dict(places)


def same_clock(places: Mapping[str, Place]) -> frozenset[str]:
    """The agents that read the very clock that this process reads."""
    here = identity_here()
    return frozenset(name for name, place in places.items() if here.same_clock(place.identity))


def require_same(places: Mapping[str, Place], version: str, build: str) -> None:
    """Refuse agents of another version, or whose native load client is another build.

    Raises:
        StartFailed: there are such; it names their hosts and what they run.
    """
    others = {
        name: f"{place.host} runs loadcluster {place.version}"
        for name, place in places.items()
        if place.version != version
    }
    if others:
        raise StartFailed(
            f"agents run another version than this driver ({version})",
            others,
            "install the same version on every load host",
        )
    builds = {
        name: f"{place.host} has build {place.build}"
        for name, place in places.items()
        if place.build and place.build != build
    }
    if builds:
        raise StartFailed(
            f"agents run another build of loadcluster {version} than this driver ({build})",
            builds,
            "install the same wheel on every load host: two builds are two load clients",
        )
