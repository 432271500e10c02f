import io
from pathlib import Path

import pytest
from rich.console import Console

from cluster.analysis.uncertainty.latency import withheld
from cluster.report.cells import DASH
from cluster.report.text import print_summary, render_summary, summary_line
from cluster.results.engine import HotFunction
from cluster.results.finding import Finding, Severity
from cluster.results.replies import RejectReason
from fakes.summary import TOO_FEW, dead_engine_summary, sample_summary

PATH = Path("runs/2026-11-23T140502-quickstart/report.html")
TEXT = render_summary(sample_summary(), PATH)
DEAD = render_summary(dead_engine_summary(), PATH)


def section(text: str, name: str) -> list[str]:
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(name))
    end = next((i for i in range(start, len(lines)) if not lines[i]), len(lines))
    return lines[start + 1 : end]


def test_the_verdict_comes_first_and_the_report_last() -> None:
    lines = TEXT.splitlines()

    assert lines[0] == "VERDICT"
    assert lines[1].startswith("  The engine sustains 200,000 orders/s")
    assert f"Report: {PATH}" == lines[-1]


def test_every_level_has_its_figures() -> None:
    rows = [" ".join(line.split()) for line in section(TEXT, "LEVELS")]

    assert "offered throughput p50 p99 p99 ± p99.9 lag p99 valid" == rows[0]
    assert "50,000/s 49,990/s 34 µs 119 µs 6 % 204 µs 1.4 µs yes" == rows[2]
    assert "closed-loop (1,024) 412,300/s 2.48 ms 16.1 ms 6 % 29.8 ms 1.4 µs yes" == rows[5]


def test_a_missing_percentile_is_a_dash_with_its_reason_below() -> None:
    lines = section(TEXT, "LEVELS")

    assert DASH in lines[1].split()
    assert lines[-1] == f"  {DASH} {TOO_FEW}"


def test_a_level_without_a_steady_state_says_so_in_the_place_of_its_percentiles() -> None:
    summary = sample_summary()
    why = "unstable at this rate: unanswered orders piled up by 100/s"
    level = summary.levels[1]
    summary.levels[1] = level.model_copy(
        update={"response_ns": withheld(level.response_ns, why), "curve": []}
    )
    lines = section(render_summary(summary, PATH), "LEVELS")

    assert " unstable unstable – unstable " in " ".join(lines[2].split())  # noqa: RUF001 - a dash
    assert any(why in line for line in lines)


def test_figures_between_runs_stand_with_their_interval() -> None:
    rows = [" ".join(line.split()) for line in section(TEXT, "BETWEEN RUNS")]

    assert "200,000/s response p99 119 µs 116 µs 122 µs" in rows


def test_every_level_has_its_orders_by_fate() -> None:
    rows = [" ".join(line.split()) for line in section(DEAD, "ORDERS")]

    assert "offered answered rejected timed out lost unsent books" == rows[0]
    assert "100,000/s 60,000 0 2,000 28,000 30,000 balanced" == rows[3]


def test_a_run_that_is_not_valid_says_so_before_anything_else() -> None:
    lines = DEAD.splitlines()

    assert lines[1].startswith("NOT VALID: This measurement is not valid")
    assert "  100,000/s ended early: the engine died: SIGSEGV" in lines


def test_evidence_names_the_sides_it_takes() -> None:
    lines = section(TEXT, "EVIDENCE")

    assert lines[0].startswith("  * Busiest engine thread: 94.8 % on CPU.")
    assert "(for engine; against network, client)" in " ".join(line.strip() for line in lines)


def test_the_letter_of_the_scenario_is_said_once() -> None:
    summary = sample_summary()
    verdict = summary.verdict.model_copy(update={"scenario_sentence": "Scenario A: fast."})

    lines = render_summary(summary.model_copy(update={"verdict": verdict}), None).splitlines()

    assert "  scenario    A: fast." in lines


def test_a_finding_of_several_levels_is_one_entry() -> None:
    summary = sample_summary()
    found = [
        Finding(severity=Severity.NOTE, code="x", message=f"seen {i}", advice="do it.", level=i)
        for i in range(3)
    ]

    text = render_summary(summary.model_copy(update={"findings": found}), None)

    assert "  note     100,000/s: seen 2 Likewise at 10,000/s and 50,000/s. do it." in text
    assert "seen 0" not in text


def test_findings_stand_gravest_first() -> None:
    starts = [line.split()[0] for line in section(DEAD, "FINDINGS") if line[2] != " "]

    assert ["invalid", "warning", "note"] == starts


def test_the_five_hottest_functions_have_short_names() -> None:
    lines = section(TEXT, "HOT FUNCTIONS")

    assert 5 == len(lines)
    assert "   12.1 %  std::_Rb_tree<…>::find" == lines[2]


def test_a_missing_profile_says_why() -> None:
    assert section(DEAD, "HOT FUNCTIONS")[0].startswith("  not measurable here, because perf")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 132])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    for summary in (sample_summary(), dead_engine_summary()):
        lines = render_summary(summary, None, width=width).splitlines()
        assert width >= max(map(len, lines))


def test_names_from_the_host_cannot_move_the_cursor() -> None:
    summary = sample_summary()
    function = HotFunction(
        name="evil\x1b[2J\rname", module="x", self_ratio=1, total_ratio=1, samples=1
    )
    finding = Finding(severity=Severity.NOTE, code="x", message="said \x1b]0;title\x07 so")
    hostile = summary.model_copy(
        update={
            "findings": [finding],
            "profile": summary.profile.model_copy(update={"hot_functions": [function]}),
        }
    )

    text = render_summary(hostile, PATH)

    assert not set(text) & {"\x1b", "\x07", "\r"}


def test_a_run_without_levels_is_told_as_such() -> None:
    text = render_summary(sample_summary().model_copy(update={"levels": []}), None)

    assert ["  none was measured"] == section(text, "LEVELS")
    assert "Report:" not in text


def test_a_pipe_gets_the_same_text_without_colour() -> None:
    out = io.StringIO()

    print_summary(sample_summary(), PATH, Console(file=out, width=100))

    assert [line.rstrip() for line in TEXT.splitlines()] == [
        line.rstrip() for line in out.getvalue().splitlines()
    ]


def test_a_terminal_gets_weight_and_colour() -> None:
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=True, color_system="standard")

    print_summary(dead_engine_summary(), PATH, console)

    assert "\x1b[1mVERDICT" in out.getvalue()
    assert "\x1b[1;31m  invalid" in out.getvalue()


def test_a_run_is_one_line_in_a_list() -> None:
    assert summary_line(sample_summary()).split() == [
        "valid",
        "scenario",
        "A",
        "200,000/s",
        "engine",
        "(93%)",
    ]
    assert summary_line(dead_engine_summary()).startswith("not valid")


def test_what_was_replied_is_told_level_by_level() -> None:
    rows = [" ".join(line.split()) for line in section(TEXT, "REPLIES")]

    assert (
        "offered executions remainders unsolicited out of order skipped last reply p99" == rows[0]
    )
    assert "50,000/s 166,666 10,000 0 0 0 167 µs" == rows[2]


def test_the_reasons_of_rejections_are_told_with_their_meaning() -> None:
    lines = section(TEXT, "REJECTED")

    assert lines[0] == r"  10,000/s: 3 (unknown order) 200, 4 (price out of range) 120, \x07 80"


def test_a_reason_can_not_move_the_cursor() -> None:
    summary = sample_summary()
    reasons = [RejectReason(reason="\x1b[2J", meaning="a\rb", count=1)] * 5
    level = summary.levels[0].model_copy(update={"reject_reasons": reasons})
    text = render_summary(summary.model_copy(update={"levels": [level]}), None)

    assert "\x1b" not in text
    assert "\r" not in text
    assert "2 more reasons" in text


def test_a_run_of_before_replies_were_counted_has_no_word_of_them() -> None:
    summary = sample_summary()
    update = {"replies": None, "reject_reasons": [], "last_reply_ns": None}
    levels = [level.model_copy(update=update) for level in summary.levels]
    text = render_summary(summary.model_copy(update={"levels": levels}), None)

    assert "REPLIES" not in text
    assert "REJECTED" not in text
    assert "ORDERS" in text
