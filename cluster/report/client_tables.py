"""The tables that say whether the clients can be believed."""

from collections.abc import Sequence
from typing import Final

from cluster.report.cells import Cell, Table, columns, count, duration, missing, rate, ratio, words
from cluster.report.levels import level_name
from cluster.results.summary import (
    AgentSummary,
    ArrivalTest,
    Calibration,
    Gaps,
    LevelSummary,
    OutlierAgent,
    Summary,
)

_UNPROBED: Final = "the agent gave no figure"
_OLDER: Final = "not recorded: the run is older than this figure"


def honesty_table(levels: Sequence[LevelSummary]) -> Table:
    """What every agent's clients and its host were doing instead of sending and reading."""
    names = (
        "Level",
        "Agent",
        "On time",
        "Poll gap p99.9",
        "Poll gap max",
        "Jitter before p99",
        "Jitter during p99",
        "Involuntary switches",
        "Waiting to run",
        "Steal",
        "Owns the tail",
    )
    rows = tuple(
        _honesty_row(level, agent)
        for level in levels
        for agent in level.agents
        if agent.poll_gap_ns is not None or agent.on_time_ratio is not None
    )
    return Table(columns(names, words=("Level", "Agent", "Owns the tail")), rows)


def _honesty_row(level: LevelSummary, agent: AgentSummary) -> tuple[Cell, ...]:
    outlier = next((o for o in level.outlier_agents if o.agent == agent.agent), None)
    on_time = (
        missing("closed-loop there is no schedule to keep")
        if level.offered_per_s is None
        else ratio(agent.on_time_ratio, _UNPROBED)
    )
    return (
        words(level_name(level)),
        words(f"{agent.agent} on {agent.host}"),
        on_time,
        _gap(agent.poll_gap_ns, "p99_9"),
        _gap(agent.poll_gap_ns, "max"),
        _gap(agent.jitter_before_ns, "p99"),
        _gap(agent.jitter_during_ns, "p99"),
        count(agent.involuntary_switches, _UNPROBED),
        ratio(agent.worker_run_queue_ratio, _UNPROBED),
        ratio(agent.steal_ratio, _UNPROBED),
        _owns(outlier),
    )


def _gap(gaps: Gaps | None, name: str) -> Cell:
    if gaps is None:
        return missing(_OLDER)
    value: int | None = getattr(gaps, name)
    return duration(value, "too few looks at the clock for this percentile")


def _owns(outlier: OutlierAgent | None) -> Cell:
    if outlier is None:
        return Cell("no")
    return Cell(
        f"yes: {outlier.tail_share:.0%} of the tail with {outlier.order_share:.0%} of the orders",
        tone="bad",
    )


def arrival_table(levels: Sequence[LevelSummary]) -> Table:
    """Whether orders left as the arrival law says: each client, and all together."""
    names = ("Level", "Who", "Gaps", "Distance", "A*²", "Dispersion", "Moved by", "Kept")
    rows = tuple(
        (
            words(level_name(level)),
            words(test.who),
            count(test.gaps),
            count(_rounded(test.distance), _why(test, "distance")),
            count(_rounded(test.anderson_darling), _why(test, "anderson_darling")),
            _dispersion(test),
            duration(test.moved_ns, _why(test, "moved_ns")),
            _kept(test),
        )
        for level in levels
        for test in level.arrival_tests
    )
    wordy = ("Level", "Who", "Dispersion", "Kept")
    return Table(columns(names, words=wordy), rows)


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}")


def _why(test: ArrivalTest, name: str) -> str:
    return test.not_measured.get(name, "not tested for this arrival law")


def _dispersion(test: ArrivalTest) -> Cell:
    """By length of time: what was found, and in parentheses what the law says."""
    told = [
        f"{span}: {found:.3g} ({test.dispersion_expected[span]:.3g})"
        for span, found in test.dispersion.items()
        if span in test.dispersion_expected
    ]
    return words(" · ".join(told)) if told else missing(_why(test, "dispersion"))


def _kept(test: ArrivalTest) -> Cell:
    if test.kept is None:
        return missing(next(iter(test.not_measured.values()), "not tested"))
    return Cell("yes", tone="good") if test.kept else Cell("no", tone="bad")


def calibration_table(calibrations: Sequence[Calibration]) -> Table:
    """What each load host can do by itself."""
    names = ("Host", "Reflector", "Floor p50", "Floor p99", "Clean rate", "Bound by", "Calibrated")
    rows = tuple(
        (
            words(own.host),
            words(own.against),
            duration(own.floor_p50_ns, own.not_measured),
            duration(own.floor_p99_ns, own.not_measured),
            _clean_rate(own),
            words(own.bound_by or ""),
            words(own.measured_at[:16].replace("T", " ") + (" (cached)" if own.cached else "")),
        )
        for own in calibrations
    )
    return Table(columns(names, words=("Host", "Reflector", "Bound by", "Calibrated")), rows)


def _clean_rate(own: Calibration) -> Cell:
    """Unless the client ended the rise, it may do more."""
    found = rate(own.clean_rate_per_s, own.not_measured)
    if found.is_missing:
        return found
    least = "" if own.bound_by in ("client", None) else "at least "
    each = f" by each of {own.agents}" if own.agents > 1 else ""
    return Cell(f"{least}{found.text}{each}")


def clients_result(summary: Summary) -> str:
    """Whether the clients can be believed, in one sentence."""
    tested = [
        agent
        for level in summary.levels
        if level.offered_per_s is not None
        for agent in level.agents
        if agent.on_time_ratio is not None
    ]
    sentences = []
    if tested:
        worst = min(tested, key=lambda agent: agent.on_time_ratio or 0)
        share = f"{worst.on_time_ratio or 0:.2%}".replace("%", " %")
        sentences.append(f"The worst client sent {share} of its orders on time")
    missed = sum(t.kept is False for level in summary.levels for t in level.arrival_tests)
    kept = sum(t.kept is True for level in summary.levels for t in level.arrival_tests)
    if missed or kept:
        sentences.append(
            f"the arrival law was missed in {missed} of {missed + kept} tests"
            if missed
            else "orders left as the arrival law says"
        )
    return "; ".join(sentences) or "No client was tested"
