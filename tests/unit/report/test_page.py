from pathlib import Path

from cluster.report.cells import DASH
from cluster.report.glossary import GLOSSARY
from cluster.report.html import SECTIONS
from cluster.report.page import ReportInputs, build_page, evidence_table
from fakes.summary import (
    dead_engine_summary,
    sample_events,
    sample_facts,
    sample_folded,
    sample_summary,
)

DOCS = Path(__file__).parents[3] / "docs"
PAGE = build_page(
    ReportInputs(
        sample_summary(), "name: x\n", sample_facts(), sample_events(), sample_folded(), {}
    )
)
DEAD = build_page(ReportInputs(dead_engine_summary()))


def test_the_verdict_has_four_figures() -> None:
    assert {
        "Sustained": "200,000/s",
        "Maximum": "412,300/s",
        "Predicted maximum": "434,783/s",
        "Response time p99": "429 µs",
    } == {figure.name: figure.cell.text for figure in PAGE.figures}


def test_figures_that_could_not_be_measured_are_dashes_with_reasons() -> None:
    figures = {figure.name: figure.cell for figure in DEAD.figures}

    assert (DASH, "no closed-loop level was measured") == (
        figures["Maximum"].text,
        figures["Maximum"].reason,
    )
    assert figures["Response time p99"].text == "119 µs"


def test_the_p99_of_the_verdict_says_at_which_level() -> None:
    explanation = PAGE.figures[-1].explanation

    assert explanation == "At 200,000/s, the highest valid open-loop level."


def test_evidence_stands_in_the_order_of_its_weight() -> None:
    rows = [[cell.text for cell in row] for row in PAGE.evidence.rows]

    assert ["+2.4", "+1.8", "\N{MINUS SIGN}0.4"] == [row[-1] for row in rows]
    assert ["Busiest engine thread", "94.8 % on CPU"] == rows[0][:2]
    assert ["engine", "network, client"] == rows[0][3:5]
    assert [DASH, "client"] == rows[1][3:5]


def test_evidence_that_moved_nothing_weighs_zero() -> None:
    evidence = sample_summary().verdict.evidence[0].model_copy(update={"weight": -0.01})

    assert evidence_table([evidence]).rows[0][-1].text == "0"


def test_a_valid_run_has_no_headline() -> None:
    assert PAGE.headline == ""


def test_a_run_that_is_not_valid_leads_with_it() -> None:
    assert DEAD.headline == (
        "This measurement is not valid: one finding says why. Do not rely on its figures."
    )


def test_findings_of_levels_are_shown_too() -> None:
    assert "closed-loop" in {finding.code for finding in PAGE.findings}


def test_charts_stand_in_the_order_of_the_page_with_their_data() -> None:
    assert ["throughput", "response", "curve", "parts", "budget", "time-line"] == [
        chart.key for chart in PAGE.charts
    ]
    assert all(chart.data.rows and not chart.is_empty for chart in PAGE.charts)


def test_the_books_are_summed_up() -> None:
    assert PAGE.books_result == (
        "All 7,723,000 orders are accounted for; every one of them was answered"
    )
    assert DEAD.books_result == "All 720,000 orders are accounted for; 60,000 were not answered"


def test_books_that_do_not_balance_are_the_result() -> None:
    summary = sample_summary()
    orders = summary.levels[0].orders.model_copy(update={"lost": 3})
    broken = [summary.levels[0].model_copy(update={"orders": orders}), *summary.levels[1:]]

    page = build_page(ReportInputs(summary.model_copy(update={"levels": broken})))

    assert page.books_result == "The books do not balance at 1 of 5 levels"


def test_a_run_without_any_level_still_has_a_page() -> None:
    empty = build_page(ReportInputs(sample_summary().model_copy(update={"levels": []})))

    assert all(chart.is_empty for chart in empty.charts)
    assert empty.books_result == "No level was measured"
    assert empty.figures[-1].cell.reason == "no valid open-loop level"


def test_the_method_tells_open_from_closed_loop() -> None:
    text = " ".join(PAGE.method)

    assert "poisson arrivals" in text
    assert "The maximum is closed-loop" in text
    assert "closed-loop" not in " ".join(DEAD.method)


def test_every_section_is_in_the_glossary() -> None:
    assert set(SECTIONS) <= set(GLOSSARY)


def test_every_chart_heads_a_section() -> None:
    assert {chart.heading for chart in PAGE.charts} <= set(SECTIONS)


def test_the_documented_glossary_has_the_same_words() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")

    documented = {
        line.removeprefix("| ").split(" | ")[0]: line.removesuffix(" |").split(" | ", 1)[1]
        for line in text.splitlines()
        if line.startswith("| ") and not line.startswith("| Term | Meaning")
    }
    assert GLOSSARY == documented


def test_every_section_is_explained_in_the_reading_guide() -> None:
    text = (DOCS / "reading-the-report.md").read_text(encoding="utf-8")

    headings = {line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")}
    assert set(SECTIONS) <= headings
