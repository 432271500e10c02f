"""The report and the flame graph in a real browser, where there is one: chromium, headless."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from cluster.report.flamegraph import flamegraph_html
from cluster.report.html import render_report
from cluster.report.page import ReportInputs
from fakes.summary import (
    sample_events,
    sample_facts,
    sample_folded,
    sample_off_cpu_folded,
    sample_summary,
)

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--virtual-time-budget=5000",
]

PROBE = """
<script>
const failures = [];
addEventListener("error", (event) => failures.push(event.message));
addEventListener("load", () => {
  const pre = document.createElement("pre");
  let seen;
  try { seen = (() => { %s })(); } catch (error) { failures.push(String(error)); }
  pre.textContent = "PROBE" + JSON.stringify({ seen, failures }) + "ENDS";
  document.body.append(pre);
});
</script>
"""

FLAME = """
const box = document.querySelector(".flame");
const stage = box.querySelector(".flame-stage");
const search = box.querySelector(".flame-search");
const key = (name) => stage.dispatchEvent(new KeyboardEvent("keydown", { key: name }));
const look = (text) => { search.value = text; search.dispatchEvent(new Event("input")); };
const details = () => box.querySelector(".flame-details strong").textContent;
const found = () => box.querySelector(".flame-found").textContent;
const seen = { frames: stage.children.length };
look("OrderBook|_Rb_tree");
seen.matched = found();
look("(");
seen.invalid = found();
look("");
["ArrowUp", "ArrowUp", "ArrowUp"].forEach(key);
seen.widest = details();
key("Enter");
seen.zoomed = stage.children.length;
key("ArrowUp");
key("ArrowLeft");
seen.left = details();
key("Escape");
seen.reset = stage.children.length;
return seen;
"""

LAYOUT = """
return {
  drawn: document.querySelectorAll(".chart:has(.main-svg)").length,
  fits: document.documentElement.scrollWidth <= innerWidth,
  loaded: performance.getEntriesByType("resource").length,
};
"""


def probe(tmp_path: Path, html: str, script: str, *, width: int = 1280) -> Any:
    """What `script` returns once the page has loaded; fails on any error in the page."""
    page = tmp_path / "page.html"
    page.write_text(html.replace("<head>", "<head>" + PROBE % script, 1), encoding="utf-8")
    assert CHROMIUM
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    argv = [CHROMIUM, *QUIET, profile, f"--window-size={width},1000", "--dump-dom", page.as_uri()]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True)
    answer = re.search(r"PROBE(\{.*\})ENDS</pre>", done.stdout)
    assert answer, done.stderr[-2000:]
    result = json.loads(unescape(answer.group(1)))
    assert [] == result["failures"]
    return result["seen"]


@pytest.mark.parametrize("width", [1280, 500])
def test_the_report_draws_every_chart_loads_nothing_and_fits(tmp_path: Path, width: int) -> None:
    inputs = ReportInputs(
        sample_summary(),
        "name: quickstart\n",
        sample_facts(),
        sample_events(),
        sample_folded(),
        sample_off_cpu_folded(),
    )

    seen = probe(tmp_path, render_report(inputs), LAYOUT, width=width)

    assert {"drawn": 6, "fits": True, "loaded": 0} == seen


def test_the_flame_graph_searches_zooms_and_obeys_the_keyboard(tmp_path: Path) -> None:
    html = flamegraph_html(sample_folded(), title="On-CPU", unit="samples")

    seen = probe(tmp_path, html, FLAME)

    # Matched: (2603 + 1015 + 402) of 5824 samples, the tree inside the book not counted twice.
    assert {
        "frames": 25,
        "matched": "69.02 % matched",
        "invalid": "not a regular expression",
        "widest": "cluster::Session::parse(unsigned char const*)",
        "zoomed": 11,
        "left": "cluster::OrderBook::insert(cluster::Order const&)",
        "reset": 25,
    } == seen
