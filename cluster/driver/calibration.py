"""What the load hosts can do by themselves, found out before the first level."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cluster.analysis.clients.calibration import SHARE_HIGH, host_shares
from cluster.driver.engine_side import EngineSide
from cluster.driver.reflector import is_engine_host, reflector_beside
from cluster.errors import ClusterError
from cluster.experiment.model import Agents, Experiment
from cluster.experiment.plan import AgentShare, Level, Plan
from cluster.fleet.agent import Place
from cluster.fleet.calibrate import LONGEST_S
from cluster.fleet.calibration_spec import Against, CalibrationSpec, Reflector, Shape
from cluster.fleet.protocol import Fleet
from cluster.results.facts import HostFacts
from cluster.results.summary import Calibration
from cluster.units import format_ns, format_rate

REMEDY = "Use more load hosts or workers, or give the workers CPUs of their own (`cpus`)."


@dataclass(frozen=True)
class LoadHost:
    """A load host and the agent that speaks for it."""

    agent: str
    place: Place
    facts: HostFacts | None  # None: it did not tell
    shape: Shape


def calibrate_hosts(
    experiment: Experiment,
    planned: Plan,
    fleet: Fleet,
    side: EngineSide,
    *,
    places: Mapping[str, Place],
    facts: Mapping[str, HostFacts],
    say: Callable[[str], None] = lambda _: None,
) -> list[Calibration]:
    """Recall or measure what each load host can do, while the engine is idle.

    Nothing that goes wrong here is raised: it is in `Calibration.not_measured`.

    Args:
        experiment: what to do; `measure.calibration` says whether at all.
        planned: its plan.
        fleet: started.
        side: started.
        places: of the agents.
        facts: of the agents' hosts, by agent.
        say: tells the user what takes time.
    """
    if experiment.measure.calibration == "off":
        return []
    hosts = load_hosts(experiment.agents, planned.levels[0].shares, places, facts)
    session = _Session(fleet, side, say, fresh=experiment.measure.calibration == "fresh")
    own = {host.agent: _spec(host, "loopback") for host in hosts}
    found = session.calibrate(own)
    there = [host for host in hosts if is_engine_host(side, host.facts)]
    for host in there:
        # There, loopback is the path to the engine: the two are one.
        found[host.agent] = found[host.agent].model_copy(update={"against": "engine host"})
    beside = {host.agent: _spec(host, "engine host", side) for host in hosts if host not in there}
    return [*found.values(), *session.calibrate_beside(beside)]


def load_hosts(
    agents: Agents,
    shares: Sequence[AgentShare],
    places: Mapping[str, Place],
    facts: Mapping[str, HostFacts],
) -> list[LoadHost]:
    """Every load host once, with the clients of all agents that run there."""
    by_host: dict[str, list[AgentShare]] = {}
    for share in shares:
        if share.agent in places:
            by_host.setdefault(places[share.agent].host, []).append(share)
    return [
        LoadHost(
            agent=there[0].agent,
            place=places[there[0].agent],
            facts=facts.get(there[0].agent),
            shape=Shape(
                agents=len(there),
                workers=sum(share.workers for share in there),
                connections=sum(share.connections for share in there),
                in_flight_max=agents.in_flight_max * len(there),
                spin=agents.wait == "spin",
                cpus=tuple(cpu for share in there for cpu in share.cpus),
            ),
        )
        for there in by_host.values()
    ]


@dataclass(frozen=True)
class _Session:
    fleet: Fleet
    side: EngineSide
    say: Callable[[str], None]
    fresh: bool

    def calibrate(self, specs: Mapping[str, CalibrationSpec]) -> dict[str, Calibration]:
        """By agent; recalled where it is known."""
        known = self._recalled(specs)
        missing = {agent: spec for agent, spec in specs.items() if agent not in known}
        return known | self._measured(missing)

    def calibrate_beside(self, specs: Mapping[str, CalibrationSpec]) -> list[Calibration]:
        """As `calibrate`, against a reflector on the engine's host."""
        known = self._recalled(specs)
        missing = {agent: spec for agent, spec in specs.items() if agent not in known}
        if missing:
            threads = max(spec.shape.workers for spec in missing.values())
            try:
                with reflector_beside(self.side, threads) as (address, port):
                    there = Reflector(address, port, authorized=self.side.authorized)
                    specs_there = {
                        agent: replace(spec, reflector=there) for agent, spec in missing.items()
                    }
                    known |= self._measured(specs_there)
            except ClusterError as error:
                known |= {
                    agent: _nothing(spec, error.message)
                    for agent, spec in missing.items()
                    if agent not in known
                }
        return list(known.values())

    def _recalled(self, specs: Mapping[str, CalibrationSpec]) -> dict[str, Calibration]:
        if self.fresh or not specs:
            return {}
        answers = self.fleet.known_calibrations({agent: (s,) for agent, s in specs.items()}).ok
        return {agent: known for agent, (known,) in answers.items() if known is not None}

    def _measured(self, specs: Mapping[str, CalibrationSpec]) -> dict[str, Calibration]:
        if not specs:
            return {}
        what = f"{len(specs)} load host{'s' * (len(specs) > 1)}"
        where = {spec.against for spec in specs.values()}
        self.say(f"calibrating {what} against {'/'.join(where)}, for {LONGEST_S:g} s at most")
        answers = self.fleet.calibrate(specs)
        if answers.failed:
            # Whoever did not answer in time must not send beside the first level.
            self.fleet.release()
        failed = {agent: _nothing(specs[agent], why) for agent, why in answers.failed.items()}
        return dict(answers.ok) | failed


def _spec(host: LoadHost, against: Against, engine: EngineSide | None = None) -> CalibrationSpec:
    facts = {"usable cpus": host.place.cpus} | _telling("", host.facts)
    if engine is not None:
        facts |= {"engine address": engine.address} | _telling("engine ", engine.facts)
    return CalibrationSpec(host.place.host, against, host.shape, facts)


def _telling(prefix: str, facts: HostFacts | None) -> dict[str, str | int | None]:
    """The facts of a host that change what it can do."""
    if facts is None:
        return {}
    return {
        f"{prefix}hostname": facts.hostname,
        f"{prefix}cpu model": facts.cpu_model,
        f"{prefix}cpus": facts.cpus,
        f"{prefix}kernel": facts.kernel,
        f"{prefix}governor": facts.governor,
    }


def _nothing(spec: CalibrationSpec, why: str) -> Calibration:
    return Calibration(
        host=spec.host,
        against=spec.against,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        floor_p50_ns=None,
        floor_p99_ns=None,
        clean_rate_per_s=None,
        not_measured=why,
        agents=spec.shape.agents,
    )


def in_words(calibration: Calibration) -> str:
    """One calibration as a sentence for people."""
    parts = []
    if calibration.floor_p50_ns is not None:
        parts.append(f"service time p50 {format_ns(calibration.floor_p50_ns)}")
    if calibration.floor_p99_ns is not None:
        parts.append(f"p99 {format_ns(calibration.floor_p99_ns)}")
    if calibration.clean_rate_per_s is not None:
        least = "at least " if calibration.bound_by != "client" else ""
        each = " by each agent" if calibration.agents > 1 else ""
        rate = format_rate(calibration.clean_rate_per_s)
        parts.append(f"{least}{rate} sent on time{each}")
    if calibration.not_measured:
        parts.append(calibration.not_measured)
    known = f" (measured {calibration.measured_at[:10]})" if calibration.cached else ""
    return f"{calibration.host} against {calibration.against}: {', '.join(parts)}{known}"


@dataclass(frozen=True)
class PlannedShare:
    """What a level offers of what its most loaded host can do."""

    sentence: str
    too_much: bool


def planned_shares(
    levels: Sequence[Level], hosts: Mapping[str, str], calibrations: Sequence[Calibration]
) -> Iterator[PlannedShare]:
    """One per open-loop level whose hosts are calibrated."""
    for level in levels:
        shares = host_shares(level, hosts, calibrations)
        if shares:
            yield PlannedShare(
                f"level {level.index + 1} offers {shares[0].in_words} on {shares[0].host}",
                shares[0].ratio > SHARE_HIGH,
            )
