"""The end of a run on a terminal: what was measured, what it means, where the report is."""

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from cluster.report.cells import DASH, UNEXPLAINED, absent, format_ratio
from cluster.report.clock_tables import clocks_grid, clocks_result
from cluster.report.findings import finding_groups, headline
from cluster.report.frames import short_name
from cluster.report.left_behind import left_behind_result
from cluster.report.levels import level_name
from cluster.report.reply_tables import COUNTS, other_reply, other_reply_name
from cluster.report.uncertainty_tables import half_width
from cluster.results.engine import HotFunction
from cluster.results.summary import Latency, LevelSummary, RepeatedFigure, Summary, Verdict
from cluster.units import format_ns, format_rate

HOT_FUNCTIONS_SHOWN: Final = 5
EVIDENCE_SHOWN: Final = 5
REASONS_SHOWN: Final = 3  # of each level
_NARROWEST: Final = 40
_INDENT: Final = "  "


def render_summary(summary: Summary, report_path: Path | None, *, width: int = 100) -> str:
    """The outcome of a run as plain text, no line longer than `width` (at least 40)."""
    width = max(width, _NARROWEST)
    blocks = [
        _verdict(summary, width),
        _levels(summary.levels, width),
        _repeated(summary, width),
        _replies(summary.levels, width),
        _reject_reasons(summary.levels, width),
        _evidence(summary, width),
        _findings(summary, width),
        _clocks(summary, width),
        _functions(summary, width),
    ]
    lines = [line for block in blocks if block for line in (*block, "")]
    if summary.left_behind:
        lines += [*_wrap(left_behind_result(summary.left_behind), width, "Hosts: "), ""]
    if report_path is not None:
        lines += [f"Report: {report_path}"]
    return "\n".join(lines).rstrip() + "\n"


def summary_line(summary: Summary) -> str:
    """A run in one line, for lists of runs."""
    verdict = summary.verdict
    rate = _optional_rate(verdict.sustained_per_s).strip()
    valid = "valid" if summary.valid else "not valid"
    sure = f"{verdict.bottleneck} ({verdict.confidence:.0%})"
    return f"{valid:9}  scenario {verdict.scenario or DASH:9}  {rate:>14}  {sure}"


def print_summary(summary: Summary, report_path: Path | None, console: Console) -> None:
    """Print the outcome, with weight and colour where the console has them."""
    text = render_summary(summary, report_path, width=min(console.width, 100))
    colours = {"yes": "green", "no": "bold red"}
    for line in text.splitlines():
        styled = Text(line)
        if line[:1].isupper() and line.split(" (")[0].isupper():
            styled.stylize("bold")
        styled.highlight_regex(r"^  invalid\b|^NOT VALID.*", "bold red")
        styled.highlight_regex(r"^  warning\b", "yellow")
        styled.highlight_regex(r"^  note\b", "cyan")
        styled.highlight_regex(r"^  against\b|^  for\b", "dim")
        for word, colour in colours.items():
            styled.highlight_regex(rf"(?<=  ){word}$", colour)
        console.print(styled, soft_wrap=True, highlight=False)


def _verdict(summary: Summary, width: int) -> list[str]:
    verdict = summary.verdict
    lines = ["VERDICT"]
    warning = headline(summary)
    if warning:
        lines += _wrap(f"NOT VALID: {warning}" if not summary.valid else warning, width, "")
    lines += _wrap(verdict.sentence, width)
    facts = [
        ("scenario", _scenario(verdict)),
        ("bottleneck", f"{verdict.bottleneck}, confidence {verdict.confidence:.0%}"),
        ("sustained", _optional_rate(verdict.sustained_per_s)),
        ("maximum", _optional_rate(verdict.closed_loop_max_per_s, "closed-loop")),
        ("predicted", _optional_rate(verdict.predicted_max_per_s, "by the busiest thread")),
        ("baseline", verdict.baseline_sentence),
        ("do", verdict.recommendation),
        ("next", verdict.next_action),
    ]
    for name, value in facts:
        if value:
            lines += _wrap(value, width, f"{_INDENT}{name:<12}")
    return lines


def _scenario(verdict: Verdict) -> str:
    """The scenario's letter and sentence, the letter only once."""
    sentence, letter = verdict.scenario_sentence, verdict.scenario
    if letter is None or sentence.lower().startswith(f"scenario {letter}".lower()):
        return sentence.removeprefix("Scenario ")
    return f"{letter}: {sentence}"


def _optional_rate(value_per_s: float | None, remark: str = "") -> str:
    if value_per_s is None:
        return DASH
    return format_rate(value_per_s) + (f" {remark}" if remark else "")


def _levels(levels: Sequence[LevelSummary], width: int) -> list[str]:
    if not levels:
        return ["LEVELS", f"{_INDENT}none was measured"]
    times = [
        ["offered", "throughput", "p50", "p99", "p99 ±", "p99.9", "lag p99", "valid"],
        *(_times_row(level) for level in levels),
    ]
    fates = [
        ["offered", "answered", "rejected", "timed out", "lost", "unsent", "books"],
        *(_fates_row(level) for level in levels),
    ]
    lines = ["LEVELS (response time and send lag)", *_grid(times, width)]
    for reason in _reasons(levels):
        lines += _wrap(reason, width, f"{_INDENT}{DASH} ")
    for level in levels:
        if level.ended_early:
            lines += _wrap(f"{level_name(level)} ended early: {level.ended_early}", width)
    return [*lines, "", "ORDERS", *_grid(fates, width)]


def _repeated(summary: Summary, width: int) -> list[str]:
    rows = [
        [
            DASH if figure.offered_per_s is None else format_rate(figure.offered_per_s),
            figure.figure.replace("_per_s", "").replace("_", "."),
            *(
                DASH if value is None else _written(figure, value)
                for value in (figure.mean, figure.low, figure.high)
            ),
        ]
        for figure in summary.repeated
    ]
    if not rows:
        return []
    heading = f"BETWEEN RUNS ({summary.trials} trials, 95 % interval)"
    return [heading, *_grid([["offered", "figure", "mean", "low", "high"], *rows], width)]


def _written(figure: RepeatedFigure, value: float) -> str:
    return format_rate(value) if "per_s" in figure.figure else format_ns(max(value, 0))


def _reasons(levels: Sequence[LevelSummary]) -> list[str]:
    """Why figures of the table are missing, each reason once."""
    reasons = []
    for level in levels:
        if level.throughput_per_s.mean is None:
            reasons.append(level.throughput_per_s.not_measured.get("mean", UNEXPLAINED))
        for latency, names in (
            (level.response_ns, ("p50", "p99", "p99_9")),
            (level.send_lag_ns, ("p99",)),
        ):
            reasons += [
                latency.not_measured.get(name, UNEXPLAINED)
                for name in names
                if getattr(latency, name) is None
            ]
    return list(dict.fromkeys(reasons))


def _times_row(level: LevelSummary) -> list[str]:
    mean = level.throughput_per_s.mean
    return [
        level_name(level),
        DASH if mean is None else format_rate(mean),
        _percentile(level.response_ns, "p50"),
        _percentile(level.response_ns, "p99"),
        half_width(level.response_ns, "p99").removeprefix("± ") or DASH,
        _percentile(level.response_ns, "p99_9"),
        _percentile(level.send_lag_ns, "p99"),
        "yes" if level.valid else "no",
    ]


def _percentile(latency: Latency, name: str) -> str:
    value: int | None = getattr(latency, name)
    return absent(latency.not_measured.get(name, "")) if value is None else format_ns(value)


def _fates_row(level: LevelSummary) -> list[str]:
    orders = level.orders
    numbers = (orders.answered, orders.rejected, orders.timed_out, orders.lost, orders.unsent)
    off = abs(orders.schedule_imbalance) + abs(orders.answer_imbalance)
    balance = "balanced" if orders.balanced else f"off by {off:,}"
    return [level_name(level), *(f"{number:,}" for number in numbers), balance]


def _replies(levels: Sequence[LevelSummary], width: int) -> list[str]:
    known = [(level, level.replies) for level in levels if level.replies]
    if not known:
        return []
    name = other_reply_name(levels).lower()
    rows = [
        ["offered", *(column.lower() for column in COUNTS), f"{name} p99"],
        *(
            [
                level_name(level),
                *(f"{getattr(replies, field):,}" for field in COUNTS.values()),
                _other_reply_p99(level),
            ]
            for level, replies in known
        ),
    ]
    return ["REPLIES", *_grid(rows, width)]


def _other_reply_p99(level: LevelSummary) -> str:
    times, _ = other_reply(level)
    return _percentile(times, "p99") if times else DASH


def _reject_reasons(levels: Sequence[LevelSummary], width: int) -> list[str]:
    lines = []
    for level in levels:
        shown = level.reject_reasons[:REASONS_SHOWN]
        if not shown:
            continue
        told = [f"{reason.in_words} {reason.count:,}" for reason in shown]
        more = len(level.reject_reasons) - len(shown)
        told += [f"{more:,} more reasons"] if more else []
        lines += _wrap(f"{level_name(level)}: {', '.join(told)}", width)
    return ["REJECTED (by the engine's reason)", *lines] if lines else []


def _grid(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Columns set to the right except the first, as far apart as `width` allows."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    room = (width - len(_INDENT) - sum(widths)) // max(len(widths) - 1, 1)
    gap = " " * max(1, min(3, room))
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [text.rjust(size) for text, size in zip(row[1:], widths[1:], strict=True)]
        yield _clip(_INDENT + gap.join(cells), width)


def _evidence(summary: Summary, width: int) -> list[str]:
    shown = sorted(summary.verdict.evidence, key=lambda item: -abs(item.weight))[:EVIDENCE_SHOWN]
    lines = ["EVIDENCE"] if shown else []
    for item in shown:
        sides = [f"for {item.supports}"] if item.supports else []
        sides += [f"against {', '.join(item.against)}"] if item.against else []
        text = f"{item.quantity}: {item.value}. {item.sentence}"
        lines += _wrap(text + (f" ({'; '.join(sides)})" if sides else ""), width, "  * ")
    return lines


def _findings(summary: Summary, width: int) -> list[str]:
    groups = finding_groups(summary)
    lines = ["FINDINGS"] if groups else []
    for group in groups:
        place = f"{group.level}: " if group.level else ""
        text = " ".join(filter(None, (place + group.message, group.likewise, group.advice)))
        lines += _wrap(text, width, f"{_INDENT}{group.severity:<9}")
    return lines


def _clocks(summary: Summary, width: int) -> list[str]:
    clocks = summary.clocks
    if not clocks:
        return []
    lines = ["CLOCKS", *_wrap(f"{clocks_result(clocks)}.", width)]
    if not all(clock.same for clock in clocks):
        lines += _grid(clocks_grid(clocks), width)
    return lines


def _functions(summary: Summary, width: int) -> list[str]:
    profile = summary.profile
    if profile.not_measured:
        text = f"not measurable here, because {profile.not_measured}"
        return ["HOT FUNCTIONS", *_wrap(text, width)]
    ordered = sorted(profile.hot_functions, key=lambda function: -function.self_ratio)
    lines = [_function(function, width) for function in ordered[:HOT_FUNCTIONS_SHOWN]]
    return ["HOT FUNCTIONS", *lines] if lines else []


def _function(function: HotFunction, width: int) -> str:
    name = " ".join(short_name(function.name).split())
    return _clip(f"{_INDENT}{format_ratio(function.self_ratio):>7}  {name}", width)


def _wrap(text: str, width: int, lead: str = _INDENT) -> list[str]:
    # Text from the engine's host may hold control characters that would move the cursor.
    safe = "".join(c if c.isprintable() else " " for c in text)
    behind = " " * len(lead)
    return textwrap.wrap(
        safe, width, initial_indent=lead, subsequent_indent=behind, break_on_hyphens=False
    ) or [lead]


def _clip(line: str, width: int) -> str:
    safe = "".join(c if c.isprintable() else " " for c in line)
    return safe if len(safe) <= width else safe[: width - 1] + "…"
