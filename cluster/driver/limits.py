"""Whether the load hosts may open the connections that are planned: asked before they try."""

from collections.abc import Mapping, Sequence
from typing import Final

from cluster.errors import StartFailed
from cluster.experiment.plan import AgentShare
from cluster.fleet.limits import Limits

FILES_PER_WORKER: Final = 4  # what it waits with and is woken by
FILES_BESIDE: Final = 16  # logs, files that are replayed, pipes


def require_room(shares: Sequence[AgentShare], limits: Mapping[str, Limits]) -> None:
    """See that every load host has files and local ports for its connections.

    Args:
        shares: of one level; all levels have the same connections.
        limits: by agent; who did not tell is not judged.

    Raises:
        StartFailed: one has not; it names host, limit and need.
    """
    failed: dict[str, str] = {}
    hints: dict[str, None] = {}
    for check in (_files, _ports):
        for agent, (why, hint) in check(shares, limits).items():
            failed.setdefault(agent, why)
            hints[hint] = None
    if failed:
        hint = "; ".join([*hints, "or lower `agents.connections`, or use more load hosts"])
        raise StartFailed("more connections than a load host can open", failed, hint)


def _files(
    shares: Sequence[AgentShare], limits: Mapping[str, Limits]
) -> dict[str, tuple[str, str]]:
    found = {}
    for (host, _), there in _together(shares, limits, by_process=True).items():
        limit = limits[there[0].agent]
        connections = sum(share.connections for share in there)
        workers = sum(share.workers for share in there)
        need = limit.open_files + connections + FILES_PER_WORKER * workers + FILES_BESIDE
        if limit.open_files_max is not None and need > limit.open_files_max:
            why = (
                f"{connections:,} connections need {need:,} open files, and {host} allows its "
                f"process {limit.open_files_max:,} (`ulimit -n`)"
            )
            found[there[0].agent] = (
                why,
                f"raise it where the agents are started from: `ulimit -n {need}`",
            )
    return found


def _ports(
    shares: Sequence[AgentShare], limits: Mapping[str, Limits]
) -> dict[str, tuple[str, str]]:
    found = {}
    for (host, _), there in _together(shares, limits, by_process=False).items():
        ports = limits[there[0].agent].local_ports
        connections = sum(share.connections for share in there)
        if ports is not None and connections > ports:
            why = (
                f"{connections:,} connections to one address need as many local ports, and {host} "
                f"has {ports:,} for them (net.ipv4.ip_local_port_range)"
            )
            found[there[0].agent] = (
                why,
                "widen it: `sysctl -w net.ipv4.ip_local_port_range='1024 65535'`",
            )
    return found


def _together(
    shares: Sequence[AgentShare], limits: Mapping[str, Limits], *, by_process: bool
) -> dict[tuple[str, int], list[AgentShare]]:
    """The shares by host and, if asked for, by process."""
    together: dict[tuple[str, int], list[AgentShare]] = {}
    for share in shares:
        if (limit := limits.get(share.agent)) is not None:
            place = limit.host, limit.process_id if by_process else 0
            together.setdefault(place, []).append(share)
    return together
