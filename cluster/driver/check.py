"""Everything short of load: what will be measured, and what can't be."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

from cluster.driver.apart import require_apart, ways_of
from cluster.driver.calibration import REMEDY, calibrate_hosts, in_words, planned_shares
from cluster.driver.engine_side import EngineSide
from cluster.driver.limits import require_room
from cluster.driver.offer import offer_in_words
from cluster.driver.signals import claim_stop_signals, stop_signals_interrupt
from cluster.errors import ClusterError
from cluster.experiment.model import Experiment
from cluster.experiment.plan import Level, Plan, plan
from cluster.experiment.target import require_permitted
from cluster.experiment.twin import TWICE, repeated, why_no_twin
from cluster.experiment.wire import CompiledProtocol, compile_protocol
from cluster.fleet.agent import Place
from cluster.fleet.clocks import measure_clocks
from cluster.fleet.protocol import Fleet
from cluster.fleet.replay_reader import FileLook
from cluster.fleet.spec import replayed_file
from cluster.fleet.start import places_of, same_clock, start_fleet
from cluster.host.clock import SAME_CLOCK, ClockOffset
from cluster.results.record import Record
from cluster.units import format_ns, format_rate, format_speed

State = Literal["ok", "warning", "missing", "failed"]
RATES_SHOWN = 3
MARKS: dict[State, str] = {
    "ok": "ok     ",
    "warning": "warning",
    "missing": "missing",
    "failed": "FAILED ",
}


class CheckLine(Record):
    """One thing that was looked at."""

    area: str  # plan, protocol, engine, profile, fleet, file, calibration
    state: State  # missing: the run goes on without it; failed: it can't start
    what: str
    remedy: str = ""


class Check(Record):
    """Everything that was looked at."""

    lines: list[CheckLine]

    @property
    def ok(self) -> bool:
        """Whether the run can start."""
        return all(line.state != "failed" for line in self.lines)

    def as_text(self) -> str:
        """One line per thing, and what to do about those that are not there."""
        text = []
        for line in self.lines:
            text.append(f"{MARKS[line.state]} {line.area}: {line.what}")
            if line.remedy:
                text.append(f"{'':8}{line.remedy}")
        text.append("The run can start." if self.ok else "The run can't start.")
        return "\n".join(text)


def check_experiment(experiment: Experiment) -> Check:
    """Carry out the experiment's preparations and undo them; the engine gets no load.

    Raises:
        ConfigError: the experiment can't be laid out on this machine, or load may not go there.
    """
    planned = plan(experiment, frozenset(os.sched_getaffinity(0)))
    protocol = compile_protocol(experiment, planned)
    target = offer_in_words(experiment, planned, require_permitted(experiment))
    lines = [CheckLine(area="plan", state="ok", what=target)]
    lines += [
        CheckLine(area="plan", state="ok", what=what) for what in _plan_lines(experiment, planned)
    ]
    lines.append(CheckLine(area="protocol", state="ok", what=protocol.title))
    with (
        stop_signals_interrupt(),
        _failure_of("engine", lines),
        EngineSide(experiment, planned) as side,
    ):
        with _failure_of("engine", lines):
            side.start()
            lines.extend(_engine_lines(side))
        with _failure_of("fleet", lines), start_fleet(experiment) as fleet:
            claim_stop_signals()
            places = places_of(fleet)
            require_room(planned.levels[0].shares, fleet.limits().ok)
            lines.extend(_fleet_lines(experiment, fleet, places))
            lines.extend(
                CheckLine(area="fleet", state="warning", what=beside.message, remedy=beside.advice)
                for beside in require_apart(experiment, fleet, places, side.identity)
            )
            lines.extend(_file_lines(experiment, protocol, fleet))
            lines.extend(_calibration_lines(experiment, planned, fleet, side, places))
    return Check(lines=lines)


def _fleet_lines(
    experiment: Experiment, fleet: Fleet, places: Mapping[str, Place]
) -> Iterator[CheckLine]:
    """Where each agent is, from where it reaches the engine, and what its clock is worth."""
    clocks = measure_clocks(fleet, same=same_clock(places))
    ways = ways_of(fleet, experiment)
    for agent, place in places.items():
        source = ways[agent].source
        address = experiment.engine.address
        yield CheckLine(
            area="fleet",
            state="ok" if source else "failed",
            what=f"{agent} on {place.host}, {place.cpus} CPUs, loadcluster {place.version}, "
            f"{_clock(clocks[agent])}, "
            + (f"connects from {source}" if source else f"has no route to {address}"),
            remedy="" if source else f"`engine.address` ({address}) is as seen from there.",
        )


def _clock(clock: ClockOffset) -> str:
    if clock == SAME_CLOCK:
        return "the driver's own clock"
    off = f"{format_ns(abs(clock.offset_ns))} {'ahead' if clock.offset_ns > 0 else 'behind'}"
    return f"clock {off}, known within {format_ns(clock.error_ns)}"


def _calibration_lines(
    experiment: Experiment,
    planned: Plan,
    fleet: Fleet,
    side: EngineSide,
    places: Mapping[str, Place],
) -> Iterator[CheckLine]:
    """What the load hosts can do, and what the levels ask of them."""
    calibrations = calibrate_hosts(
        experiment, planned, fleet, side, places=places, facts=fleet.facts().ok
    )
    for calibration in calibrations:
        missing = bool(calibration.not_measured)
        state: State = "missing" if missing else "ok"
        yield CheckLine(area="calibration", state=state, what=in_words(calibration))
    hosts = {agent: place.host for agent, place in places.items()}
    for share in planned_shares(planned.levels, hosts, calibrations):
        yield CheckLine(
            area="calibration",
            state="warning" if share.too_much else "ok",
            what=share.sentence,
            remedy=REMEDY if share.too_much else "",
        )


def _plan_lines(experiment: Experiment, planned: Plan) -> Iterator[str]:
    trials = len(planned.trials)
    for level in planned.trials[0]:
        yield f"{level.name}: {_offer(level)}, {_parts(level)}"
    for share in planned.levels[0].shares:
        pinned = f"on CPUs {_cpus(share.cpus)}" if share.cpus else "not pinned"
        yield (
            f"{share.agent}: {_share(planned, share.index)}{share.workers} workers, "
            f"{share.connections} connections, {pinned}"
        )
    if planned.engine_cpus:
        yield f"engine on CPUs {_cpus(planned.engine_cpus)}"
    if trials > 1:
        anew = experiment.engine.reference is not None or experiment.engine.command is not None
        between = "the engine started anew in between" if anew else "all of one engine process"
        yield f"{trials} trials of these levels, {between}"
    pair: tuple[Level, ...] = ()
    if experiment.measure.client_invariance:
        why = why_no_twin(experiment)
        pair = () if why else (repeated(planned.levels[0], 0),) * TWICE
        clients = f"{experiment.agents.count} and from {TWICE * experiment.agents.count} clients"
        yield f"no comparison of clients: {why}" if why else f"a level once more, from {clients}"
    yield _load_s((*planned.levels, *pair))
    yield from planned.notes


def _share(planned: Plan, index: int) -> str:
    """What one agent offers, of all levels of a trial."""
    shares = [level.shares[index] for level in planned.trials[0]]
    rates = [share.rate_per_s for share in shares if share.rate_per_s]
    parts = []
    if len(rates) > RATES_SHOWN:
        parts.append(f"{format_rate(rates[0])} to {format_rate(rates[-1])} at {len(rates)} levels")
    elif rates:
        parts.append(", then ".join(map(format_rate, rates)))
    parts += [f"{share.in_flight:,} in flight" for share in shares if share.in_flight]
    return "".join(f"{part}, " for part in parts)


def _load_s(levels: Sequence[Level]) -> str:
    least_s = sum(level.duration_s for level in levels)
    longest_s = sum(level.longest_s for level in levels)
    if least_s == longest_s:
        return f"{least_s:,} s of load"
    return f"at least {least_s:,} s of load, at most {longest_s:,} s"


def _offer(level: Level) -> str:
    if level.speed is not None:
        return format_speed(level.speed)
    if level.offered_per_s is None:
        return f"the most the engine takes, closed-loop with {level.in_flight:,} in flight"
    return f"{format_rate(level.offered_per_s)}, {level.arrivals_in_words} arrivals"


def _parts(level: Level) -> str:
    parts = (
        (level.warmup_s, level.warmup_longest_s, "warm-up"),
        (level.control_s, level.control_longest_s, "control window"),
        (level.profile_s, level.profile_s, "profile window"),
    )
    return ", ".join(
        f"{least_s} s {name}" if least_s == most_s else f"{least_s} to {most_s} s {name}"
        for least_s, most_s, name in parts
        if most_s
    )


def _file_lines(
    experiment: Experiment, protocol: CompiledProtocol, fleet: Fleet
) -> Iterator[CheckLine]:
    """The file that is replayed, as each load host sees it."""
    replay = replayed_file(experiment)
    if replay is None:
        return
    looks = fleet.look_at_file(replay, bool(experiment.load.speeds), protocol.plan_text)
    for agent, why in looks.failed.items():
        yield CheckLine(
            area="file",
            state="failed",
            what=f"{agent}: {why}",
            remedy="It must be the same file under the same path on every load host.",
        )
    for agent, look in looks.ok.items():
        yield CheckLine(area="file", state="ok", what=f"{agent}: {_as_seen(replay.file, look)}")
    if len(set(looks.ok.values())) > 1:
        yield CheckLine(
            area="file", state="failed", what=f"{replay.file} differs from load host to load host"
        )


def _as_seen(file: str, look: FileLook) -> str:
    whole = f", {look.whole_rows:,} in all" if look.whole_rows is not None else ""
    rate = f", {format_rate(look.rate_per_s)} as recorded" if look.rate_per_s else ""
    return (
        f"{file}: the first {look.rows:,} rows can be read{whole}{rate}, {look.symbols:,} symbols; "
        f"{look.unknown_references:,} rows ({look.unknown_references / look.rows:.1%}) name no "
        "living order and would be skipped"
    )


def _cpus(cpus: tuple[int, ...]) -> str:
    return ", ".join(str(cpu) for cpu in cpus)


def _engine_lines(side: EngineSide) -> Iterator[CheckLine]:
    yield CheckLine(area="engine", state="ok", what=f"process {side.process}")
    if side.clock is not None:
        how = "" if side.clock == SAME_CLOCK else f" ({side.clock.method})"
        what = f"{_clock(side.clock)}{how}"
        yield CheckLine(area="engine", state="ok", what=what)
    for capability in side.capabilities:
        what = capability.what + (f": {capability.why}" if capability.why else "")
        state: State = "ok" if capability.available else "missing"
        yield CheckLine(area="profile", state=state, what=what, remedy=capability.remedy)


@contextmanager
def _failure_of(area: str, lines: list[CheckLine]) -> Iterator[None]:
    try:
        yield
    except ClusterError as error:
        lines.append(CheckLine(area=area, state="failed", what=error.message, remedy=error.hint))
