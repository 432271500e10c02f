"""What an agent is told: everything it needs for one level, and nothing of the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cluster.experiment.model import Bursts, Experiment, Hawkes, OrderFlow, Replay
from cluster.experiment.plan import AgentShare, Level
from cluster.experiment.wire import CompiledProtocol
from cluster.results.over_time import sample_slice
from cluster.units import NS_PER_S

# Longer than any pause of a healthy driver, short enough that an orphan's load ends by itself.
LEASE_NS = 5 * NS_PER_S


@dataclass(frozen=True)
class WireSpec:
    """How an agent's connections speak, and who each of them is."""

    plan_text: str
    secrets: Mapping[str, str] = field(repr=False)  # credentials, by name
    first_id: int  # of the fleet's connection 0
    ids_per_connection: int  # 0: each connection counts alone
    first_client: int  # number of the agent's first connection in the fleet
    refusals: Mapping[str, str]  # names of the codes with which the engine refuses a logon


@dataclass(frozen=True)
class ReplaySpec:
    """The file whose orders are sent, and how its times are made."""

    file: Replay  # its path is absolute
    agents: int  # that share it
    speed: float | None  # of recorded times
    rate_per_s: float | None  # of all agents together; neither: closed-loop


@dataclass(frozen=True)
class LoadSpec:
    """One agent's share of one level; crosses to the load host by value."""

    address: str
    port: int
    share: AgentShare
    arrivals: Literal["constant", "poisson", "hawkes", "bursts", "closed", "recorded"]
    law: Hawkes | Bursts | None  # parameters of `arrivals`, if it has any
    duration_ns: int
    timeout_ns: int
    drain_ns: int
    lease_ns: int
    seed: int
    spin: bool
    in_flight_max: int
    flow: OrderFlow
    wire: WireSpec
    replay: ReplaySpec | None = None
    authorized: bool = False  # whether the address may be outside private networks
    sample_width_ns: int = 0  # of the part of each second whose send times are kept; 0: none


def specs_of(
    experiment: Experiment, level: Level, protocol: CompiledProtocol
) -> dict[str, LoadSpec]:
    """What each agent does at `level`, by agent name."""
    connections = [share.connections for share in level.shares]
    return {
        share.agent: LoadSpec(
            address=experiment.engine.address,
            port=experiment.engine.port,
            share=share,
            arrivals=level.arrivals,
            law=level.law,
            duration_ns=level.longest_s * NS_PER_S,
            timeout_ns=round(experiment.load.timeout_s * NS_PER_S),
            drain_ns=round(experiment.measure.drain_s * NS_PER_S),
            lease_ns=LEASE_NS,
            # Levels differ in their streams too, or each would repeat the gaps of the one before.
            seed=experiment.load.seed + (level.index << 32),
            spin=experiment.agents.wait == "spin",
            in_flight_max=in_flight_max_of(experiment, len(level.shares)),
            flow=experiment.order_flow,
            wire=WireSpec(
                plan_text=protocol.plan_text,
                secrets=protocol.secrets,
                first_id=protocol.ids[level.index].first,
                ids_per_connection=protocol.ids[level.index].per_connection,
                first_client=sum(connections[: share.index]),
                refusals=protocol.refusals,
            ),
            replay=_replay(experiment, level),
            authorized=experiment.engine.i_am_authorized_to_load,
            sample_width_ns=sample_slice(level.offered_per_s).width_ns,
        )
        for share in level.shares
    }


def in_flight_max_of(experiment: Experiment, agents: int) -> int:
    """Bound of one agent's unanswered orders: more agents than planned share that of all."""
    planned = experiment.agents
    return max(planned.workers, planned.in_flight_max * planned.count // agents)


def replayed_file(experiment: Experiment) -> Replay | None:
    """The file that is replayed, by its absolute path: agents have directories of their own."""
    replay = experiment.order_flow.replayed
    if replay is None:
        return None
    return replay.model_copy(update={"file": str(Path(replay.file).absolute())})


def _replay(experiment: Experiment, level: Level) -> ReplaySpec | None:
    file = replayed_file(experiment)
    if file is None:
        return None
    return ReplaySpec(
        file=file,
        agents=len(level.shares),
        speed=level.speed,
        rate_per_s=level.offered_per_s,
    )
