import gzip
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from replay_sample import HEADER, capture

from cluster.experiment.replay import Replay, ReplayColumns
from cluster.fleet import replay_file
from cluster.fleet.replay_file import ReplayError, Rows, Texts, extent_of, read_rows

GOOD = """time,symbol,side,price,size,type,id,reference
1000,ALV,buy,100.01,10,limit,a1,
1001,ALV,sell,100.05,5,LIMIT,a2,
2000,SAP,B,50,5,ioc,a3,
2000,SAP,s,,7,market,a4,
3000,ALV,,,,cancel,,a1
4000,ALV,,100.30,7,replace,a5,a2
"""


def csv_of(directory: Path, text: str, name: str = "capture.csv", **keys: Any) -> Replay:
    path = directory / name
    path.write_text(text)
    return Replay(file=str(path), **keys)


def changed(row: int, column: str, value: str) -> str:
    """GOOD with one value changed; the first order is row 1."""
    lines = GOOD.splitlines()
    cells = lines[row].split(",")
    cells[lines[0].split(",").index(column)] = value
    lines[row] = ",".join(cells)
    return "\n".join(lines) + "\n"


def only(rows: Iterator[Rows]) -> Rows:
    (found,) = rows
    return found


def texts(found: Texts) -> list[str]:
    data = found.data.tobytes()
    offsets = found.offsets.tolist()
    return [data[a:b].decode() for a, b in pairwise(offsets)]


def error_of(replay: Replay, *, with_times: bool = True) -> str:
    with pytest.raises(ReplayError) as caught:
        list(read_rows(replay, with_times=with_times))
    return caught.value.message.removeprefix(replay.file + ": ")


def test_a_csv_file_is_read_as_numbers(tmp_path: Path) -> None:
    rows = only(read_rows(csv_of(tmp_path, GOOD), with_times=True))

    assert rows.new_symbols == ["ALV", "SAP"]
    assert rows.new_numbers == [0, 1]
    assert rows.time_ns.tolist() == [1000, 1001, 2000, 2000, 3000, 4000]
    assert rows.symbol.tolist() == [0, 0, 1, 1, 0, 0]
    assert rows.price_ticks.tolist() == [10_001, 10_005, 5_000, 0, 0, 10_030]
    assert rows.quantity.tolist() == [10, 5, 5, 7, 0, 7]
    assert rows.action.tolist() == [0, 0, 0, 0, 2, 1]
    assert rows.kind.tolist() == [0, 0, 2, 1, 0, 0]
    assert rows.side.tolist() == [0, 1, 0, 1, 2, 2]
    assert texts(rows.id) == ["a1", "a2", "a3", "a4", "", "a5"]
    assert texts(rows.reference) == ["", "", "", "", "a1", "a2"]


def test_a_compressed_csv_file_is_read_as_the_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "capture.csv.gz"
    path.write_bytes(gzip.compress(GOOD.encode()))

    assert len(only(read_rows(Replay(file=str(path)), with_times=True))) == 6


def test_columns_may_have_other_names_and_an_action_of_their_own(tmp_path: Path) -> None:
    text = """when,isin,side,px,qty,kind,what,ref,orig,more
1,A,buy,1.5,1,limit,new,7,,x
2,A,buy,1.5,1,limit,modify,8,7,y
3,A,buy,1.5,1,ioc,cancel,,8,z
"""
    columns = ReplayColumns(
        time="when",
        symbol="isin",
        price="px",
        size="qty",
        type="kind",
        action="what",
        id="ref",
        reference="orig",
    )
    rows = only(read_rows(csv_of(tmp_path, text, columns=columns), with_times=True))

    assert rows.action.tolist() == [0, 1, 2]
    assert rows.kind.tolist() == [0, 0, 0]
    assert texts(rows.reference) == ["", "7", "8"]


def test_symbols_that_are_numbers_keep_them(tmp_path: Path) -> None:
    rows = only(
        read_rows(
            csv_of(tmp_path, GOOD.replace("ALV", "501").replace("SAP", "77")), with_times=True
        )
    )

    assert rows.new_symbols == ["501", "77"]
    assert rows.new_numbers == [501, 77]
    assert rows.symbol.tolist() == [0, 0, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("unit", "written", "time_ns"),
    [
        ("ns", "1795512600123456789", 1_795_512_600_123_456_789),
        ("us", "1795512600123456", 1_795_512_600_123_456_000),
        ("us", "1795512600123456.789", 1_795_512_600_123_456_789),
        ("ms", "1795512600123", 1_795_512_600_123_000_000),
        ("s", "1795512600", 1_795_512_600_000_000_000),
        ("s", "34200.189607670", 34_200_189_607_670),
        ("ns", "2026-11-24T09:30:00.123456789", 1_795_512_600_123_456_789),
        ("ns", "2026-11-24 09:30:00", 1_795_512_600_000_000_000),
        ("ns", "2026-11-24T10:30:00.000001+01:00", 1_795_512_600_000_001_000),
        ("ns", "2026-11-24T09:30:00.5Z", 1_795_512_600_500_000_000),
    ],
)
def test_times_are_exact_to_the_ns(tmp_path: Path, unit: str, written: str, time_ns: int) -> None:
    text = f"time,symbol,side,price,size\n{written},A,buy,1,1\n"
    rows = only(read_rows(csv_of(tmp_path, text, time_unit=unit), with_times=True))

    assert rows.time_ns.tolist() == [time_ns]


@pytest.mark.parametrize(
    ("row", "column", "value", "sentence"),
    [
        (3, "time", "999", "`999` is earlier than the row before"),
        (3, "time", "soon", "`soon` is no time in whole ns"),
        (3, "time", "", "nothing must be a time"),
        (2, "symbol", "", "is empty"),
        (2, "side", "short", "`short` is none of buy, bid, sell, ask, offer"),
        (2, "side", "", "nothing must be buy or sell"),
        (1, "price", "100.001", "`100.001` is no multiple of the tick 0.01"),
        (1, "price", "cheap", "`cheap` is no multiple"),
        (6, "price", "", "nothing must be a price"),
        (1, "price", "-0.01", "`-0.01` must be above 0"),
        (1, "price", "0", "`0` must be above 0"),
        (2, "size", "0", "`0` must be a whole number from 1 to 4,294,967,295"),
        (2, "size", "1.5", "`1.5` is no whole number"),
        (2, "size", "", "nothing must be a whole number from 1"),
        (2, "size", "4294967296", "must be a whole number from 1"),
        (4, "type", "stop", "`stop` is none of"),
    ],
)
def test_a_wrong_value_is_named_by_file_row_and_column(
    tmp_path: Path, row: int, column: str, value: str, sentence: str
) -> None:
    said = error_of(csv_of(tmp_path, changed(row, column, value)))

    assert said.startswith(f"row {row}, column {column}: ")
    assert sentence in said


def test_the_rows_before_a_wrong_one_are_given_also_when_two_columns_are_wrong(
    tmp_path: Path,
) -> None:
    text = changed(5, "time", "x").replace("50,5,ioc", "50,0,ioc")
    rows = read_rows(csv_of(tmp_path, text), with_times=True)

    assert len(next(rows)) == 2
    with pytest.raises(ReplayError, match="row 3, column size"):
        next(rows)


def test_a_row_of_another_length_is_named(tmp_path: Path) -> None:
    said = error_of(csv_of(tmp_path, GOOD + "5000,ALV,buy\n"))

    assert said == "row 7: has 3 columns where the header has 8"


def test_a_missing_column_is_named_beside_those_that_are_there(tmp_path: Path) -> None:
    replay = csv_of(tmp_path, GOOD, columns=ReplayColumns(price="px", id="order"))

    assert error_of(replay).startswith("has no column `px`, `order`; its columns: `time`, `symbol`")


def test_without_recorded_times_none_are_needed(tmp_path: Path) -> None:
    text = "symbol,side,price,size\nA,buy,1,1\n"

    rows = only(read_rows(csv_of(tmp_path, text), with_times=False))

    assert rows.time_ns.tolist() == [0]
    assert "has no column `time`" in error_of(csv_of(tmp_path, text))


@pytest.mark.parametrize("text", ["", GOOD.splitlines()[0] + "\n"])
def test_a_file_without_orders_is_refused(tmp_path: Path, text: str) -> None:
    assert error_of(csv_of(tmp_path, text)) == "has no orders"


def test_a_file_that_is_not_there_or_no_parquet_says_so(tmp_path: Path) -> None:
    assert error_of(Replay(file=str(tmp_path / "no.csv"))) == "there is no such file"
    assert error_of(Replay(file=str(tmp_path / "no.parquet"))) == "there is no such file"
    assert error_of(csv_of(tmp_path, GOOD, "x.parquet")).startswith("can't be read: ")


def test_more_symbols_than_allowed_are_refused_at_the_row_that_names_the_first(
    tmp_path: Path,
) -> None:
    said = error_of(csv_of(tmp_path, GOOD, symbols_max=1))

    assert said.startswith("row 3, column symbol: `SAP` is one symbol more than")


def test_a_word_among_symbols_that_are_numbers_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(replay_file, "BATCH_ROWS", 2)
    said = error_of(csv_of(tmp_path, GOOD.replace("ALV", "501")))

    assert said.startswith("row 3, column symbol: `SAP` is no number below 2^32")


def parquet_of(directory: Path, columns: dict[str, Any], **keys: Any) -> Replay:
    path = directory / "capture.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=keys.pop("row_group_size", None))
    return Replay(file=str(path), **keys)


def test_parquet_columns_may_be_numbers_timestamps_dictionaries_and_decimals(
    tmp_path: Path,
) -> None:
    replay = parquet_of(
        tmp_path,
        {
            "time": pa.array([10, 20, 30], pa.timestamp("us")),
            "symbol": pa.array(["A", "B", "A"]).dictionary_encode(),
            "side": pa.array(["buy", "sell", None]),
            "price": pa.array([Decimal("1.25"), Decimal("2.50"), None], pa.decimal128(9, 4)),
            "size": pa.array([1.0, 2.0, None]),
            "type": pa.array(["limit", "limit", "cancel"]).dictionary_encode(),
            "id": pa.array([1, 2, 3], pa.int64()),
            "reference": pa.array([None, None, 1.0]),  # as pandas writes integers with gaps
        },
    )
    rows = only(read_rows(replay, with_times=True))

    assert rows.time_ns.tolist() == [10_000, 20_000, 30_000]
    assert rows.price_ticks.tolist() == [125, 250, 0]
    assert rows.quantity.tolist() == [1, 2, 0]
    assert texts(rows.id) == ["1", "2", "3"]
    assert texts(rows.reference) == ["", "", "1"]


def test_binary_prices_are_the_ticks_that_were_meant(tmp_path: Path) -> None:
    columns = {"symbol": [7, 7], "side": ["buy", "buy"], "size": [1, 1]}
    good = parquet_of(tmp_path, {**columns, "price": [0.1 + 0.2, 100.07]}, tick=0.01)

    assert only(read_rows(good, with_times=False)).price_ticks.tolist() == [30, 10_007]
    bad = parquet_of(tmp_path, {**columns, "price": [0.1 + 0.2, 100.075]}, tick=0.01)
    assert error_of(bad, with_times=False).startswith("row 2, column price: `100.075`")


def test_a_parquet_file_says_how_much_it_holds_without_being_read(tmp_path: Path) -> None:
    replay = parquet_of(
        tmp_path,
        {"time": list(range(0, 1_000, 10)), "symbol": [1] * 100},
        row_group_size=30,
        time_unit="us",
    )
    extent = extent_of(replay)

    assert extent is not None
    assert (extent.rows, extent.first_ns, extent.last_ns) == (100, 0, 990_000)


def test_a_csv_file_and_the_parquet_file_of_it_give_the_same_orders(tmp_path: Path) -> None:
    rows = list(capture(2_000, rate_per_s=1_000))
    text = "\n".join([",".join(HEADER), *(",".join(row) for row in rows)]) + "\n"
    columns = {name: [row[i] for row in rows] for i, name in enumerate(HEADER)}
    columns["price"] = [float(price) if price else None for price in columns["price"]]
    columns["time"] = [int(time) for time in columns["time"]]

    one = only(read_rows(csv_of(tmp_path, text), with_times=True))
    two = only(read_rows(parquet_of(tmp_path, columns), with_times=True))

    for column in ("time_ns", "symbol", "price_ticks", "quantity", "action", "kind", "side"):
        assert np.array_equal(getattr(one, column), getattr(two, column)), column
    assert texts(one.reference) == texts(two.reference)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_larger_than_a_batch_comes_in_batches_that_are_let_go(
    tmp_path: Path, monkeypatch: Any, kind: str
) -> None:
    monkeypatch.setattr(replay_file, "BATCH_ROWS", 1_000)
    monkeypatch.setattr(replay_file, "CSV_BLOCK_BYTES", 64 * 1024)
    rows, times_over = 20_000, 10
    if kind == "csv":
        lines = [",".join(row) for row in capture(rows, rate_per_s=1_000)]
        replay = csv_of(tmp_path, "\n".join([",".join(HEADER), *lines * times_over]) + "\n")
    else:
        columns = {"symbol": ["A"], "side": ["buy"], "price": [1.0], "size": [1], "id": [10**9]}
        whole = {name: values * rows * times_over for name, values in columns.items()}
        replay = parquet_of(tmp_path, whole, row_group_size=5_000)
    before, peak, seen = pa.total_allocated_bytes(), 0, 0
    for part in read_rows(replay, with_times=False):
        assert len(part) <= 1_000
        seen += len(part)
        peak = max(peak, pa.total_allocated_bytes() - before)

    assert seen == rows * times_over
    assert peak < 4_000_000  # the whole file takes more than 10 MB
