import json
from pathlib import Path

import pytest

from cluster.profile.events import ALL_EVENTS, event_arguments, plain_event
from cluster.profile.perf_stat import (
    StatRow,
    counters_of,
    counts_per_window,
    parse_stat,
    stat_argv,
)
from cluster.profile.window import HostWindow

DATA = Path(__file__).parents[2] / "data" / "perf"
NS = 1_000_000_000


def rows_of(name: str) -> list[StatRow]:
    return list(parse_stat((DATA / name).read_text().splitlines()))


def row(at_s: float, event: str, value: float | None, **changes: float) -> StatRow:
    running_ns, running_ratio = changes.get("running_ns", 1e8), changes.get("running_ratio", 1)
    return StatRow(at_s, event, value, "", running_ns, running_ratio)


def test_json_of_perf_6_1_gives_every_row() -> None:
    rows = rows_of("stat-6.1.json.txt")
    counted = [r for r in rows if r.value is not None and r.event == "task-clock"]

    assert {"cycles", "instructions", "task-clock", "context-switches", "minor-faults"} == {
        r.event for r in rows
    }
    assert [r.value for r in counted] == [221.124135, 493.084931, 508.639117]
    assert {r.tag for r in rows if r.event == "cycles"} == {"not supported"}
    assert {r.unit for r in counted} == {"msec"}


def test_columns_of_older_perfs_give_the_same() -> None:
    rows = rows_of("stat-6.1.csv.txt")

    assert rows[0] == StatRow(0.503805841, "cycles", None, "", 0, 1, "not supported")
    assert rows[1] == StatRow(0.503805841, "task-clock", 193.98, "msec", 193980507, 1)


def test_json_of_newer_perfs_is_read_too() -> None:
    newer = {
        "interval": 1.5,
        "counter-value": "42.000000",
        "unit": "",
        "event": "cpu_core/cycles/",
        "event-runtime": 5,
        "pcnt-running": 50.0,
        "metric-value": "0.387023",
        "metric-unit": "insn per cycle",
        "metric-threshold": "good",
    }
    metric_alone = {"interval": 1.5, "metric-value": "9.1", "metric-unit": "%  tma_retiring"}
    lines = ["# started on Mon", "", json.dumps(newer), json.dumps(metric_alone)]

    assert list(parse_stat(lines)) == [StatRow(1.5, "cycles", 42, "", 5, 0.5)]


@pytest.mark.parametrize(
    "line", ['{"interval" : 1.5, "counter-va', "1,5;2;;cycles;0;1", "1.5;2", "{}", "garbage"]
)
def test_a_damaged_line_is_passed_over(line: str) -> None:
    assert list(parse_stat([line])) == []


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ("cycles:u", "cycles"),
        ("cpu-clock:uH", "cpu-clock"),
        ("cpu_atom/LLC-loads/", "LLC-loads"),
        ("sched:sched_switch", "sched:sched_switch"),
        ("power/energy-pkg/", "power/energy-pkg/"),
    ],
)
def test_an_event_keeps_the_name_it_was_asked_by(reported: str, expected: str) -> None:
    assert expected == plain_event(reported)


def test_rows_belong_to_the_window_in_which_they_were_counted() -> None:
    windows = [HostWindow(2, 11 * NS, 13 * NS), HostWindow(5, 20 * NS, 22 * NS)]
    rows = [
        row(0.5, "cycles", None),
        row(1.4, "cycles", 1),
        row(3.2, "cycles", 2),  # ends a little after its window did
        row(9.9, "cycles", 4),
        row(12.3, "cycles", 8),
    ]
    by_level = counts_per_window(rows, 10 * NS, windows)

    assert [[r.value for r in by_level[2]], [r.value for r in by_level[5]]] == [[1, 2], [4, 8]]


def test_counts_of_a_window_add_up_and_tell_how_long_they_ran() -> None:
    rows = [
        row(1, "cycles", 100, running_ns=50, running_ratio=0.5),
        row(2, "cycles", 200, running_ns=100, running_ratio=1),
    ]
    cycles = next(c for c in counters_of(rows, {}) if c.event == "cycles")

    assert cycles.value == 300
    assert cycles.running_ratio == pytest.approx(150 / 200)


def test_an_event_without_a_count_has_none_and_a_reason() -> None:
    counters = counters_of([row(1, "cycles", 0)], {"LLC-loads": "no PMU"})
    by_event = {counter.event: counter for counter in counters}

    assert list(ALL_EVENTS) == [counter.event for counter in counters]
    assert (by_event["cycles"].value, by_event["cycles"].why) == (0, "")
    assert (by_event["LLC-loads"].value, by_event["LLC-loads"].why) == (None, "no PMU")
    assert by_event["branches"].value is None
    assert "no thread of the engine ran" in by_event["branches"].why


def test_groups_hold_supported_events_only() -> None:
    supported = {"cycles", "instructions", "LLC-loads", "slots", "task-clock"}

    assert event_arguments(supported) == ["{cycles,instructions}", "LLC-loads", "task-clock"]
    assert event_arguments(set()) == []
    assert event_arguments(set(ALL_EVENTS))[0] == "{cycles,instructions,branches,branch-misses}"


def test_perf_stat_starts_disabled_and_writes_to_a_file() -> None:
    argv = stat_argv(["perf"], 42, ["cycles"], as_json=False)

    assert argv[:5] == ["perf", "stat", "-p", "42", "-I"]
    assert argv[argv.index("-D") + 1] == "-1"
    assert argv[argv.index("-x") + 1] == ";"
    assert "--control=fifo:{ctl},{ack}" in argv
    assert "-j" in stat_argv(["perf"], 42, ["cycles"], as_json=True)
