"""Whether it matters who sends: the same load from K and from 2K clients.

What differs between the two is the clients' doing: their threads, their hosts, their share of
connections. The engine got the same load over the same number of connections.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cluster.analysis.observed import Observed
from cluster.analysis.uncertainty.effective_sample import INDEPENDENT
from cluster.analysis.uncertainty.intervals import percentile_interval
from cluster.analysis.uncertainty.latency import PERCENTILES
from cluster.results.finding import Finding, Severity
from cluster.results.summary import Invariance, LevelSummary, Uncertainty
from cluster.units import format_ns, format_rate

DIFFERS_RATIO: Final = 0.1  # below, a difference is of no consequence, however certain it is
COMPARED: Final = ("p50", "p99")


@dataclass(frozen=True)
class Figure:
    """One figure of both levels."""

    name: str
    once: float
    twice: float  # from 2K clients
    apart: bool  # the 95 % intervals have nothing in common
    text: str
    more_is_better: bool = False

    @property
    def differs(self) -> bool:
        """Beyond chance, and by so much that it matters."""
        return self.apart and abs(self.twice / self.once - 1) > DIFFERS_RATIO

    @property
    def better(self) -> bool:
        """Whether 2K clients did better."""
        return (self.twice > self.once) == self.more_is_better


def client_invariance(
    levels: Sequence[LevelSummary], observed: Sequence[Observed], *, one_process: bool
) -> Invariance | None:
    """Compare a level that was repeated with its twin.

    Args:
        levels: all levels of a run.
        observed: the same levels with their windows merged.
        one_process: the clients are threads of one process (the in-process fleet).

    Returns:
        None when there are no two such levels. `differs` is None when one of them is not valid,
        or when the data support no figure of both.
    """
    once = next((level for level in levels if level.clients == "repeated"), None)
    twice = next((level for level in levels if level.clients == "doubled"), None)
    if once is None or twice is None:
        return None
    by_index = {seen.index: seen for seen in observed}
    pair = by_index[once.index], by_index[twice.index]
    figures = list(_figures(once, twice, *pair))
    differs = any(figure.differs for figure in figures) if figures else None
    sentence = _sentence(once, twice, figures)
    if not (once.valid and twice.valid):
        differs, sentence = None, _not_valid(once, twice)
    return Invariance(
        level=once.index,
        twin=twice.index,
        clients=len(once.agents),
        clients_twin=len(twice.agents),
        p50_ns=[once.response_ns.p50, twice.response_ns.p50],
        p99_ns=[once.response_ns.p99, twice.response_ns.p99],
        differs=differs,
        sentence=f"{sentence} {_where(once, twice, pair[1], one_process=one_process)}",
    )


def is_better(found: Invariance) -> bool | None:
    """Whether every percentile that moved by more than a tenth moved down; None: they disagree."""
    moved = [
        twice < once
        for once, twice in (found.p50_ns, found.p99_ns)
        if once and twice is not None and abs(twice / once - 1) > DIFFERS_RATIO
    ]
    return moved[0] if moved and len(set(moved)) == 1 else None


def invariance_finding(found: Invariance | None) -> Finding | None:
    """Who sends makes no difference."""
    if found is None or not found.differs:
        return None
    advice = {
        True: "The clients took part in what was measured: use more of them, and see whether the "
        "figures still change.",
        False: "More clients got in each other's way: give them CPUs or hosts of their own, then "
        "repeat the comparison.",
        None: "Look at both levels: the clients take part in what is measured.",
    }
    return Finding(
        severity=Severity.WARNING,
        code="clients-matter",
        message=found.sentence,
        advice=advice[is_better(found)],
        level=found.twin,
    )


def _figures(
    once: LevelSummary, twice: LevelSummary, seen: Observed, twin: Observed
) -> Iterator[Figure]:
    for name in COMPARED:
        one, two = getattr(once.response_ns, name), getattr(twice.response_ns, name)
        intervals = _interval(once, seen, name), _interval(twice, twin, name)
        first, second = intervals
        if one and two and first and second:
            text = f"{name} {format_ns(one)} and {format_ns(two)}"
            apart = _apart(first.low, first.high, second.low, second.high)
            yield Figure(name, one, two, apart, text)
    one, two = once.throughput_per_s, twice.throughput_per_s
    if once.arrivals == "closed" and one.mean and two.mean:
        # Between the slowest and the fastest second: wider than chance makes the mean.
        known = one.min is not None and two.min is not None
        apart = known and _apart(one.min or 0, one.max, two.min or 0, two.max)
        text = f"throughput {format_rate(one.mean)} and {format_rate(two.mean)}"
        yield Figure("throughput", one.mean, two.mean, apart, text, more_is_better=True)


def _interval(level: LevelSummary, seen: Observed, name: str) -> Uncertainty | None:
    """The 95 % interval of a percentile; where dependence is not known, as of independent orders.

    The latter is too narrow: then it is left to DIFFERS_RATIO to tell chance from a difference.
    """
    known = level.response_ns.intervals.get(name)
    if known is not None:
        return known
    control = seen.control
    missing = control.unanswered + control.orders.unsent
    found, _ = percentile_interval(control.response, PERCENTILES[name], missing, INDEPENDENT)
    return found


def _apart(low: float, high: float | None, other_low: float, other_high: float | None) -> bool:
    """Whether two intervals have nothing in common; None is without bound."""
    below = high is not None and high < other_low
    above = other_high is not None and other_high < low
    return below or above


def _sentence(once: LevelSummary, twice: LevelSummary, figures: Sequence[Figure]) -> str:
    who = f"from {len(once.agents)} and from {len(twice.agents)} clients, at the same load"
    if not figures:
        return f"The data support no percentile of both levels, {who}: nothing can be compared."
    told = "; ".join(figure.text for figure in figures)
    differing = [figure for figure in figures if figure.differs]
    if not differing:
        return f"It does not matter who sends: {told} {who}."
    names = " and ".join(figure.name for figure in differing)
    if all(figure.better for figure in differing):
        how = "better from more clients"
    elif not any(figure.better for figure in differing):
        how = "worse from more clients"
    else:
        how = "not the same"
    verb = "is" if len(differing) == 1 else "are"
    return f"It matters who sends: {names} {verb} {how}. {told[:1].upper()}{told[1:]} {who}."


def _not_valid(once: LevelSummary, twice: LevelSummary) -> str:
    level = once if not once.valid else twice
    why = next(f.message for f in level.findings if f.severity is Severity.INVALID)
    return (
        f"Nothing can be compared: the level from {len(level.agents)} clients is not valid. {why}"
    )


def _where(once: LevelSummary, twice: LevelSummary, twin: Observed, *, one_process: bool) -> str:
    """What the comparison tells apart: processes, or hosts too; and whether CPUs were shared."""
    clients = len(twice.agents)
    hosts = {agent.host for agent in twice.agents}
    s = "s" if len(hosts) > 1 else ""
    if one_process:
        said = f"{clients} clients in one process: this tells their threads apart, nothing else."
    elif len(hosts) > len({agent.host for agent in once.agents}):
        said = f"{clients} clients on {len(hosts)} hosts: this tells the clients' hosts apart."
    else:
        said = (
            f"{clients} clients on {len(hosts)} host{s}: this tells the clients' processes apart, "
            "not the hosts."
        )
    return said + _shared_cpus(twin)


def _shared_cpus(twin: Observed) -> str:
    """Pinned workers of the twin that had to share CPUs, in a sentence; or nothing."""
    hosts = {agent.agent: agent.host for agent in twin.record.agents}
    pinned: dict[str, list[int]] = {}
    for share in twin.record.level.shares:
        pinned.setdefault(hosts[share.agent], []).extend(share.cpus)
    crowded = {host: cpus for host, cpus in pinned.items() if len(cpus) > len(set(cpus))}
    return "".join(
        f" On {host}, {len(cpus)} workers shared {len(set(cpus))} CPU{'s' * (len(set(cpus)) > 1)}, "
        "as there were no more."
        for host, cpus in sorted(crowded.items())
    )
