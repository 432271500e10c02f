import json
import re
from xml.etree import ElementTree as ET

from cluster.report.flamegraph import (
    flamegraph_fragment,
    flamegraph_html,
    flamegraph_script,
    flamegraph_svg,
    script_json,
)
from fakes.summary import sample_folded, sample_off_cpu_folded

HOSTILE = "<script>alert(1)</script>"
SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own drawing


def embedded(html: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    data = json.loads(found.group(1))
    assert isinstance(data, dict)
    return data


def test_the_svg_has_a_tooltip_with_whole_name_and_shares_on_every_frame() -> None:
    svg = parsed(flamegraph_svg({"t;f(int)": 3, "t;g": 1}, title="On-CPU", unit="samples"))

    tooltips = [title.text for title in svg.iter(f"{SVG}title")]
    assert [
        "all\ntotal 4 samples (100.00%), self 0 samples (0.00%)",
        "t\ntotal 4 samples (100.00%), self 0 samples (0.00%)",
        "f(int)\ntotal 3 samples (75.00%), self 3 samples (75.00%)",
        "g\ntotal 1 samples (25.00%), self 1 samples (25.00%)",
    ] == tooltips


def test_names_from_the_host_are_text_in_the_svg() -> None:
    text = flamegraph_svg({f"t;{HOSTILE}\x1b": 1}, title=HOSTILE, unit="samples")

    assert HOSTILE not in text
    assert not list(parsed(text).iter(f"{SVG}script"))


def test_names_from_the_host_cannot_end_the_script_element_that_holds_them() -> None:
    html = flamegraph_html({f"t;{HOSTILE}": 1}, title=HOSTILE, unit="samples")

    assert HOSTILE not in html
    names = embedded(html)["names"]
    assert isinstance(names, list)
    assert [HOSTILE] == [name["whole"] for name in names if "alert" in name["whole"]]


def test_the_page_carries_every_frame_with_its_place_and_share() -> None:
    data = embedded(flamegraph_html({"t;f": 3, "t;g": 1}, title="x", unit="samples"))

    # depth, start, total, own, index of the name
    assert [[0, 0, 4, 0, 0], [1, 0, 4, 0, 1], [2, 0, 3, 3, 2], [2, 3, 1, 1, 3]] == data["frames"]
    assert data["unit"] == "samples"


def test_a_graph_without_stacks_says_so() -> None:
    assert "No stacks were sampled." in flamegraph_svg({}, title="x", unit="ns")
    assert "No stacks were sampled." in flamegraph_html({}, title="x", unit="ns")


def test_the_page_loads_nothing() -> None:
    html = flamegraph_html(sample_folded(), title="x", unit="samples")

    assert re.findall(r"(?:src|href)\s*=|@import|url\(|fetch\(|https?://", html) == []


def test_the_program_is_small() -> None:
    assert len(flamegraph_script().encode()) <= 15 * 1024


def test_a_hundred_thousand_stacks_stay_a_small_page() -> None:
    folded = {f"t;main;f{i % 300};g{i % 7_000};h{i}": 1 + i % 3 for i in range(100_000)}

    assert len(flamegraph_html(folded, title="x", unit="samples")) < 500_000


def test_times_off_the_cpu_are_written_as_durations() -> None:
    svg = flamegraph_svg(sample_off_cpu_folded(), title="Off-CPU", unit="ns")

    assert "futex_wait_[k]\ntotal 9 s (99.54%), self 9 s (99.54%)" in svg


def test_the_legend_names_only_kinds_that_are_there() -> None:
    fragment = flamegraph_fragment({"t;main": 1}, label="x", unit="samples")

    kinds = re.findall(r"</i>([^<]+)</li>", fragment)
    assert ["thread", "engine code"] == kinds


def test_json_for_a_script_element_reads_back_equal() -> None:
    data = {"a": "</script><!--&\u2028", "b": [1, None]}

    text = script_json(data)

    assert not set("<>&\u2028") & set(text)
    assert data == json.loads(text)
