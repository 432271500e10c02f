"""Whether anything was left behind: what was looked for on every host, and what was there."""

from collections.abc import Mapping, Sequence

from cluster.driver.engine_side import EngineSide
from cluster.errors import HostError
from cluster.fleet.protocol import Fleet
from cluster.host.connect import open_host
from cluster.host.local import LocalHost
from cluster.host.protocol import Host
from cluster.host.remains import remains_on
from cluster.results.left_behind import LeftBehind

FILES = "temporary files"


def look_at_agents(fleet: Fleet, hosts: Mapping[str, str], port: int) -> list[LeftBehind]:
    """What the agents' processes still have of the load; all of it was to be closed before.

    Args:
        fleet: not closed yet.
        hosts: host name by agent.
        port: of the engine.
    """
    answers = fleet.remains()
    records = []
    for agent in fleet.agents:
        host = hosts.get(agent, agent)
        looked_for = [f"load threads of {agent}", f"connections of {agent} to port {port}"]
        if (remains := answers.ok.get(agent)) is None:
            why = f"{agent} did not answer: {answers.failed.get(agent, 'it was lost')}"
            records.append(LeftBehind(host=host, looked_for=looked_for, not_looked=why))
            continue
        counted = {"load threads": remains.threads, "connections": remains.connections}
        found = [f"{count} {what} of {agent}" for what, count in counted.items() if count]
        records.append(LeftBehind(host=host, looked_for=looked_for, found=found))
    return records


def look_at_hosts(side: EngineSide, fleet_marks: Sequence[str], here: str) -> list[LeftBehind]:
    """What runs or lies on the engine's host and on this machine, after all was closed.

    Args:
        side: closed.
        fleet_marks: of what carried the fleet on this machine; none: nothing did.
        here: the name of this machine.
    """
    records = []
    if fleet_marks:
        looked_for = ["processes of the embedded Ray", FILES]
        records.append(_looked(here, looked_for, LocalHost(), fleet_marks))
    if side.host is not None:
        looked_for = [*side.what_it_starts, FILES]
        name = here if side.host.is_local else side.host.name
        try:
            # Anew: over the connection that is closed by now nothing could be asked.
            host = open_host(side.host_spec)
        except HostError as error:
            why = error.message
            records.append(LeftBehind(host=name, looked_for=looked_for, not_looked=why))
        else:
            records.append(_looked(name, looked_for, host, [side.host.mark]))
    return records


def _looked(name: str, looked_for: list[str], host: Host, marks: Sequence[str]) -> LeftBehind:
    try:
        found = remains_on(host, marks)
    except HostError as error:
        return LeftBehind(host=name, looked_for=looked_for, not_looked=error.message)
    finally:
        host.close()
    return LeftBehind(host=name, looked_for=looked_for, found=found)


def by_host(records: Sequence[LeftBehind]) -> list[LeftBehind]:
    """One record for each host, in the order in which they first come."""
    grouped: dict[str, list[LeftBehind]] = {}
    for record in records:
        grouped.setdefault(record.host, []).append(record)
    return [
        LeftBehind(
            host=host,
            looked_for=list(dict.fromkeys(what for one in of_host for what in one.looked_for)),
            found=[what for one in of_host for what in one.found],
            not_looked="; ".join(one.not_looked for one in of_host if one.not_looked),
        )
        for host, of_host in grouped.items()
    ]
