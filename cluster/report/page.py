"""The report as plain data: what it says, in which order. Drawing is for charts.py and html.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cluster.report.cells import (
    Cell,
    Table,
    columns,
    duration,
    missing,
    rate,
    words,
)
from cluster.report.chart_blocks import Chart, chart_blocks
from cluster.report.client_tables import (
    arrival_table,
    calibration_table,
    clients_result,
    honesty_table,
)
from cluster.report.clock_tables import clocks_result, clocks_table
from cluster.report.engine_tables import (
    capabilities_table,
    counters_table,
    engine_load_table,
    functions_table,
    memory_table,
    ratios_table,
    threads_table,
    waiting_table,
)
from cluster.report.findings import FindingGroup, finding_groups, headline
from cluster.report.glossary import GLOSSARY
from cluster.report.host_tables import events_table, facts_table, hosts_of
from cluster.report.left_behind import left_behind_result, left_behind_table
from cluster.report.level_tables import (
    agents_table,
    books_table,
)
from cluster.report.levels import (
    is_closed,
    name_of_level,
)
from cluster.report.method import method
from cluster.report.reply_tables import reasons_table, replies_table
from cluster.report.steady_tables import series_table, steadiness_table, steady_result
from cluster.report.time_line import TimeLine, time_line
from cluster.report.uncertainty_tables import (
    interval_table,
    repeated_table,
    uncertainty_result,
)
from cluster.results.summary import Evidence, LevelSummary, Summary


@dataclass(frozen=True)
class ReportInputs:
    """Everything a report is made from; all of it is in the run directory."""

    summary: Summary
    experiment_yaml: str = ""
    facts: object = field(default_factory=dict)  # facts.json: per host, a mapping or a list
    events: Sequence[Mapping[str, object]] = ()  # events.jsonl
    folded: Mapping[str, int] = field(default_factory=dict)  # stack → samples
    off_cpu_folded: Mapping[str, int] = field(default_factory=dict)  # stack → ns


@dataclass(frozen=True)
class Figure:
    """One number of the verdict, with its name."""

    name: str
    cell: Cell
    explanation: str


@dataclass(frozen=True)
class Page:
    """The report, section by section, in the order it is read."""

    summary: Summary
    started: str
    headline: str
    confidence: str
    figures: tuple[Figure, ...]
    evidence: Table
    findings: tuple[FindingGroup, ...]
    charts: tuple[Chart, ...]
    uncertainty_result: str
    intervals: Table
    repeated: Table
    steady_result: str
    steadiness: Table
    series: Table
    clients_result: str
    honesty: Table
    arrivals: Table
    calibrations: Table
    books: Table
    books_result: str
    replies: Table
    reject_reasons: Table
    profile_level: str
    functions: Table
    off_cpu_functions: Table
    counters: Table
    ratios: Table
    memory: Table
    threads: Table
    engine_load: Table
    agents: Table
    clocks: Table
    clocks_result: str
    capabilities: Table
    hosts: tuple[tuple[str, Table], ...]
    left_behind: Table
    left_behind_result: str
    method: tuple[str, ...]
    events: Table
    time_line: TimeLine
    experiment_yaml: str
    folded: Mapping[str, int]
    off_cpu_folded: Mapping[str, int]
    glossary: Table


def build_page(inputs: ReportInputs) -> Page:
    """Arrange what was measured for the reader."""
    summary = inputs.summary
    levels = summary.levels
    line = time_line(levels)
    return Page(
        summary=summary,
        started=started(summary),
        headline=headline(summary),
        confidence=f"{summary.verdict.confidence:.0%}".replace("%", " %"),
        figures=_figures(summary),
        evidence=evidence_table(summary.verdict.evidence),
        findings=finding_groups(summary),
        charts=chart_blocks(levels, line),
        uncertainty_result=uncertainty_result(summary),
        intervals=interval_table(levels),
        repeated=repeated_table(summary.repeated),
        steady_result=steady_result(levels),
        steadiness=steadiness_table(levels),
        series=series_table(levels),
        clients_result=clients_result(summary),
        honesty=honesty_table(levels),
        arrivals=arrival_table(levels),
        calibrations=calibration_table(summary.calibrations),
        books=books_table(levels),
        books_result=books_result(levels),
        replies=replies_table(levels),
        reject_reasons=reasons_table(levels),
        profile_level=name_of_level(levels, summary.profile.level),
        functions=functions_table(summary.profile.hot_functions),
        off_cpu_functions=waiting_table(summary.profile.off_cpu),
        counters=counters_table(summary.engine.counters),
        ratios=ratios_table(summary.engine),
        memory=memory_table(summary.engine.memory),
        threads=threads_table(summary.engine.threads),
        engine_load=engine_load_table(levels),
        agents=agents_table(levels),
        clocks=clocks_table(summary.clocks),
        clocks_result=clocks_result(summary.clocks),
        capabilities=capabilities_table(summary.profile.capabilities),
        hosts=tuple((host, facts_table(facts)) for host, facts in hosts_of(inputs.facts).items()),
        left_behind=left_behind_table(summary.left_behind),
        left_behind_result=_sentence(left_behind_result(summary.left_behind)),
        method=method(summary),
        events=events_table(inputs.events),
        time_line=line,
        experiment_yaml=inputs.experiment_yaml,
        folded=inputs.folded,
        off_cpu_folded=inputs.off_cpu_folded,
        glossary=_glossary_table(),
    )


def started(summary: Summary) -> str:
    """When the run started, as people write it."""
    return summary.started_at.replace("T", " ").replace("Z", " UTC").replace("+00:00", " UTC")


def _sentence(text: str) -> str:
    """As it begins on a page."""
    return f"{text[:1].upper()}{text[1:]}."


def _figures(summary: Summary) -> tuple[Figure, ...]:
    verdict = summary.verdict
    highest = _highest_valid(summary.levels)
    p99 = (
        missing("no valid open-loop level")
        if highest is None
        else duration(
            highest.response_ns.p99, highest.response_ns.not_measured.get("p99", "too few orders")
        )
    )
    cells = {
        "Sustained": rate(verdict.sustained_per_s, "no valid open-loop level kept up"),
        "Maximum": rate(verdict.closed_loop_max_per_s, "no closed-loop level was measured"),
        "Predicted maximum": rate(
            verdict.predicted_max_per_s, "the engine's threads could not be observed"
        ),
        "Response time p99": p99,
    }
    return tuple(Figure(name, cell, _explain_figure(name, highest)) for name, cell in cells.items())


def _explain_figure(name: str, highest: LevelSummary | None) -> str:
    if name == "Response time p99" and highest is not None:
        return f"At {name_of_level([highest], highest.index)}, the highest valid open-loop level."
    return GLOSSARY[name]


def _highest_valid(levels: Sequence[LevelSummary]) -> LevelSummary | None:
    return next((v for v in reversed(levels) if v.valid and not is_closed(v)), None)


def evidence_table(evidence: Sequence[Evidence]) -> Table:
    """Observations, those that moved the verdict most first."""
    names = ("Observation", "Value", "Meaning", "Supports", "Against", "Weight")
    ordered = sorted(evidence, key=lambda item: -abs(item.weight))
    rows = tuple(
        (
            words(item.quantity),
            words(item.value),
            words(item.sentence),
            words(item.supports or ""),
            words(", ".join(item.against)),
            _weight(item.weight),
        )
        for item in ordered
    )
    return Table(columns(names, words=names[:-1]), rows)


def books_result(levels: Sequence[LevelSummary]) -> str:
    """Whether every order is accounted for, in one sentence."""
    intended = sum(level.orders.intended for level in levels)
    off = [level for level in levels if not level.orders.balanced]
    if off:
        return f"The books do not balance at {len(off)} of {len(levels)} levels"
    if not levels:
        return "No level was measured"
    failed = sum(v.orders.unsent + v.orders.timed_out + v.orders.lost for v in levels)
    answer = "every one of them was answered" if failed == 0 else f"{failed:,} were not answered"
    return f"All {intended:,} orders are accounted for; {answer}"


def _weight(log_odds: float) -> Cell:
    text = f"{log_odds:+.1f}".replace("-", "\N{MINUS SIGN}")
    return Cell("0", tone="muted") if text.endswith("0.0") else Cell(text)


def _glossary_table() -> Table:
    rows = tuple((words(term), words(GLOSSARY[term])) for term in sorted(GLOSSARY, key=str.lower))
    return Table(columns(names := ("Term", "Meaning"), words=names), rows)
