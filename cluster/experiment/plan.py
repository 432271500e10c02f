"""The plan: pure arithmetic from an experiment to what each agent does at each level."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from cluster.experiment.model import Bursts, Experiment, Hawkes, Load, Maximum, Until
from cluster.experiment.placement import Placement, place


@dataclass(frozen=True)
class AgentShare:
    """One agent's part of one level. Rates of all agents sum to the level's offered load."""

    agent: str  # agent-0, agent-1 …
    index: int
    rate_per_s: float  # 0 when closed-loop
    in_flight: int  # 0 when open-loop
    phase: float  # 0 to 1: where in an interval between its orders this agent starts
    connections: int
    workers: int
    cpus: tuple[int, ...]  # one per worker; empty: not pinned


@dataclass(frozen=True)
class Level:
    """One load level. Its parts follow each other without a gap: warm-up, control, profile.

    As planned, the parts have their least lengths; as carried out, those that they really had.
    """

    index: int
    arrivals: Literal["constant", "poisson", "hawkes", "bursts", "closed", "recorded"]
    offered_per_s: float | None  # None when closed-loop; recorded: known once it was offered
    in_flight: int | None  # only when closed-loop
    warmup_s: int  # whole seconds, so that windows are whole intervals
    control_s: int
    profile_s: int  # 0: no profiler at this level
    shares: tuple[AgentShare, ...]
    law: Hawkes | Bursts | None = None  # parameters of `arrivals`, if it has any
    speed: float | None = None  # only when recorded: how many times as fast
    trial: int = 0  # which repetition
    # Repeated, doubled: another level once more, from the same and from twice as many clients.
    clients: Literal["planned", "repeated", "doubled"] = "planned"
    warmup_at_most_s: int | None = None  # it may last so long; None: it is fixed
    until: Until | None = None  # how long the control window may go on, and until when

    @property
    def name(self) -> str:
        """Its number in the run, with what tells it from the others at the same load."""
        of = {
            "planned": f" (trial {self.trial + 1})" if self.trial else "",
            "repeated": " (a level once more)",
            "doubled": f" (the same from {len(self.shares)} clients)",
        }
        return f"level {self.index + 1}{of[self.clients]}"

    @property
    def arrivals_in_words(self) -> str:
        """The law of arrival with its parameters."""
        return f"{self.arrivals} ({self.law.in_words()})" if self.law else self.arrivals

    @property
    def duration_s(self) -> int:
        """Seconds during which orders are due."""
        return self.warmup_s + self.control_s + self.profile_s

    @property
    def control_end_s(self) -> int:
        """The second at which the control window ends."""
        return self.warmup_s + self.control_s

    @property
    def warmup_longest_s(self) -> int:
        """Seconds that the warm-up may last."""
        return max(self.warmup_s, self.warmup_at_most_s or 0)

    @property
    def control_longest_s(self) -> int:
        """Seconds that the control window may last."""
        return max(self.control_s, self.until.at_most_s if self.until else 0)

    @property
    def longest_s(self) -> int:
        """Seconds during which orders may be due, whatever is decided while they are."""
        return self.warmup_longest_s + self.control_longest_s + self.profile_s


@dataclass(frozen=True)
class Plan:
    """Everything a run will do, known before it starts.

    Which level client invariance repeats is known after the others: experiment/twin.py makes it.
    """

    levels: tuple[Level, ...]  # of all trials, one trial after the other
    engine_cpus: tuple[int, ...]  # empty: not pinned
    notes: tuple[str, ...] = ()  # what could not be laid out as one would wish, one sentence each

    @property
    def trials(self) -> tuple[tuple[Level, ...], ...]:
        """The levels of each trial."""
        last = max(level.trial for level in self.levels)
        return tuple(
            tuple(level for level in self.levels if level.trial == trial)
            for trial in range(last + 1)
        )


def plan(experiment: Experiment, usable_cpus: frozenset[int]) -> Plan:
    """Lay out `experiment`: the rates or speeds in their order, then the closed-loop maximum.

    With several trials, all of it so many times. Indices rise through all trials, so that every
    level has arrival times and ids of its own; its orders are the same in each.

    Args:
        experiment: What to do.
        usable_cpus: The CPUs that this machine lets us use.

    Raises:
        ConfigError: `cpus` names CPUs of this machine that can't be used.
    """
    placement = place(experiment, usable_cpus)
    levels = [
        _level(experiment, placement, index, offer)
        for index, offer in enumerate(_offers(experiment.load))
    ]
    trials = (
        replace(level, index=trial * len(levels) + level.index, trial=trial)
        for trial in range(experiment.measure.trials)
        for level in levels
    )
    return Plan(tuple(trials), placement.engine_cpus, placement.notes)


def split_rate(rate_per_s: float, agents: int) -> tuple[float, ...]:
    """Equal shares whose sum, exact and then rounded once, is `rate_per_s`.

    The last share takes what rounding the others left over: less than their last bit each.
    """
    share = rate_per_s / agents
    rest = Fraction(rate_per_s) - (agents - 1) * Fraction(share)
    return (*(share for _ in range(agents - 1)), float(rest))


def split_count(count: int, agents: int) -> tuple[int, ...]:
    """Whole shares that sum to `count` and differ by at most one, the larger ones first."""
    share, rest = divmod(count, agents)
    return tuple(share + (index < rest) for index in range(agents))


@dataclass(frozen=True)
class _Rate:
    per_s: float


@dataclass(frozen=True)
class _Speed:
    factor: float


_Offer = _Rate | _Speed | Maximum


def _offers(load: Load) -> Iterator[_Offer]:
    yield from map(_Rate, load.rates_per_s)
    yield from map(_Speed, load.speeds)
    if load.maximum is not None:
        yield load.maximum


def _level(experiment: Experiment, placement: Placement, index: int, offer: _Offer) -> Level:
    rate_per_s = offer.per_s if isinstance(offer, _Rate) else None
    in_flight = offer.in_flight if isinstance(offer, Maximum) else None
    return Level(
        index=index,
        arrivals=_arrivals(experiment, offer),
        offered_per_s=rate_per_s,
        in_flight=in_flight,
        warmup_s=experiment.measure.warmup_s,
        control_s=experiment.measure.control_s,
        profile_s=0 if experiment.profile == "off" else experiment.profile.window_s,
        shares=_shares(experiment, placement, rate_per_s or 0.0, in_flight or 0),
        law=None if rate_per_s is None else experiment.load.law,
        speed=offer.factor if isinstance(offer, _Speed) else None,
        warmup_at_most_s=experiment.measure.warmup_longest_s,
        until=experiment.measure.until,
    )


def _arrivals(
    experiment: Experiment, offer: _Offer
) -> Literal["constant", "poisson", "hawkes", "bursts", "closed", "recorded"]:
    match offer:
        case _Rate():
            return experiment.load.law_name
        case _Speed():
            return "recorded"
    return "closed"


def _shares(
    experiment: Experiment, placement: Placement, rate_per_s: float, in_flight: int
) -> tuple[AgentShare, ...]:
    agents = experiment.agents
    return shares_of(
        experiment,
        rates_per_s=split_rate(rate_per_s, agents.count),
        in_flight=split_count(in_flight, agents.count),
        connections=(agents.connections,) * agents.count,
        cpus=placement.agent_cpus,
    )


def shares_of(
    experiment: Experiment,
    *,
    rates_per_s: Sequence[float],
    in_flight: Sequence[int],
    connections: Sequence[int],
    cpus: Sequence[tuple[int, ...]],
) -> tuple[AgentShare, ...]:
    """What each agent does, from one value per agent of everything in which they may differ."""
    # Each agent sends every `count / rate`; shifted by 1 / count of that, agent by agent, their
    # constant schedules interleave to the one schedule of the whole rate, also within bursts.
    # What is random needs no shift.
    law = experiment.load.law
    within = law.within if isinstance(law, Bursts) else experiment.load.arrivals
    interleaved = sum(rates_per_s) > 0 and within == "constant"
    each = zip(rates_per_s, in_flight, connections, cpus, strict=True)
    return tuple(
        AgentShare(
            agent=f"agent-{index}",
            index=index,
            rate_per_s=rate,
            in_flight=orders,
            phase=index / len(rates_per_s) if interleaved else 0.0,
            connections=own,
            workers=experiment.agents.workers,
            cpus=pinned,
        )
        for index, (rate, orders, own, pinned) in enumerate(each)
    )
