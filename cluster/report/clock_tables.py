"""What the hosts' clocks were worth, and how near to each other the agents began."""

from collections.abc import Sequence
from typing import Final

from cluster.report.cells import Cell, Table, columns, missing, words, written
from cluster.results.clock import ClockSummary
from cluster.units import format_ns

NAMES: Final = ("Who", "Host", "Clock offset", "Clock error", "Clock drift", "Start skew")
ROWS_IN_TEXT: Final = 8
_SAME: Final = "the driver's own clock"


def clocks_table(clocks: Sequence[ClockSummary]) -> Table:
    """Every clock that was compared, and every agent's start."""
    rows = tuple(
        (
            words(clock.who),
            words(clock.host),
            _offset(clock),
            _error(clock),
            _drift(clock),
            _skew(clock),
        )
        for clock in clocks
    )
    return Table(columns(NAMES, words=("Who", "Host")), rows)


def clocks_result(clocks: Sequence[ClockSummary]) -> str:
    """How exactly clocks are known and agents began, in one sentence."""
    errors = [clock.error_ns for clock in clocks if clock.error_ns is not None]
    skews = [clock.start_skew_ns for clock in clocks if clock.start_skew_ns is not None]
    told = []
    if clocks and all(clock.same for clock in clocks):
        told.append("Every host reads the driver's own clock")
    elif errors:
        told.append(f"Clocks are known within {format_ns(max(errors))}")
    if skews:
        worst = max(skews, key=abs)
        told.append(f"the agent that was furthest off began {_side(worst)} the common start")
    sentence = "; ".join(told)
    return sentence[:1].upper() + sentence[1:]


def clocks_grid(clocks: Sequence[ClockSummary]) -> list[list[str]]:
    """The same for a terminal: those that are known worst, where there are many."""
    shown = sorted(clocks, key=lambda clock: -(clock.error_ns or 0))[:ROWS_IN_TEXT]
    rows = [
        [cell.text for cell in row]
        for clock, row in zip(clocks, clocks_table(clocks).rows, strict=True)
        if clock in shown
    ]
    return [[name.lower() for name in NAMES], *rows]


def _offset(clock: ClockSummary) -> Cell:
    if clock.same:
        return Cell(_SAME)
    return written(clock.offset_ns, _signed, clock.not_measured.get("offset_ns", ""))


def _error(clock: ClockSummary) -> Cell:
    if clock.same:
        return Cell("0")
    why = clock.not_measured.get("error_ns", "")
    return written(clock.error_ns, lambda error_ns: f"± {format_ns(error_ns)}", why)


def _drift(clock: ClockSummary) -> Cell:
    if clock.same:
        return Cell("0")
    if clock.drift_ppm is None or clock.drift_error_ppm is None:
        return missing(clock.not_measured.get("drift_ppm", ""))
    sign = "\N{MINUS SIGN}" if clock.drift_ppm < 0 else "+"
    return Cell(f"{sign}{abs(clock.drift_ppm):.3g} ± {clock.drift_error_ppm:.2g} ppm")


def _skew(clock: ClockSummary) -> Cell:
    why = clock.not_measured.get("start_skew_ns", "")
    return written(clock.start_skew_ns, _signed, why)


def _signed(value_ns: float) -> str:
    return ("\N{MINUS SIGN}" if value_ns < 0 else "+") + format_ns(abs(value_ns))


def _side(skew_ns: int) -> str:
    return f"{format_ns(abs(skew_ns))} {'before' if skew_ns < 0 else 'after'}"
