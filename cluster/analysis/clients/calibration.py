"""What a level offers against what its load hosts can do by themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cluster.analysis.finding import finding
from cluster.analysis.observed import Observed
from cluster.analysis.verdict.case import Case, row
from cluster.experiment.plan import Level
from cluster.results.finding import Finding, Severity
from cluster.results.summary import Calibration, Evidence
from cluster.units import format_ns, format_rate

# Queues are short below about 70 % of what a server can do, and grow fast beyond. Below 30 % a
# client has more time to spare than any engine's burst can take.
SHARE_HIGH: Final = 0.7
SHARE_LOW: Final = 0.3
# The engine adds so little to the path's own time that it hardly matters which of them grew.
FLOOR_NEAR_P50: Final = 1.5
FLOOR_NEAR_P99: Final = 2.0


@dataclass(frozen=True)
class HostShare:
    """What a host has to send at a level, against what it can."""

    host: str
    offered_per_s: float
    clean_per_s: float  # of all its agents together
    at_least: bool  # the client can do more: something else ended the calibration

    @property
    def ratio(self) -> float:
        """The share that is offered."""
        return self.offered_per_s / self.clean_per_s

    @property
    def in_words(self) -> str:
        """`85% of the 400,000/s calibrated`."""
        least = "at least " if self.at_least else ""
        return f"{self.ratio:.0%} of the {least}{format_rate(self.clean_per_s)} calibrated"


def host_shares(
    level: Level, hosts: Mapping[str, str], calibrations: Sequence[Calibration]
) -> list[HostShare]:
    """The share of each calibrated host, the largest first; none when nothing is offered.

    Agents of one host share what it can do: it was calibrated with the workers of all of them, and
    their rates are summed up.

    Args:
        level: open-loop; others offer no rate.
        hosts: host name by agent.
        calibrations: of the run.
    """
    if level.offered_per_s is None:
        return []
    shares = []
    for host in dict.fromkeys(hosts.values()):
        clean = _clean_of(host, calibrations)
        sharing = [share for share in level.shares if hosts.get(share.agent) == host]
        # The rate of recorded times is known only of all agents together.
        offered = sum(share.rate_per_s for share in sharing) or (
            level.offered_per_s * len(sharing) / max(len(level.shares), 1)
        )
        if clean is not None and clean.clean_rate_per_s and offered:
            shares.append(
                HostShare(
                    host,
                    offered,
                    clean.clean_rate_per_s * clean.agents,
                    at_least=clean.bound_by != "client",
                )
            )
    return sorted(shares, key=lambda share: -share.ratio)


def _clean_of(host: str, calibrations: Sequence[Calibration]) -> Calibration | None:
    """The calibration that tells what the client can do: the lowest that the client bounded."""
    known = [c for c in calibrations if c.host == host and c.clean_rate_per_s]
    own = [c for c in known if c.bound_by == "client"]
    if own:
        return min(own, key=lambda c: c.clean_rate_per_s or 0)
    return max(known, key=lambda c: c.clean_rate_per_s or 0, default=None)


def within_calibrated_rate(seen: Observed, calibrations: Sequence[Calibration]) -> Finding | None:
    """No host had to send more than 70 % of what it sends on time by itself."""
    shares = host_shares(seen.record.level, _hosts(seen), calibrations)
    if not shares or shares[0].ratio <= SHARE_HIGH:
        return None
    worst = shares[0]
    return finding(
        seen,
        Severity.WARNING,
        "beyond-calibrated-rate",
        f"{worst.host} had to send {format_rate(worst.offered_per_s)}, {worst.in_words}: the "
        "most that its clients send on time against a reflector.",
        "The clients may be what is measured: read the send lag, use more load hosts or workers, "
        "or calibrate anew with nothing else on the host (`measure.calibration: fresh`).",
    )


def _hosts(seen: Observed) -> dict[str, str]:
    return {agent.agent: agent.host for agent in seen.record.agents}


def calibrated_share(case: Case) -> Evidence | None:
    """Clients near what they can do by themselves are suspects; far below it they are not."""
    shares = host_shares(case.seen.record.level, _hosts(case.seen), case.calibrations)
    if not shares:
        return None
    worst = shares[0]
    name = "offered, of the calibrated rate"
    value = f"{worst.in_words} on {worst.host}"
    if worst.ratio < SHARE_LOW:
        return row(
            name, value, "The clients can do far more than this.", against=("client",), weight=1.0
        )
    if worst.ratio <= SHARE_HIGH:
        return row(name, value, "The clients can do more than this.")
    if worst.at_least:
        return row(name, value, "It is not known that the clients can do more than this.")
    return row(
        name,
        value,
        "The clients were near what they can do, or beyond.",
        supports="client",
        weight=1.5 if worst.ratio > 1 else 0.7,
    )


def reflector_floor(case: Case) -> Evidence | None:
    """A reflector in the engine's place that takes as long as the engine clears the engine."""
    floors = [
        (c.floor_p50_ns, c.floor_p99_ns)
        for c in case.calibrations
        if c.against == "engine host" and c.bound_by != "other load"
        if c.floor_p50_ns and c.floor_p99_ns
    ]
    service = case.seen.control.service
    p50, p99 = service.percentile(50), service.percentile(99)
    if not floors or p50 is None or p99 is None:
        return None
    floor_p50, floor_p99 = max(floors)
    name = "service time p50 against a reflector's"
    value = f"{format_ns(p50)}, {p50 / floor_p50:.1f} times {format_ns(floor_p50)}"
    if p50 <= FLOOR_NEAR_P50 * floor_p50 and p99 <= FLOOR_NEAR_P99 * floor_p99:
        return row(
            name,
            value,
            "Something that only answers takes as long on the same way: the engine adds little.",
            against=("engine",),
            weight=1.5,
        )
    return row(name, value, "The engine, or a queue, adds to what the way there and back takes.")
