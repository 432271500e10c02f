"""Tables for people: cells that know why they are empty, and columns that explain themselves."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from cluster.analysis.uncertainty.latency import UNSTABLE
from cluster.report.glossary import GLOSSARY
from cluster.units import format_bytes, format_ns, format_rate

DASH: Final = "\N{EN DASH}"
UNEXPLAINED: Final = "not measured"

Tone = Literal["", "good", "bad", "muted"]


@dataclass(frozen=True)
class Cell:
    """One entry of a table. An empty one says why in `reason`."""

    text: str
    reason: str = ""
    tone: Tone = ""

    @property
    def is_missing(self) -> bool:
        """Whether there is no value here."""
        return bool(self.reason)


@dataclass(frozen=True)
class Column:
    """A heading with its explanation; numbers are set to the right."""

    name: str
    explanation: str
    numeric: bool


@dataclass(frozen=True)
class Table:
    """Rows of cells below columns."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why cells are empty, each reason once, in the order of the cells.

        Reasons of the form "what: why" that share the why become one: "this, that: why".
        """
        named: dict[str, list[str]] = {}
        for cell in (cell for row in self.rows for cell in row if cell.reason):
            head, colon, tail = cell.reason.partition(": ")
            why, what = (tail, head) if colon else (cell.reason, "")
            subjects = named.setdefault(why, [])
            if what not in subjects:
                subjects.append(what)
        return tuple(_joined_reason(why, subjects) for why, subjects in named.items())


def _joined_reason(why: str, subjects: list[str]) -> str:
    heads = ", ".join(what for what in subjects if what)
    return f"{heads}: {why}" if heads else why


def columns(names: Iterable[str], *, words: Iterable[str] = ()) -> tuple[Column, ...]:
    """Columns by their glossary terms; those in `words` hold words, the others numbers.

    Raises:
        KeyError: a heading is not in the glossary.
    """
    wordy = set(words)
    return tuple(Column(name, GLOSSARY[name], name not in wordy) for name in names)


def missing(reason: str) -> Cell:
    """A value that could not be measured."""
    return Cell(absent(reason), reason or UNEXPLAINED, "muted")


def absent(reason: str) -> str:
    """What stands in the place of a figure that is not there, for that reason."""
    return "unstable" if reason.startswith(UNSTABLE) else DASH


def written(value: float | None, write: Callable[[float], str], reason: str = "") -> Cell:
    """A value as `write` has it, or why there is none."""
    return missing(reason) if value is None else Cell(write(value))


def duration(value_ns: float | None, reason: str = "") -> Cell:
    """A duration."""
    return written(value_ns, format_ns, reason)


def rate(value_per_s: float | None, reason: str = "") -> Cell:
    """Orders per second."""
    return written(value_per_s, format_rate, reason)


def ratio(value: float | None, reason: str = "") -> Cell:
    """A ratio of 0 to 1 as a percentage."""
    return written(value, format_ratio, reason)


def size(value_bytes: float | None, reason: str = "") -> Cell:
    """A size in bytes."""
    return written(value_bytes, format_bytes, reason)


def count(value: float | None, reason: str = "") -> Cell:
    """A number of things."""
    return written(value, format_count, reason)


def words(text: str, tone: Tone = "") -> Cell:
    """Words; nothing to say is a dash without a reason."""
    return Cell(text or DASH, tone=tone)


def format_ratio(value: float) -> str:
    """Write a ratio of 0 to 1 as a percentage with three digits, never more than hundredths."""
    percent = value * 100
    if percent == 0 or abs(percent) >= 99.95:  # noqa: PLR2004 - rounds to 100
        return f"{percent:.0f} %"
    return f"{percent:.1f} %" if abs(percent) >= 1 else f"{percent:.2g} %"


def format_count(value: float) -> str:
    """Write a number: whole ones with thousands separated, others with three digits."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    if abs(value) >= 100:  # noqa: PLR2004 - digits
        return f"{value:,.1f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.6f}"  # noqa: PLR2004 - no exponent


def reason_of(not_measured: Mapping[str, str], *names: str) -> str:
    """The first reason recorded for one of `names`."""
    return next((not_measured[name] for name in names if name in not_measured), "")
