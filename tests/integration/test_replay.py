"""Captured orders, sent again to the reference engine through the driver."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from replay_sample import HEADER, SYMBOLS, capture

from cluster.host.reference import reference_engine
from cluster.results.summary import LevelSummary
from fakes.command_line import loadcluster, write_experiment
from fakes.left_behind import Footprint
from fakes.recording import RecordingEngine, RecordingFix, RecordingOuch, fix_fields
from integration.running import running_engine

pytestmark = pytest.mark.integration

ROWS = 1_500
SHORT = {"warmup_s": 1, "control_s": 2, "drain_s": 1}


# A replace and a cancel that say no side: they are of their order's.
SMALL_CAPTURE = """\
time,symbol,side,price,size,type,id,reference
1000,AAPL,buy,100.01,10,limit,a1,
2000,MSFT,sell,300.05,20,limit,m1,
3000,BRK B,buy,5.00,30,limit,b1,
4000,MSFT,,300.10,25,replace,m2,m1
5000,AAPL,sell,100.30,40,limit,a2,
6000,AAPL,,,,cancel,,a2
7000,700,buy,1.00,50,limit,h1,
8000,MSFT,,,,cancel,,m2
"""


def capture_in(folder: Path, *, skipped: int = 0, numbered: bool = False) -> Path:
    """Three seconds of orders of which none meets another: every cancel finds its order.

    Args:
        folder: where the file is written.
        skipped: so many rows are missing at its beginning.
        numbered: symbols are S00000, S00001 …, as the reference engine wants them as text.
    """
    rows = list(capture(ROWS, rate_per_s=500, trades=False))[skipped:]
    if numbered:
        rows = [(time, f"S{SYMBOLS.index(symbol):05}", *rest) for time, symbol, *rest in rows]
    path = folder / "capture.csv"
    path.write_text("\n".join([",".join(HEADER), *(",".join(row) for row in rows)]) + "\n")
    return path


def levels_of(folder: Path, footprint: Footprint, **sections: object) -> list[LevelSummary]:
    """The levels of a run against the reference engine."""
    with running_engine() as engine:
        experiment = write_experiment(
            folder,
            engine={"port": engine.port},
            agents={"count": 2, "connections": 3},
            profile="off",
            **sections,
        )
        said = loadcluster("run", str(experiment), "--json", env=footprint.env)
    assert said.stdout, said.stderr
    return said.summary.levels


def small_capture_sent_to(
    engine: RecordingEngine, folder: Path, footprint: Footprint, protocol: str
) -> LevelSummary:
    """The level of the small capture, over one connection."""
    file = folder / "capture.csv"
    file.write_text(SMALL_CAPTURE)
    experiment = write_experiment(
        folder,
        protocol=protocol,
        engine={"port": engine.port},
        agents={"count": 1, "connections": 1},
        load={"speeds": [1]},
        order_flow={"replay": str(file)},
    )
    said = loadcluster("run", str(experiment), "--json", env=footprint.env)
    assert said.stdout, said.stderr
    (level,) = said.summary.levels
    return level


def errors_of(level: LevelSummary) -> dict[str, int]:
    """What went wrong at all agents together."""
    errors: dict[str, int] = {}
    for agent in level.agents:
        for kind, count in agent.errors.items():
            errors[kind] = errors.get(kind, 0) + count
    return errors


def test_every_row_is_sent_once_by_two_agents_on_ray_and_every_cancel_finds_its_order(
    tmp_path: Path, footprint: Footprint
) -> None:
    file = capture_in(tmp_path)
    (level,) = levels_of(
        tmp_path,
        footprint,
        fleet="ray",
        load={"speeds": [1]},
        order_flow={"replay": str(file)},
        measure={"warmup_s": 0, "control_s": 6, "drain_s": 1},
    )

    assert level.orders.intended == level.orders.sent == level.orders.accepted == ROWS
    assert level.orders.rejected == 0
    assert errors_of(level) == {}
    assert all(agent.orders.sent > 0 for agent in level.agents)
    assert level.ended_early == f"{file} is at its end after {ROWS:,} rows"
    assert level.arrivals == "recorded"
    assert level.offered_per_s == pytest.approx(500, rel=0.15)
    assert "books-unbalanced" not in {finding.code for finding in level.findings}


def test_a_repeated_file_fills_faster_levels_and_the_maximum(
    tmp_path: Path, footprint: Footprint
) -> None:
    file = capture_in(tmp_path)
    faster, most = levels_of(
        tmp_path,
        footprint,
        load={"speeds": [4], "maximum": {"in_flight": 16}},
        order_flow={"replay": {"file": str(file), "repeat": True}},
        measure=SHORT,
    )

    assert faster.ended_early == most.ended_early == ""
    assert faster.offered_per_s == pytest.approx(2_000, rel=0.15)
    assert faster.orders.intended == pytest.approx(6_000, rel=0.15)
    for level in (faster, most):
        assert level.orders.balanced
        assert level.orders.accepted == level.orders.sent
        assert level.orders.unsent == 0
        assert errors_of(level).get("replay_unknown_reference", 0) == 0
    # Each pass through the file brings as many rejects as the first: none.
    assert most.orders.accepted > 2 * ROWS


def test_at_a_rate_of_ones_own_the_schedule_is_exact_whatever_the_file_s_times(
    tmp_path: Path, footprint: Footprint
) -> None:
    rows = [*capture(ROWS, rate_per_s=7, trades=False)]
    columns = {name: [row[i] for row in rows] for i, name in enumerate(HEADER) if name != "time"}
    file = tmp_path / "capture.parquet"
    pq.write_table(pa.table(columns), file, row_group_size=100)
    (level,) = levels_of(
        tmp_path,
        footprint,
        load={"rates_per_s": [400], "arrivals": "constant"},
        order_flow={"replay": str(file)},
        measure=SHORT,
    )

    assert level.orders.intended == level.orders.accepted == 3 * 400
    assert level.window_orders.intended == 2 * 400
    assert level.ended_early == ""


def test_what_names_no_living_order_is_skipped_counted_and_told(
    tmp_path: Path, footprint: Footprint
) -> None:
    file = capture_in(tmp_path, skipped=500)
    (level,) = levels_of(
        tmp_path,
        footprint,
        load={"speeds": [1]},
        order_flow={"replay": str(file)},
        measure=SHORT,
    )

    unknown = errors_of(level)["replay_unknown_reference"]
    assert unknown > 20
    assert level.orders.intended + unknown == ROWS - 500
    assert level.orders.rejected == 0
    (told,) = (f for f in level.findings if f.code == "replay-unknown-reference")
    assert f"{unknown:,} rows of the file" in told.message


def test_a_file_that_breaks_on_the_way_ends_the_level_with_its_row(
    tmp_path: Path, footprint: Footprint
) -> None:
    # Many rows, so that the wrong one is read after the start.
    rows = [",".join(row) for row in capture(100_000, rate_per_s=200_000, trades=False)]
    rows[90_000] = rows[90_000].replace(",o90000,", ",o90000,", 1).replace("buy", "both", 1)
    rows[90_000] = rows[90_000].replace("sell", "both", 1)
    file = tmp_path / "capture.csv"
    file.write_text("\n".join([",".join(HEADER), *rows]) + "\n")
    (level,) = levels_of(
        tmp_path,
        footprint,
        load={"speeds": [0.2]},
        order_flow={"replay": str(file)},
        measure={"warmup_s": 0, "control_s": 8, "drain_s": 1},
    )

    assert level.ended_early == (
        f"{file}: row 90001, column side: `both` is none of buy, bid, sell, ask, offer"
    )
    assert level.orders.balanced
    assert level.orders.intended == 90_000


def test_check_reads_the_file_as_every_agent_would(tmp_path: Path, footprint: Footprint) -> None:
    file = capture_in(tmp_path)
    experiment = write_experiment(tmp_path, load={"speeds": [1]}, order_flow={"replay": str(file)})
    good = loadcluster("check", str(experiment), env=footprint.env)
    file.write_text(file.read_text().replace(",limit,", ",stop,", 1))
    bad = loadcluster("check", str(experiment), env=footprint.env)
    file.unlink()
    gone = loadcluster("check", str(experiment), env=footprint.env)

    assert f"ok      file: agent-0: {file}: the first 1,500 rows can be read" in good.stdout
    assert "0 rows (0.0%) name no living order" in good.stdout
    assert good.exit_status == 0
    assert f"FAILED  file: agent-0: {file}: row 1, column type: `stop` is none of" in bad.stdout
    assert bad.exit_status == gone.exit_status != 0
    assert f"{file}: there is no such file" in gone.stdout


def test_sessions_that_say_goodbye_after_the_last_order_are_no_early_end(
    tmp_path: Path, free_port: int, footprint: Footprint
) -> None:
    command = [str(reference_engine()), "--port", str(free_port), "--protocol", "fix44"]
    experiment = write_experiment(
        tmp_path,
        protocol="fix44",
        engine={"port": free_port, "command": command},
        agents={"count": 2, "connections": 2},
        load={"speeds": [1]},
        order_flow={"replay": {"file": str(capture_in(tmp_path, numbered=True)), "repeat": True}},
        measure=SHORT,
    )
    said = loadcluster("run", str(experiment), "--json", env=footprint.env)
    (level,) = said.summary.levels

    assert level.ended_early == ""
    assert level.orders.accepted == level.orders.sent == level.orders.intended > 1_000
    assert level.orders.rejected == 0


def test_over_fix_the_file_s_symbols_and_sides_reach_the_wire(
    tmp_path: Path, footprint: Footprint
) -> None:
    with RecordingFix() as engine:
        level = small_capture_sent_to(engine, tmp_path, footprint, "fix44")
    sent = [fix_fields(message) for message in engine.received]

    assert level.orders.accepted == level.orders.intended == 8
    assert [(fields[35], fields[55], fields[54]) for fields in sent] == [
        (b"D", b"AAPL  ", b"1"),
        (b"D", b"MSFT  ", b"2"),
        (b"D", b"BRK B ", b"1"),
        (b"G", b"MSFT  ", b"2"),
        (b"D", b"AAPL  ", b"2"),
        (b"F", b"AAPL  ", b"2"),
        (b"D", b"700   ", b"1"),
        (b"F", b"MSFT  ", b"2"),
    ]
    # What they mean: the replaced order, and what it then went by.
    assert [sent[n][41] for n in (3, 5, 7)] == [sent[n][11] for n in (1, 4, 3)]


def test_over_ouch_the_file_s_symbols_reach_the_wire(tmp_path: Path, footprint: Footprint) -> None:
    with RecordingOuch() as engine:
        level = small_capture_sent_to(engine, tmp_path, footprint, "ouch42")
    entered = [message for message in engine.received if message[:1] == b"O"]

    assert level.orders.accepted == level.orders.intended == 8
    assert b"".join(message[:1] for message in engine.received) == b"OOOUOXOX"
    assert [(message[15:16], message[20:28]) for message in entered] == [
        (b"B", b"AAPL    "),
        (b"S", b"MSFT    "),
        (b"B", b"BRK B   "),
        (b"S", b"AAPL    "),
        (b"B", b"700     "),
    ]


def test_the_reference_engine_takes_the_symbols_of_a_file_as_its_books(
    tmp_path: Path, free_port: int, footprint: Footprint
) -> None:
    command = [str(reference_engine()), "--port", str(free_port), "--protocol", "ouch42"]
    experiment = write_experiment(
        tmp_path,
        protocol="ouch42",
        engine={"port": free_port, "command": command},
        agents={"count": 2, "connections": 2},
        load={"speeds": [1]},
        order_flow={"replay": str(capture_in(tmp_path, numbered=True))},
        measure={"warmup_s": 0, "control_s": 6, "drain_s": 1},
    )
    said = loadcluster("run", str(experiment), "--json", env=footprint.env)
    (level,) = said.summary.levels

    assert level.orders.accepted == level.orders.sent == level.orders.intended == ROWS
    assert level.orders.rejected == 0
    assert errors_of(level) == {}


def test_check_refuses_a_symbol_that_has_no_room_in_the_protocol(
    tmp_path: Path, footprint: Footprint
) -> None:
    file = tmp_path / "capture.csv"
    file.write_text(SMALL_CAPTURE.replace("BRK B", "BRK.B.N"))
    experiment = write_experiment(
        tmp_path, protocol="fix44", load={"speeds": [1]}, order_flow={"replay": str(file)}
    )
    said = loadcluster("check", str(experiment), env=footprint.env)

    assert said.exit_status != 0
    assert (
        f"{file}: row 3: its symbol `BRK.B.N` has 7 bytes, and 6 fit into the protocol's field"
        in said.stdout
    )
