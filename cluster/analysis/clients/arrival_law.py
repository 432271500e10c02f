"""Whether orders left as their arrival law says: each client's, and those of all together.

A client that is late has told so by its send lag. This test needs no schedule to compare with: it
also sees a schedule that is wrong, clients that send in step, and times that were not true.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cluster.analysis.clients.dispersion import BINS_NEEDED, dispersion, raw_dispersion
from cluster.analysis.clients.gap_tests import (
    DISTANCE_MAX,
    anderson_darling,
    anderson_darling_p,
    distance,
    distance_by_chance,
    moved_ns,
)
from cluster.analysis.clients.holm import holm
from cluster.analysis.clients.lag import LAG_SHARE_P99, AgentWindow
from cluster.analysis.clients.send_law import Floats, SendLaw, send_law
from cluster.analysis.clients.send_sample import binned, gap_sample
from cluster.analysis.clients.senders import Sender, senders_of
from cluster.analysis.uncertainty.latency import percentile_of
from cluster.analysis.windows import Merged
from cluster.experiment.plan import Level
from cluster.results.over_time import SLOT_NS, sample_slice
from cluster.results.summary import ArrivalTest
from cluster.units import NS_PER_MS

LENGTHS_MS: Final = {"1 ms": 1, "10 ms": 10, "100 ms": 100, "1 s": 1000}
GAPS_NEEDED: Final = 100
SHORT_SHARE: Final = 0.393  # of exponential gaps, below half their mean

# The chance that a level which keeps its law is told that it does not, all tests of all clients
# together: of a thousand such levels, one.
GATE_ALPHA: Final = 0.001
TESTS: Final = 3  # Kolmogorov and Smirnov's, Anderson and Darling's, and the dispersions

# Late sends change a gap by more than so late an order's lag only in two gaps, or three, of each
# that is later: with one in 200 those are within the gaps that may be anything.
LAG_PERCENTILE: Final = 99.5


@dataclass(frozen=True)
class ArrivalJudgement:
    """One test, and what its rules need to know besides."""

    test: ArrivalTest
    where: str  # in which figure: gaps, counts per 10 ms
    clumped: bool  # they left closer together than by the law; or else more evenly
    by_lag: bool  # the recorded send lag is enough to explain it
    excused: bool  # orders were late, or never left, by the engine's doing


def judge_arrivals(
    level: Level, agents: Sequence[AgentWindow], control: Merged
) -> list[ArrivalJudgement]:
    """Test every client's sends in the control window, and all together; [] closed-loop.

    All together are put together by each client's own time since the start.

    Args:
        level: with the law that was asked for.
        agents: each agent's window.
        control: what all agents did in it.
    """
    median_ns = control.service.percentile(50)
    if level.arrivals == "closed" or not median_ns:
        return []
    senders = [sender for sender in senders_of(level, agents, control) if sender.activity]
    drafts = [_draft(sender, level) for sender in senders]
    exponential = [d for d in drafts if d.anderson is not None]
    adjusted = holm([anderson_darling_p(d.anderson or 0.0) for d in exponential])
    real = {
        d.sender.who for d, p in zip(exponential, adjusted, strict=True) if p < GATE_ALPHA / TESTS
    }
    alpha = GATE_ALPHA / TESTS / max(len(drafts), 1)
    matters_ns = LAG_SHARE_P99 * median_ns
    return [_judge(d, alpha, matters_ns, surely_other=d.sender.who in real) for d in drafts]


@dataclass(frozen=True)
class _Draft:
    """A sender's gaps, before those of all are judged."""

    sender: Sender
    law: SendLaw | None
    gaps_ns: Floats
    why: dict[str, str]
    anderson: float | None


def _draft(sender: Sender, level: Level) -> _Draft:
    law = send_law(level, sender.rate_per_s) if sender.rate_per_s else None
    none = np.zeros(0)
    if law is None:
        return _Draft(sender, None, none, _both("recorded times follow no law"), None)
    if law.gaps is None:
        return _Draft(sender, law, none, _both(law.no_gaps), None)
    sample = gap_sample(sender.activity, sample_slice(level.offered_per_s), law)
    if len(sample.gaps_ns) < GAPS_NEEDED:
        why = sample.why_none or f"{len(sample.gaps_ns)} gaps in the sample, of {GAPS_NEEDED}"
        return _Draft(sender, law, none, _both(why), None)
    if law.gaps == "constant":
        why = "the gaps of a constant schedule are all the same, and of no distribution"
        return _Draft(sender, law, sample.gaps_ns, _both(why), None)
    return _Draft(sender, law, sample.gaps_ns, {}, anderson_darling(sample.gaps_ns))


def _both(why: str) -> dict[str, str]:
    return {"distance": why, "anderson_darling": why}


@dataclass(frozen=True)
class _Moved:
    """By how much orders were moved, seen in one figure."""

    by_ns: float
    where: str
    clumped: bool
    lag_ns: float  # so much of it the recorded lag explains


def _judge(
    draft: _Draft, alpha: float, matters_ns: float, *, surely_other: bool
) -> ArrivalJudgement:
    sender, law = draft.sender, draft.law
    apart, moved = _by_gaps(draft, alpha, surely_other=surely_other)
    measured, expected, by_counts = _by_counts(draft, alpha)
    moved += by_counts
    why = dict(draft.why)
    why |= {
        f"dispersion {name}": f"fewer than {BINS_NEEDED} lengths of {name} in the window"
        for name in LENGTHS_MS
        if name not in measured
    }
    worst = max(moved, key=lambda m: (m.by_ns > max(m.lag_ns, matters_ns), m.by_ns), default=None)
    kept = None if worst is None else worst.by_ns <= matters_ns
    if kept is None:
        why["kept"] = draft.why.get("distance", "too little was sent")
    return ArrivalJudgement(
        test=ArrivalTest(
            who=sender.who,
            gaps=len(draft.gaps_ns),
            distance=apart,
            anderson_darling=draft.anderson,
            dispersion=measured,
            dispersion_expected=expected,
            kept=kept,
            not_measured=why,
            moved_ns=round(worst.by_ns) if worst is not None and law is not None else None,
        ),
        where=worst.where if worst else "",
        clumped=worst is not None and worst.clumped,
        by_lag=worst is not None and worst.by_ns <= worst.lag_ns,
        excused=sender.excused,
    )


def _by_gaps(
    draft: _Draft, alpha: float, *, surely_other: bool
) -> tuple[float | None, list[_Moved]]:
    """The distance of the gaps from the law's, and the least move that brings them there."""
    law, gaps = draft.law, draft.gaps_ns
    if law is None or not len(gaps):
        return None, []
    apart, tolerated = None, DISTANCE_MAX
    if law.gaps == "exponential":
        apart = distance(gaps, law)
        if not surely_other:
            tolerated += distance_by_chance(len(gaps), alpha)
    short = bool((gaps < law.gap_ns / 2).mean() > (law.gaps == "exponential") * SHORT_SHARE)
    lag_ns, _ = percentile_of(draft.sender.own.send_lag, LAG_PERCENTILE)
    return apart, [_Moved(moved_ns(gaps, law, tolerated), "gaps", short, lag_ns or 0)]


def _by_counts(
    draft: _Draft, alpha: float
) -> tuple[dict[str, float], dict[str, float], list[_Moved]]:
    """The indices of dispersion, those of the law, and what orders were moved to get there."""
    law, sender = draft.law, draft.sender
    if not any(second.sent_per_ms.any() for second in sender.activity):
        return {}, {}, []
    if law is None:
        return *_as_recorded(sender), []
    measured, expected, moved = {}, {}, []
    # Orders late by L at both ends of a length change its count by λL each: twice, if together.
    lag_ns = 2 * (sender.own.send_lag.stdev or 0)
    for name, length_ms in LENGTHS_MS.items():
        found = dispersion(binned(sender.activity, length_ms, law), law, alpha / len(LENGTHS_MS))
        if found is not None:
            measured[name], expected[name] = found.measured, found.expected
            moved.append(_Moved(found.moved_ns, f"counts per {name}", found.clumped, lag_ns))
    return measured, expected, moved


def _as_recorded(sender: Sender) -> tuple[dict[str, float], dict[str, float]]:
    """Counts as sent, and as they were due, where slots are fine enough to tell."""
    sent = np.stack([second.sent_per_ms for second in sender.activity])
    due = sender.due_per_slot
    measured, expected = {}, {}
    for name, length_ms in LENGTHS_MS.items():
        counts = sent.reshape(-1, length_ms).sum(axis=1)
        if len(counts) < BINS_NEEDED:
            continue
        measured[name] = raw_dispersion(counts)
        slots, rest = divmod(length_ms * NS_PER_MS, SLOT_NS)
        if not rest and due.sum():
            expected[name] = raw_dispersion(due.reshape(-1, slots).sum(axis=1))
    return measured, expected
