"""docs/measurement.md says what the code does: every finding is in it, and no other."""

import ast
import re
from pathlib import Path

import cluster.analysis
from cluster.analysis.uncertainty.latency import orders_needed
from cluster.analysis.verdict.conclude import CONFIDENCE_MIN

ANALYSIS = Path(cluster.analysis.__file__).parent
TEXT = (ANALYSIS.parents[1] / "docs" / "measurement.md").read_text()
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
OF_THE_DRIVER = {
    "agents-beside-engine",
    "cluster-lost",
    "engine-not-restarted",
    "invariance-not-tested",
    "left-behind",
    "level-did-not-start",
    "trial-did-not-start",
}


def codes_in_code():
    """Codes given to a finding: the third argument of `finding`, or `code=`."""
    found = set()
    for path in ANALYSIS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            named = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            placed = node.args[2:3] if getattr(node.func, "id", "") == "finding" else []
            for value in named + placed:
                if isinstance(value, ast.Constant):
                    found.add(value.value)
    return found | {"books-unbalanced"}


def words_in_text():
    return set(re.findall(r"`([^`]+)`", TEXT))


def codes_in_text():
    validity = TEXT[TEXT.index("## Validity") : TEXT.index("## The utilisation law")]
    return {code for code in re.findall(r"`([^`]+)`", validity) if KEBAB.fullmatch(code)}


def test_every_finding_of_the_code_is_explained_and_no_other():
    codes = codes_in_code() | OF_THE_DRIVER

    assert codes <= words_in_text()
    assert codes_in_text() <= codes


def test_the_orders_a_percentile_needs_are_those_of_the_code():
    (row,) = (line for line in TEXT.splitlines() if line.startswith("| orders needed"))
    needed = [int(cell.replace(",", "")) for cell in row.split("|")[2:-1]]

    assert needed == [orders_needed(p) for p in (50, 95, 99, 99.9, 99.99)]


def test_the_threshold_of_the_verdict_is_that_of_the_code():
    assert f"P ≥ {CONFIDENCE_MIN}" in TEXT
