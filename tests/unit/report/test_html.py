import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cluster.errors import ResultsError
from cluster.report.cells import DASH
from cluster.report.charts import plotly_script
from cluster.report.glossary import GLOSSARY
from cluster.report.html import SECTIONS, anchor, breakable, marked, render_report, write_report
from cluster.report.page import ReportInputs
from cluster.report.text import render_summary
from cluster.results.engine import Capability, Counter, HotFunction, ThreadUse
from cluster.results.finding import Finding, Severity
from cluster.results.left_behind import LeftBehind
from cluster.results.replies import RejectReason
from cluster.results.summary import Summary
from fakes.summary import (
    dead_engine_summary,
    sample_events,
    sample_facts,
    sample_folded,
    sample_off_cpu_folded,
    sample_summary,
)

HOSTILE = "<script>alert('x')</script>"
ACTING = "\x1b[2J\x9b2J\u202eevil\u2066\u200f</script><!--"
NEW_IN_LEVELS = ("timed_reply", "first_reply_ns", "last_reply_ns", "replies", "reject_reasons")
VOID = {"meta", "input", "br", "hr", "img", "link", "wbr"}


class Outline(HTMLParser):
    """Elements of a page: what is opened and never closed, ids, scripts, and visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.scripts = 0
        self.loads: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.scripts += tag == "script"
        self.ids += [v for k, v in attrs if k == "id" and v]
        self.targets += [v[1:] for k, v in attrs if k == "href" and v and v.startswith("#")]
        if tag in ("script", "link", "img", "iframe") and ("src" in found or "href" in found):
            self.loads.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    parser.close()
    return parser


def inputs(summary: Summary) -> ReportInputs:
    return ReportInputs(
        summary,
        "name: quickstart\n",
        sample_facts(),
        sample_events(),
        sample_folded(),
        sample_off_cpu_folded(),
    )


@pytest.fixture(scope="module")
def html() -> str:
    return render_report(inputs(sample_summary()))


def hostile_summary(text: str = HOSTILE) -> Summary:
    """A run in which everything that comes from a host tries to be markup."""
    summary = dead_engine_summary()
    thread = summary.levels[0].engine_threads[0].model_copy(update={"name": text})
    function = HotFunction(name=text, module=text, self_ratio=1, total_ratio=1, samples=1)
    engine = summary.engine
    assert engine.exit
    assert isinstance(thread, ThreadUse)
    reason = RejectReason(reason=text, meaning=text, count=1)
    level = summary.levels[0].model_copy(update={"reject_reasons": [reason]})
    return summary.model_copy(
        update={
            "name": text,
            "left_behind": [LeftBehind(host=text, looked_for=[text], found=[text])],
            "levels": [level, *summary.levels[1:]],
            "findings": [Finding(severity=Severity.NOTE, code="x", message=text, advice=text)],
            "engine": engine.model_copy(
                update={
                    "process": text,
                    "last_output": text,
                    "threads": [thread],
                    "counters": [Counter(event=text, value=None, why=text)],
                    "exit": engine.exit.model_copy(update={"last_output": text}),
                }
            ),
            "profile": summary.profile.model_copy(
                update={
                    "hot_functions": [function],
                    "off_cpu": [function],
                    "capabilities": [Capability(what=text, available=False, why=text, remedy=text)],
                    "artefacts": [text],
                    "not_measured": text,
                }
            ),
        }
    )


def test_the_page_is_well_formed_and_its_sections_can_be_reached(html: str) -> None:
    found = outline(html)

    assert [] == found.open
    assert len(found.ids) == len(set(found.ids))
    assert {anchor(name) for name in SECTIONS} <= set(found.targets)
    assert set(found.targets) <= set(found.ids)


def test_the_page_loads_nothing(html: str) -> None:
    own = re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)

    assert [] == outline(html).loads
    assert [] == re.findall(r"https?://|@import|url\(", own)


def test_every_heading_is_in_the_glossary(html: str) -> None:
    dead = render_report(ReportInputs(dead_engine_summary(), "", sample_facts(), sample_events()))

    for page in (html, dead):
        headings = re.findall(r"<(?:h2|h3|th)\b[^>]*>([^<]+)</", page)
        terms = {term for heading in headings for term in heading.split(": ")}
        assert len(terms) > len(SECTIONS)
        assert set() == terms - set(GLOSSARY)


def test_plotly_is_inlined_once(html: str) -> None:
    assert html.count("plotly.js v") == 1


def test_the_verdict_comes_first(html: str) -> None:
    order = [html.index(f'<section id="{anchor(name)}"') for name in SECTIONS]

    assert sorted(order) == order


def test_everything_from_a_host_is_text() -> None:
    hostile = hostile_inputs(HOSTILE)
    normal = inputs(dead_engine_summary())

    page, plain = outline(render_report(hostile)), outline(render_report(normal))

    assert HOSTILE not in render_report(hostile)
    assert plain.scripts == page.scripts
    shown = "".join(page.text)
    # The name thrice, finding, advice, process, outputs, thread, counter, functions, a rejection's
    # reason and meaning, and the rest.
    assert shown.count(HOSTILE) >= 22


def hostile_inputs(text: str) -> ReportInputs:
    return ReportInputs(
        hostile_summary(text),
        text,
        {text: {text: text}},
        [{"time_ns": 1, "kind": text, "more": text}],
        {f"{text};{text}": 1},
        {text: 1},
    )


def test_nothing_from_a_host_turns_the_reading_order_or_moves_a_cursor() -> None:
    page = render_report(hostile_inputs(ACTING))
    own = page.replace(plotly_script(), "")

    assert set() == set("\x1b\x9b\u202e\u2066\u200f") & set(own)
    assert r"\u202eevil" in "".join(outline(page).text)
    assert "</script><!--" not in own
    assert outline(render_report(inputs(dead_engine_summary()))).scripts == outline(page).scripts


def test_nothing_from_a_host_acts_on_a_terminal() -> None:
    text = render_summary(hostile_summary(ACTING), None)

    assert set() == set("\x1b\x9b\u202e\u2066\u200f") & set(text)
    assert "evil" in text


def test_a_missing_value_gives_its_reason_on_hover_and_to_screen_readers(html: str) -> None:
    reason = "too few orders for this percentile"

    assert (
        f'title="not measured: {reason}">{DASH}<span class="unseen"> not measured: {reason}' in html
    )


def test_a_run_that_is_not_valid_leads_with_a_banner() -> None:
    html = render_report(inputs(dead_engine_summary()))

    assert html.index('class="banner"') < html.index('id="verdict"')
    assert "This measurement is not valid: one finding says why." in html
    assert "book corrupted" in html


def test_a_run_of_before_replies_were_counted_still_has_its_report() -> None:
    summary = sample_summary()
    content = summary.model_dump(mode="json")
    for level in content["levels"]:
        for name in NEW_IN_LEVELS:
            del level[name]
    older = render_report(inputs(Summary.model_validate(content)))

    assert [] == outline(older).open
    assert "<h3>What the engine replied</h3>" not in older
    assert "<h3>What the engine replied</h3>" in render_report(inputs(summary))


def test_a_valid_run_has_no_banner(html: str) -> None:
    assert 'class="banner"' not in html


def test_a_profile_that_was_not_taken_says_why() -> None:
    html = render_report(ReportInputs(dead_engine_summary()))

    assert "Not measurable here, because perf found no process to sample" in html


def test_a_run_interrupted_before_its_first_level_has_a_report() -> None:
    summary = sample_summary().model_copy(
        update={"levels": [], "interrupted": True, "valid": False}
    )

    found = outline(render_report(ReportInputs(summary)))

    assert [] == found.open
    assert "The run was interrupted" in "".join(found.text)


def test_the_report_replaces_an_older_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    write_report(path, inputs(sample_summary()))

    assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert [path] == list(tmp_path.iterdir())


def test_a_name_that_is_no_text_does_not_prevent_the_report(tmp_path: Path) -> None:
    folded = {"t;\udcff": 1}

    write_report(tmp_path / "report.html", ReportInputs(sample_summary(), folded=folded))

    assert (tmp_path / "report.html").exists()


def test_a_directory_that_is_not_there_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"could not be written to .*: No such file") as caught:
        write_report(tmp_path / "gone" / "report.html", inputs(sample_summary()))

    assert "loadcluster report" in caught.value.hint


def test_words_between_backticks_are_code_and_still_escaped() -> None:
    assert marked("set `a<b` and `c`.") == "set <code>a&lt;b</code> and <code>c</code>."
    assert marked("one ` alone & <b>") == "one ` alone &amp; &lt;b&gt;"
    assert marked("`a` and ` b") == "<code>a</code> and ` b"


def test_long_names_may_break_behind_their_scopes() -> None:
    assert breakable("a::b<c>") == "a::<wbr>b&lt;c&gt;"
