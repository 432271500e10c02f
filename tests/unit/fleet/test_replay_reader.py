from pathlib import Path
from typing import Any

import pytest
from replay_sample import HEADER, capture

from cluster.experiment.replay import Replay
from cluster.fleet.replay_reader import FirstRows, feed


class FakeSink:
    """Takes rows as the load client does, and keeps none."""

    def __init__(self, wanted: int = 10**9) -> None:
        self.wanted = wanted
        self.rows = 0
        self.symbols: list[str] = []
        self.passes: list[bool] = []
        self.failed = ""

    def replay_feed(self, **columns: Any) -> bool:
        self.rows += len(columns["time_ns"])
        self.symbols += columns["new_symbols"]
        return self.rows < self.wanted

    def replay_end_pass(self, again: bool) -> bool:
        self.passes.append(again)
        return self.rows < self.wanted

    def replay_fail(self, why: str) -> None:
        self.failed = why


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "capture.csv"
    rows = (",".join(row) for row in capture(500, rate_per_s=100, symbols=5))
    path.write_text("\n".join([",".join(HEADER), *rows]) + "\n")
    return str(path)


def test_a_file_is_handed_over_once_and_then_is_at_its_end(file: str) -> None:
    sink = FakeSink()
    feed(Replay(file=file), sink, with_times=True)

    assert (sink.rows, sink.passes, sink.failed) == (500, [False], "")
    assert len(sink.symbols) == 5


def test_a_repeated_file_comes_until_no_more_is_wanted_and_names_its_symbols_once(
    file: str,
) -> None:
    sink = FakeSink(wanted=1_400)
    feed(Replay(file=file, repeat=True), sink, with_times=True)

    assert sink.rows == 1_500
    assert sink.passes == [True, True]
    assert len(sink.symbols) == 5


def test_a_wrong_row_is_told_to_the_sink_after_the_rows_before_it(file: str) -> None:
    lines = Path(file).read_text().splitlines()
    lines[301] = lines[301].replace(lines[301].split(",")[2], "both")
    Path(file).write_text("\n".join(lines) + "\n")
    sink = FakeSink()
    feed(Replay(file=file), sink, with_times=True)

    assert sink.rows == 300
    assert "row 301, column side" in sink.failed
    assert sink.passes == []


def test_what_nobody_foresaw_ends_the_orders_with_a_sentence(file: str) -> None:
    class BrokenSink(FakeSink):
        def replay_feed(self, **_: Any) -> bool:
            raise OverflowError("too much")

    sink = BrokenSink()
    with pytest.raises(OverflowError):
        feed(Replay(file=file), sink, with_times=True)

    assert sink.failed == f"{file}: OverflowError: too much"


def test_a_look_says_how_many_rows_and_symbols_and_how_fast_they_were(file: str) -> None:
    sink, first = FakeSink(), FirstRows()
    first.hand_over(Replay(file=file), sink, with_times=True)
    look = first.look(Replay(file=file), 3)

    assert (look.rows, look.symbols, look.unknown_references) == (500, 5, 3)
    assert look.rate_per_s == pytest.approx(100, rel=0.2)
    assert look.whole_rows is None
    assert sink.passes == [False]
