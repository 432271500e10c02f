"""The tables that say whether levels were in a steady state."""

from collections.abc import Sequence
from typing import Final

from cluster.report.cells import Cell, Table, columns, count, missing, ratio, reason_of, words
from cluster.report.levels import level_name
from cluster.results.summary import LevelSummary, LittlesLaw, SeriesTest, Steadiness

_NO_CHANGE: Final = "none found"


def steadiness_table(levels: Sequence[LevelSummary]) -> Table:
    """What was left out as warm-up, whether the rest was steady, and Little's law."""
    names = (
        "Level",
        "Discarded",
        "Warm-up ended",
        "Steady",
        "In flight, mean",
        "Rate by service time",
        "Deviation",
    )
    rows = tuple(
        (
            words(level_name(level)),
            Cell(f"{found.discarded_s} s"),
            _warm_up(found),
            _yes_no(found.steady, reason_of(found.not_measured, "steady")),
            *_law(found.littles_law, reason_of(found.not_measured, "littles_law")),
        )
        for level in levels
        if (found := level.steadiness) is not None
    )
    return Table(columns(names, words=("Level", "Steady")), rows)


def _warm_up(found: Steadiness) -> Cell:
    if found.warm_up_ends_s is None:
        return missing(reason_of(found.not_measured, "warm_up_ends_s"))
    return Cell(f"{found.warm_up_ends_s:.2f} s")


def _yes_no(steady: bool | None, why: str) -> Cell:
    if steady is None:
        return missing(why)
    return Cell("yes", tone="good") if steady else Cell("no", tone="bad")


def _law(law: LittlesLaw | None, why: str) -> tuple[Cell, Cell, Cell]:
    if law is None:
        return (missing(why),) * 3
    holds = abs(law.deviation_ratio) <= law.tolerance_ratio
    return (
        Cell(f"{law.in_flight_mean:.4g}"),
        Cell(f"{law.rate_times_service:.4g}"),
        Cell(
            f"{law.deviation_ratio:+.1%} (within {law.tolerance_ratio:.1%})".replace("%", " %"),
            tone="" if holds else "bad",
        ),
    )


def series_table(levels: Sequence[LevelSummary]) -> Table:
    """Every series of every level with its tests."""
    names = (
        "Level",
        "Series",
        "Points",
        "Drift",
        "Mann-Kendall p",
        "ADF p",
        "KPSS p",
        "Change at",
        "Steady",
    )
    rows = tuple(
        _series_row(level, test)
        for level in levels
        if level.steadiness is not None
        for test in level.steadiness.series
    )
    return Table(columns(names, words=("Level", "Series", "Steady")), rows)


def _series_row(level: LevelSummary, test: SeriesTest) -> tuple[Cell, ...]:
    return (
        words(level_name(level)),
        words(test.series),
        Cell(f"{test.points} of {test.step_s:g} s"),
        ratio(test.drift_ratio, reason_of(test.not_measured, "drift_ratio")),
        *(
            count(_rounded(getattr(test, name)), reason_of(test.not_measured, name))
            for name in ("mann_kendall_p", "adf_p", "kpss_p")
        ),
        Cell(_NO_CHANGE, tone="muted")
        if test.change_at_s is None
        else Cell(f"{test.change_at_s:.1f} s"),
        _yes_no(test.steady, reason_of(test.not_measured, "steady")),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def steady_result(levels: Sequence[LevelSummary]) -> str:
    """How many levels were in a steady state, in one sentence."""
    known = [v.steadiness for v in levels if v.steadiness is not None]
    tested = [found for found in known if found.steady is not None]
    if not tested:
        return "No level was tested for a steady state"
    steady = sum(found.steady is True for found in tested)
    if steady == len(tested):
        return f"All {steady} levels that could be tested were steady"
    return f"{steady} of {len(tested)} levels that could be tested were steady"
