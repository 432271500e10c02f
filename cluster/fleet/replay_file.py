"""A file of orders, batch by batch, as columns of numbers. The only importer of pyarrow.

A batch is at most `BATCH_ROWS` orders and the file is never held whole. No order is looked at one
by one: every step is over a column; Python loops only over the distinct words of a batch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from cluster.errors import ClusterError
from cluster.experiment.replay import UNIT_NS, Replay
from cluster.fleet import replay_exact as exact
from cluster.fleet.replay_exact import Ints, Mask, Multiples

BATCH_ROWS: Final = 65_536
CSV_BLOCK_BYTES: Final = 4 * 1024 * 1024
OPTIONAL: Final = ("type", "action", "id", "reference")
NUMBER_MAX: Final = 2**32 - 1
NEW, REPLACE, CANCEL = range(3)  # as native/client/intent.h
LIMIT, MARKET, IOC = range(3)
SIDE_OF_ORDER = 2  # a replace or cancel that says no side is of its order's
EMPTY, UNKNOWN = 254, 255

SIDES: Final = {"": EMPTY, "buy": 0, "b": 0, "bid": 0, "sell": 1, "s": 1, "ask": 1, "offer": 1}
ACTIONS: Final = {
    "": EMPTY,
    "new": NEW,
    "n": NEW,
    "replace": REPLACE,
    "r": REPLACE,
    "modify": REPLACE,
    "cancel": CANCEL,
    "c": CANCEL,
    "delete": CANCEL,
}
KINDS: Final = {"": LIMIT, "limit": LIMIT, "l": LIMIT, "market": MARKET, "m": MARKET, "ioc": IOC}


class ReplayError(ClusterError):
    """The file can't be read as orders: names file, row and column."""


@dataclass(frozen=True)
class Texts:
    """Texts as Arrow has them: the i-th is `data[offsets[i]:offsets[i + 1]]`."""

    offsets: npt.NDArray[np.int64]
    data: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Rows:
    """Some orders of the file, in its order."""

    new_symbols: list[str]  # that no earlier row of the file names
    new_numbers: list[int]  # what requests call them
    time_ns: Ints
    symbol: npt.NDArray[np.uint32]  # index into all symbols named so far
    price_ticks: Ints
    quantity: npt.NDArray[np.uint32]
    action: npt.NDArray[np.uint8]
    kind: npt.NDArray[np.uint8]
    side: npt.NDArray[np.uint8]
    id: Texts
    reference: Texts

    def __len__(self) -> int:
        return len(self.time_ns)

    def first(self, count: int) -> "Rows":
        """The first rows of these; symbols that only later ones name stay named."""
        return Rows(
            new_symbols=self.new_symbols,
            new_numbers=self.new_numbers,
            time_ns=self.time_ns[:count],
            symbol=self.symbol[:count],
            price_ticks=self.price_ticks[:count],
            quantity=self.quantity[:count],
            action=self.action[:count],
            kind=self.kind[:count],
            side=self.side[:count],
            id=Texts(self.id.offsets[: count + 1], self.id.data),
            reference=Texts(self.reference.offsets[: count + 1], self.reference.data),
        )


@dataclass(frozen=True)
class Extent:
    """How much a file holds, as far as it says so itself."""

    rows: int
    first_ns: int | None
    last_ns: int | None


def read_rows(replay: Replay, *, with_times: bool) -> Iterator[Rows]:
    """The orders of the file, from its beginning.

    Args:
        replay: which file, and how it is read.
        with_times: whether the recorded times are needed.

    Raises:
        ReplayError: a row can't be read. The rows before it have been given; of a CSV row with
            too few or too many columns, those before its block of the file.
    """
    columns = _Columns(replay, with_times=with_times)
    for batch in _batches(replay, columns):
        for start in range(0, len(batch), BATCH_ROWS):
            yield from columns.rows(batch.slice(start, BATCH_ROWS))
    if not columns.rows_read:
        raise ReplayError(f"{replay.file}: has no orders")


def extent_of(replay: Replay) -> Extent | None:
    """What a Parquet file says of itself, without reading it; None for others.

    Raises:
        ReplayError: it can't be read.
    """
    if _is_csv(replay.file):
        return None
    with _reading(replay.file), pq.ParquetFile(replay.file) as file:
        return Extent(file.metadata.num_rows, *_recorded_between(file, replay))


def _recorded_between(file: Any, replay: Replay) -> tuple[int | None, int | None]:  # noqa: ANN401
    names, groups = file.schema_arrow.names, file.metadata.num_row_groups
    if replay.columns.time not in names or not groups:
        return None, None
    index = names.index(replay.columns.time)
    said = [file.metadata.row_group(group).column(index).statistics for group in (0, groups - 1)]
    if any(ends is None or not ends.has_min_max for ends in said):
        return None, None
    ends = pa.array([said[0].min, said[1].max], file.schema_arrow.field(index).type)
    first_ns, last_ns = _nanoseconds(ends, replay.time_unit, _Place(replay.file, 0, "time"))
    return int(first_ns), int(last_ns)


def _is_csv(file: str) -> bool:
    return file.endswith((".csv", ".csv.gz"))


def _batches(replay: Replay, columns: "_Columns") -> Iterator[Any]:
    with _reading(replay.file, columns):
        if _is_csv(replay.file):
            with _open_csv(replay.file, columns) as reader:
                names = columns.choose(reader.schema.names)
            with _open_csv(replay.file, columns, names) as reader:
                yield from reader
        else:
            with pq.ParquetFile(replay.file) as file:
                names = columns.choose(file.schema_arrow.names)
                yield from file.iter_batches(batch_size=BATCH_ROWS, columns=names)


def _open_csv(file: str, columns: "_Columns", names: list[str] | None = None) -> Any:  # noqa: ANN401
    """Every column that means something as text: what it means is told from the text, exactly."""

    def wrong_length(row: Any) -> str:  # noqa: ANN401 - pyarrow has no types
        columns.wrong_length = (
            f"{file}: row {row.number - 1}: has {row.actual_columns} columns where the header has "
            f"{row.expected_columns}"
        )
        return "error"

    return pa_csv.open_csv(
        file,
        # One thread: rows keep their numbers, and the load's threads their CPUs.
        read_options=pa_csv.ReadOptions(use_threads=False, block_size=CSV_BLOCK_BYTES),
        parse_options=pa_csv.ParseOptions(invalid_row_handler=wrong_length),
        convert_options=pa_csv.ConvertOptions(
            include_columns=names or [],
            column_types=dict.fromkeys(names or columns.names.values(), pa.string()),
        ),
    )


@contextmanager
def _reading(file: str, columns: "_Columns | None" = None) -> Iterator[None]:
    """Errors of reading a file, as sentences."""
    try:
        yield
    except FileNotFoundError:
        raise ReplayError(
            f"{file}: there is no such file", "It must be on every load host, under this path."
        ) from None
    except PermissionError:
        raise ReplayError(f"{file}: may not be read: its permissions forbid it") from None
    except (pa.ArrowException, OSError) as error:
        if columns is not None and columns.wrong_length:
            raise ReplayError(columns.wrong_length) from None
        if str(error) == "Empty CSV file":
            raise ReplayError(f"{file}: has no orders") from None
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise ReplayError(f"{file}: can't be read: {said[0]}") from None


class _WrongRowError(Exception):
    """The row that can't be read: its index in the batch, and the error to raise."""

    def __init__(self, index: int, error: ReplayError) -> None:
        super().__init__(str(error))
        self.index = index
        self.error = error


@dataclass(frozen=True)
class _Place:
    """Where a value stands."""

    file: str
    rows_before: int  # the batch; the file's first order is row 1
    column: str  # as the file names it

    def wrong(self, index: int, sentence: str) -> NoReturn:
        """Refuse the value of a row of the batch."""
        row = self.rows_before + index + 1
        where = f"{self.file}: row {row}, column {self.column}"
        raise _WrongRowError(index, ReplayError(f"{where}: {sentence}"))

    def refuse(self, bad: Mask, column: Any, sentence: str) -> None:  # noqa: ANN401
        """Refuse the first value that `bad` marks, if it marks any."""
        if bad.any():
            index = int(bad.argmax())
            self.wrong(index, f"{_shown(column[index])} {sentence}")


class _Columns:
    """From record batches to rows, remembering what later batches depend on."""

    def __init__(self, replay: Replay, *, with_times: bool) -> None:
        self.rows_read = 0
        self.wrong_length = ""  # the sentence about a row of another length than the header
        self.names: dict[str, str] = replay.columns.model_dump()  # ours to the file's
        self._replay = replay
        self._with_times = with_times
        self._present: set[str] = set()
        self._last_ns: int | None = None
        self._symbols: dict[str, int] = {}  # to their index
        self._symbols_are_numbers = False

    def choose(self, names: list[str]) -> list[str]:
        """The columns to read, of those that the file has."""
        wanted = [c for c in self.names if c != "time" or self._with_times]
        self._present = {column for column in wanted if self.names[column] in names}
        missing = [
            f"`{self.names[column]}`"
            for column in wanted
            if column not in self._present
            and (column not in OPTIONAL or self.names[column] != column)
        ]
        if missing:
            raise ReplayError(
                f"{self._replay.file}: has no column {', '.join(missing)}; its columns: "
                + ", ".join(f"`{name}`" for name in names),
                "`order_flow.replay.columns` says which of them is which.",
            )
        return [self.names[column] for column in wanted if column in self._present]

    def rows(self, batch: Any) -> Iterator[Rows]:  # noqa: ANN401
        """The rows of a batch; when one is wrong, those before it and then the error."""
        wrong: _WrongRowError | None = None
        rows: Rows | None = None
        while rows is None and len(batch):
            try:
                rows = self._rows(batch)
            except _WrongRowError as found:
                # Another column may be wrong in an earlier row.
                wrong = found
                batch = batch.slice(0, found.index)
        if rows is not None:
            first = len(self._symbols)
            self._symbols.update(
                {text: first + index for index, text in enumerate(rows.new_symbols)}
            )
            self._last_ns = int(rows.time_ns[-1])
            self.rows_read += len(rows)
            yield rows
        if wrong is not None:
            raise wrong.error

    def _rows(self, batch: Any) -> Rows:  # noqa: ANN401
        action, kind = self._action_and_kind(batch)
        new_symbols, new_numbers, symbol = self._symbol(batch)
        return Rows(
            new_symbols=new_symbols,
            new_numbers=new_numbers,
            time_ns=self._time_ns(batch),
            symbol=symbol,
            price_ticks=self._price_ticks(batch, (action != CANCEL) & (kind != MARKET)),
            quantity=self._quantity(batch, action != CANCEL),
            action=action,
            kind=kind,
            side=self._side(batch, action),
            id=self._texts(batch, "id"),
            reference=self._texts(batch, "reference"),
        )

    def _column(self, batch: Any, column: str) -> tuple[Any, _Place]:  # noqa: ANN401
        name = self.names[column]
        values = batch.column(name)
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        return values, _Place(self._replay.file, self.rows_read, name)

    def _time_ns(self, batch: Any) -> Ints:  # noqa: ANN401
        if not self._with_times:
            return np.zeros(len(batch), np.int64)
        column, place = self._column(batch, "time")
        time_ns = _nanoseconds(column, self._replay.time_unit, place)
        before = time_ns[:1] if self._last_ns is None else np.array([self._last_ns], np.int64)
        falls = np.diff(time_ns, prepend=before) < 0
        place.refuse(falls, column, "is earlier than the row before; sort the file by time")
        return time_ns

    def _symbol(self, batch: Any) -> tuple[list[str], list[int], npt.NDArray[np.uint32]]:  # noqa: ANN401
        column, place = self._column(batch, "symbol")
        words = _text(column, place).dictionary_encode()
        indices = words.indices.to_numpy(zero_copy_only=False)
        texts: list[str] = words.dictionary.to_pylist()
        if not self._symbols:
            self._symbols_are_numbers = all(_is_number(text) for text in texts)
        new = [text for text in texts if text not in self._symbols]
        for text in new:
            if not text:
                place.wrong(int((indices == texts.index(text)).argmax()), "is empty")
            if self._symbols_are_numbers and not _is_number(text):
                index = int((indices == texts.index(text)).argmax())
                place.wrong(index, f"`{text}` is no number below 2^32, unlike the symbols before")
        room = self._replay.symbols_max - len(self._symbols)
        if len(new) > room:
            place.wrong(
                int((indices == texts.index(new[room])).argmax()),
                f"`{new[room]}` is one symbol more than `order_flow.replay.symbols_max` "
                f"({self._replay.symbols_max:,}) allows",
            )
        first = len(self._symbols)
        places = {text: first + index for index, text in enumerate(new)}
        table = [self._symbols.get(text, places.get(text, 0)) for text in texts]
        numbers = [int(text) if self._symbols_are_numbers else places[text] for text in new]
        return new, numbers, np.array(table, np.uint32)[indices]

    def _side(self, batch: Any, action: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:  # noqa: ANN401
        column, place = self._column(batch, "side")
        side = _codes(column, place, SIDES)
        place.refuse((side == EMPTY) & (action == NEW), column, "must be buy or sell")
        return np.where(side == EMPTY, np.uint8(SIDE_OF_ORDER), side)

    def _action_and_kind(
        self,
        batch: Any,  # noqa: ANN401
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        action = np.full(len(batch), NEW, np.uint8)
        kind = np.full(len(batch), LIMIT, np.uint8)
        if "type" in self._present:
            # One column may say both: `cancel` beside `limit`, `market` and `ioc`.
            both = {word: 16 + code for word, code in ACTIONS.items() if word} | KINDS
            code = _codes(*self._column(batch, "type"), both)
            action = np.where(code >= 16, code - 16, action).astype(np.uint8)  # noqa: PLR2004
            kind = np.where(code >= 16, kind, code).astype(np.uint8)  # noqa: PLR2004
        if "action" in self._present:
            code = _codes(*self._column(batch, "action"), ACTIONS)
            action = np.where(code == EMPTY, action, code)
        return action, np.where(action == NEW, kind, np.uint8(LIMIT))

    def _price_ticks(self, batch: Any, needed: Mask) -> Ints:  # noqa: ANN401
        column, place = self._column(batch, "price")
        tick = self._replay.exact_tick
        found, given = _multiples(column, needed, tick, place, f"is no multiple of the tick {tick}")
        place.refuse(needed & ~given, column, "must be a price")
        place.refuse(needed & (found.steps <= 0), column, "must be above 0")
        return np.where(needed, found.steps, 0)

    def _quantity(self, batch: Any, needed: Mask) -> npt.NDArray[np.uint32]:  # noqa: ANN401
        column, place = self._column(batch, "size")
        found, given = _multiples(column, needed, Decimal(1), place, "is no whole number")
        outside = (found.steps < 1) | (found.steps > NUMBER_MAX)
        place.refuse(
            needed & (outside | ~given), column, f"must be a whole number from 1 to {NUMBER_MAX:,}"
        )
        return np.where(needed, found.steps, 0).astype(np.uint32)

    def _texts(self, batch: Any, column: str) -> Texts:  # noqa: ANN401
        if column not in self._present:
            return Texts(np.zeros(len(batch) + 1, np.int64), np.zeros(0, np.uint8))
        texts = _text(*self._column(batch, column))
        _, offsets, data = texts.buffers()
        span = slice(texts.offset, texts.offset + len(texts) + 1)
        return Texts(
            np.frombuffer(offsets, np.int64)[span],
            np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8),
        )


def _is_number(text: str) -> bool:
    return text.isdecimal() and str(int(text)) == text and int(text) <= NUMBER_MAX


def _shown(value: Any) -> str:  # noqa: ANN401
    plain = value.as_py()
    return "nothing" if plain is None or plain == "" else f"`{plain}`"


def _codes(column: Any, place: _Place, codes: dict[str, int]) -> npt.NDArray[np.uint8]:  # noqa: ANN401
    """The code of each word, whatever its case."""
    words = _text(column, place).dictionary_encode()
    table = [codes.get(word.lower(), UNKNOWN) for word in words.dictionary.to_pylist()]
    found: npt.NDArray[np.uint8] = np.array(table, np.uint8)[
        words.indices.to_numpy(zero_copy_only=False)
    ]
    known = ", ".join(word for word in codes if len(word) > 1)
    place.refuse(found == UNKNOWN, column, f"is none of {known}")
    return found


def _text(column: Any, place: _Place) -> Any:  # noqa: ANN401
    """As text, empty where there is nothing. A number that is whole is written so: 17, not 17.0."""
    if pa.types.is_floating(column.type):
        column = _cast(pc.if_else(pc.is_nan(column), None, column), pa.int64(), place, "is no id")
    return pc.fill_null(pc.cast(column, pa.large_string()), "")


def _nanoseconds(column: Any, unit: str, place: _Place) -> Ints:  # noqa: ANN401
    """Times as ns since whatever they count from."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        first = column[0].as_py() or ""
        if not first.replace(".", "", 1).isdecimal():
            has_zone = "Z" in first or "+" in first or first.count("-") > 2  # noqa: PLR2004
            kind = pa.timestamp("ns", tz="UTC" if has_zone else None)
            column = _cast(column, kind, place, "is no time like 2026-11-24T09:30:00.000001")
    everywhere = np.ones(len(column), np.bool_)
    if pa.types.is_timestamp(kind):
        sentence = "is beyond the times that ns can count"
        column = _cast(column, pa.timestamp("ns", tz=kind.tz), place, sentence).view(pa.int64())
        unit = "ns"
    step = Decimal(1) / UNIT_NS[unit]
    found, given = _multiples(column, everywhere, step, place, f"is no time in whole ns ({unit})")
    place.refuse(~given, column, "must be a time")
    return found.steps


def _multiples(
    column: Any,  # noqa: ANN401
    needed: Mask,
    step: Decimal,
    place: _Place,
    sentence: str,
) -> tuple[Multiples, Mask]:
    """How many steps each needed value is, and where one is given."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        needed = needed & pc.fill_null(pc.not_equal(column, ""), False).to_numpy(False)  # noqa: FBT003
    needed = needed & column.is_valid().to_numpy(zero_copy_only=False)
    values = pc.if_else(pa.array(needed), column, pa.scalar(None, kind))
    if pa.types.is_integer(kind):
        whole = _cast(values, pa.int64(), place, sentence)
        numbers = pc.fill_null(whole, 0).to_numpy(zero_copy_only=False)
        found = exact.of_integers(numbers, step)
    elif pa.types.is_floating(kind):
        numbers = pc.fill_null(values, 0).to_numpy(zero_copy_only=False)
        found = exact.of_floats(numbers, step)
    else:
        decimals = _cast(values, pa.decimal128(38, exact.scale_of(step)), place, sentence)
        decimals = pc.fill_null(decimals, Decimal(0))
        halves = np.frombuffer(decimals.buffers()[1], np.int64).reshape(-1, 2)
        found = exact.of_scaled(halves[decimals.offset : decimals.offset + len(decimals)], step)
    place.refuse(needed & found.bad, column, sentence)
    return found, needed


def _cast(column: Any, kind: Any, place: _Place, sentence: str) -> Any:  # noqa: ANN401
    """Cast, or refuse the first value that can't be."""
    try:
        return pc.cast(column, kind)
    except pa.ArrowInvalid:
        # The first part that fails ends with the value: found in log2 casts.
        good, bad = 0, len(column)
        while bad - good > 1:
            middle = (good + bad) // 2
            try:
                pc.cast(column.slice(good, middle - good), kind)
                good = middle
            except pa.ArrowInvalid:
                bad = middle
        return place.wrong(good, f"{_shown(column[good])} {sentence}")
