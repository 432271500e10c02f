"""Progress while a run goes on: a panel on a terminal, one line a second elsewhere."""

from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cluster.experiment.plan import Level
from cluster.report.cells import DASH, absent
from cluster.report.levels import level_name
from cluster.results.summary import LevelSummary
from cluster.units import format_ns, format_rate, format_speed


@dataclass(frozen=True)
class LiveSecond:
    """What one second of a level looked like while it passed, all agents together."""

    elapsed_s: float  # since the level's start; below 0 before it
    phase: str  # warm-up, control, profile, drain; with a remark while its end is open
    offered_per_s: float | None  # None: closed-loop
    throughput_per_s: float | None
    response_p99_ns: int | None
    in_flight: int
    backlog: int
    connections_open: int

    @property
    def unanswered(self) -> int:
        """Orders that are due and have no answer yet."""
        return self.in_flight + self.backlog


class LiveView:
    """Shows a run's progress on `console`, which should write to stderr.

    A context manager. Every method may also be called when nothing is shown yet or any more;
    none raises because of the terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._level: Level | None = None
        self._second: LiveSecond | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(
                console=self._console,
                auto_refresh=False,  # there is news once a second, and no thread to leave behind
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.update(Text(""), refresh=True)
            self._live.stop()
            self._live = None

    def level_started(self, level: Level) -> None:
        """A level begins."""
        self._level = level
        self._second = None
        longest = "" if level.longest_s == level.duration_s else f", at most {level.longest_s} s"
        aim = f"{_aim(level)}, {level.duration_s} s{longest}"
        self.message(f"{level.name}: {aim}")
        if self._live is not None:
            self._live.update(self._panel(), refresh=True)

    def windows_moved(self, level: Level) -> None:
        """The running level has other windows than planned: it lasts for longer."""
        self._level = level

    def second(self, live: LiveSecond) -> None:
        """A second has passed."""
        self._second = live
        if self._live is not None:
            self._live.update(self._panel(), refresh=True)
        else:
            self._print(second_line(live))

    def message(self, text: str) -> None:
        """Something happened that the user should know."""
        self._print(text)

    def level_ended(self, summary: LevelSummary) -> None:
        """A level has been measured."""
        self._level = None
        self._second = None
        if self._live is not None:
            self._live.update(Text(""), refresh=True)
        self._print(level_line(summary))

    def _print(self, text: str) -> None:
        # Plain text: a message may quote the engine, and its brackets are not our markup.
        self._console.print(Text(_printable(text)), soft_wrap=True, highlight=False)

    def _panel(self) -> Table:
        """The running level: a bar of its time and the figures of the last second."""
        grid = Table.grid(padding=(0, 2))
        live, level = self._second, self._level
        if level is not None:
            progress = Text("starting", style="dim") if live is None else _bar(live, level)
            grid.add_row(Text(_aim(level), style="bold"), progress)
        for name, value in second_figures(live) if live else ():
            grid.add_row(Text(name, style="dim"), Text(value))
        return grid


def second_figures(live: LiveSecond) -> list[tuple[str, str]]:
    """The figures of one second, by name."""
    offered = "closed-loop" if live.offered_per_s is None else format_rate(live.offered_per_s)
    through = DASH if live.throughput_per_s is None else format_rate(live.throughput_per_s)
    p99 = DASH if live.response_p99_ns is None else format_ns(live.response_p99_ns)
    return [
        ("offered", offered),
        ("throughput", through),
        ("response p99", p99),
        ("in flight", f"{live.in_flight:,}"),
        ("unanswered", f"{live.unanswered:,}"),
        ("connections", f"{live.connections_open:,}"),
    ]


def second_line(live: LiveSecond) -> str:
    """One second as one line, for logs and pipes."""
    figures = "  ".join(f"{name} {value}" for name, value in second_figures(live))
    return f"{live.elapsed_s:6.1f} s  {live.phase:<8}  {figures}"


def level_line(summary: LevelSummary) -> str:
    """A measured level as one line."""
    through = summary.throughput_per_s.mean
    response = summary.response_ns
    p99 = absent(response.not_measured.get("p99", ""))
    if response.p99 is not None:
        p99 = format_ns(response.p99)
    parts = [
        level_name(summary),
        f"throughput {DASH if through is None else format_rate(through)}",
        f"response p99 {p99}",
        "valid" if summary.valid else "not valid",
    ]
    if summary.ended_early:
        parts.append(f"ended early: {summary.ended_early}")
    return ", ".join(parts)


def _aim(level: Level) -> str:
    if level.speed is not None:
        return format_speed(level.speed)
    if level.offered_per_s is None:
        return f"closed-loop, {level.in_flight or 0:,} in flight"
    return f"{format_rate(level.offered_per_s)} {level.arrivals_in_words}"


_BAR_WIDTH: Final = 40
_BAR_STYLE: Final = {"warm-up": "dim", "control": "green", "profile": "magenta"}


def _bar(live: LiveSecond, level: Level) -> Text:
    """The level's windows as a bar: filled up to now."""
    text = Text()
    done = min(max(live.elapsed_s, 0) / max(level.duration_s, 1), 1) * _BAR_WIDTH
    begin = 0.0
    windows = (("warm-up", level.warmup_s), ("control", level.control_s))
    for phase, length_s in (*windows, ("profile", level.profile_s)):
        end = begin + _BAR_WIDTH * length_s / max(level.duration_s, 1)
        for cell in range(round(begin), round(end)):
            text.append("━" if cell < done else "╌", style=_BAR_STYLE[phase])
        begin = end
    text.append(f"  {live.phase}, {live.elapsed_s:.0f} of {level.duration_s} s")
    return text


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)
