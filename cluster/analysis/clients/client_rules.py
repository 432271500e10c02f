"""Findings about each client: did it offer its share, by the law, and is the tail its own?"""

from collections.abc import Sequence
from typing import Final

from scipy.special import ndtri

from cluster.analysis.clients.arrival_law import ArrivalJudgement
from cluster.analysis.clients.lag import LAG_INVALID_NS, AgentWindow
from cluster.analysis.clients.senders import inside
from cluster.analysis.finding import finding
from cluster.analysis.load_rules import RATE_TOLERANCE, chance
from cluster.analysis.observed import Observed
from cluster.results.finding import Finding, Severity
from cluster.units import format_ns, format_rate

# At either end of a second one order may fall to the other side.
ENDS: Final = 2
# A pause of 20 ms at the end of a second moves 2 % of its orders into the next: two seconds off,
# and nothing lost. A client that is off in more than half of its seconds never had its rate.
OFF_SECONDS_INVALID: Final = 0.5
SHARE_ALPHA: Final = 0.001  # of naming a client of the right rate, for all of a level's clients

# What says that the load which left was not the load asked for, by the clients' fault.
NOT_THE_LOAD: Final = frozenset({"client-behind-schedule", "client-rate-off", "arrival-law-missed"})


def clients_failed(findings: Sequence[Finding]) -> bool:
    """Whether the clients did not offer the load that a level asked for."""
    return any(f.code in NOT_THE_LOAD and f.severity is Severity.INVALID for f in findings)


def schedule_missed(seen: Observed) -> bool:
    """Whether clients missed their schedule by their own doing, and for more than single orders."""
    lags = [seen.lag, *(window.lag for window in seen.agents)]
    return any(lag is not None and lag.missed for lag in lags)


def shares_sent(seen: Observed) -> Finding | None:
    """Every client sent in every second what was due in it, by its own clock.

    The seconds of other rules are those in which orders were *due*: whatever was sent late is in
    them. Here it counts when it was sent, against the client's own schedule of that second, so
    there is no chance in it. That the schedule has the client's share is `shares_due`.
    """
    off = [(window, seconds) for window in seen.agents if (seconds := _off_seconds(seen, window))]
    if not off:
        return None
    window, seconds = max(off, key=lambda pair: len(pair[1]))
    measured = len(inside(window.agent.activity, seen.control.seconds))
    never = len(seconds) > OFF_SECONDS_INVALID * measured
    second, ratio = max(seconds.items(), key=lambda item: abs(item[1]))
    others = f", and {len(off) - 1} other clients in some" if len(off) > 1 else ""
    return finding(
        seen,
        Severity.INVALID if never else Severity.WARNING,
        "client-rate-off",
        f"{window.agent.agent} on {window.agent.host} did not send what was due in "
        f"{_named(sorted(seconds))}, {len(seconds)} of {measured} measured{others}: second "
        f"{second} by {ratio:+.1%}.",
        "The client was held up, and caught up later: see its send lag. Give it CPUs of its own "
        "(`cpus`), more workers, or a smaller share of the load.",
    )


def _off_seconds(seen: Observed, window: AgentWindow) -> dict[int, float]:
    """Seconds in which a client sent another number of orders than it should: by what share."""
    if window.lag is None or window.lag.fault == "engine":
        return {}  # closed-loop, or said by `engine-pushed-back`
    excused = seen.record.ended_early or window.own.orders.lost
    due = {
        interval.index: interval.orders.sent if excused else interval.orders.intended
        for interval in window.agent.intervals
    }
    off = {}
    for second in inside(window.agent.activity, seen.control.seconds):
        planned, sent = due.get(second.index, 0), int(second.sent_per_ms.sum())
        if abs(sent - planned) > RATE_TOLERANCE * planned + ENDS:
            off[second.index] = sent / planned - 1 if planned else 1.0
    return off


def _named(seconds: Sequence[int]) -> str:
    shown = ", ".join(str(second) for second in seconds[:5])
    more = " …" if len(seconds) > 5 else ""  # noqa: PLR2004 - a line has room for so many
    return f"second{'s' if len(seconds) > 1 else ''} {shown}{more}"


def shares_due(seen: Observed) -> Finding | None:
    """Every client's schedule had its share of the rate, within the chance of the law."""
    seconds = len(seen.control.seconds)
    rates = {share.agent: share.rate_per_s for share in seen.record.level.shares}
    if not seen.record.level.offered_per_s or not seconds:
        return None
    sigmas = float(-ndtri(SHARE_ALPHA / 2 / max(len(seen.agents), 1)))
    for window in seen.agents:
        planned = rates.get(window.agent.agent, 0.0) * seconds
        due = window.own.orders.intended
        if abs(due - planned) > RATE_TOLERANCE * planned + chance(seen.record, planned, sigmas):
            return finding(
                seen,
                Severity.INVALID,
                "client-rate-off",
                f"{due:,} orders were due at {window.agent.agent} on {window.agent.host} in "
                f"{seconds} s, where its share of {format_rate(planned / seconds)} is "
                f"{planned:,.0f}.",
                "Its schedule is not that of the plan: agents may have started apart.",
            )
    return None


def arrivals_by_law(seen: Observed) -> list[Finding]:
    """Orders left the clients as the arrival law has them, at lengths of time that matter.

    Delaying every arrival at a queue by up to δ delays no departure by more: so orders that were
    moved by less than a tenth of the response time move it by less than a tenth.
    """
    failed = [judged for judged in seen.arrivals if judged.test.kept is False]
    own = [judged for judged in failed if not judged.excused]
    missed = [j for j in own if not j.by_lag or (j.test.moved_ns or 0) > LAG_INVALID_NS]
    bunched = [j for j in own if j not in missed]
    found = []
    if missed:
        worst = max(missed, key=_moved)
        found.append(
            finding(
                seen,
                Severity.INVALID,
                "arrival-law-missed",
                f"The orders of {worst.test.who} did not leave as "
                f"{seen.record.level.arrivals_in_words} arrivals do: {_by_what(worst, seen)}.",
                "The load was not the one that was asked for. "
                + (
                    "The clients were too late to keep its law: see their send lag."
                    if worst.by_lag
                    else "Their lateness does not explain it: clients may send in step, or have "
                    "the same seed."
                ),
            )
        )
    if bunched:
        worst = max(bunched, key=_moved)
        found.append(
            finding(
                seen,
                Severity.WARNING,
                "arrivals-bunched",
                f"The orders of {worst.test.who} left "
                f"{'in clumps' if worst.clumped else 'more evenly than by their law'} below "
                f"{format_ns(_moved(worst))}: {_by_what(worst, seen)}.",
                "The engine saw them so. Use `wait: spin`, or more workers or hosts, so that fewer "
                "orders are due while a client does something else.",
            )
        )
    return found


def _moved(judged: ArrivalJudgement) -> int:
    return judged.test.moved_ns or 0


def _by_what(judged: ArrivalJudgement, seen: Observed) -> str:
    test, median_ns = judged.test, seen.control.service.percentile(50)
    parts = [f"by their {judged.where} they were moved by {format_ns(_moved(judged))} or more"]
    if median_ns:
        parts.append(f"{_moved(judged) / median_ns:.0%} of the median service time")
    if test.distance is not None:
        parts.append(f"their gaps are {test.distance:.3f} from the law's")
    return ", ".join(parts)


def tail_is_shared(seen: Observed) -> list[Finding]:
    """No client owns the tail of all."""
    return [
        finding(
            seen,
            Severity.WARNING,
            "agent-owns-tail",
            f"{outlier.agent} on {outlier.host} sent {outlier.order_share:.0%} of the orders and "
            f"{outlier.tail_share:.0%} of those beyond the p99: {format_ns(outlier.p99_ns or 0)} "
            f"with it and {format_ns(outlier.p99_without_ns or 0)} without.",
            "Look at its host and its way to the engine before you conclude on the engine.",
        )
        for outlier in seen.outliers.agents
    ]
