"""What a schema compiles to when its symbols are those of a file."""

import pytest

from cluster.experiment.model import Agents, Experiment, Load, OrderFlow, Replay
from cluster.experiment.plan import plan
from cluster.experiment.wire import compile_protocol
from cluster.protocol.compile import Compiled
from cluster.protocol.inspect import encode
from cluster.protocol.mistakes import WrongValueError
from cluster.protocol.plan import SymbolTable, Table
from cluster.protocol.plan_reader import read_plan
from cluster.protocol.plan_text import write_plan
from fakes.schemas import SMALL, bent, compiled, problems

PRICE = "price: {type: i64, value: price}"
TEXT = "{type: alpha, width: 6, value: symbol}"
NUMBERS = "symbols: {prefix: S, digits: 5}\n"


def with_symbol(field: str, symbols: str = NUMBERS, *, replayed: int | None = 100) -> Compiled:
    """The small schema with a symbol in the price's place."""
    return compiled(bent(PRICE, f"symbol: {field}") + symbols, replayed)


def symbol_bytes(made: Compiled, symbol: int | str) -> bytes:
    """The symbol of a new order."""
    return encode(made.plan, made.plan.message("enter/buy"), {"symbol": symbol})[7:-5]


@pytest.mark.parametrize(
    ("field", "table", "written"),
    [
        (TEXT, SymbolTable(6, 100, b" ", "left"), b"AAPL  "),
        (TEXT.replace("}", ", justify: right}"), SymbolTable(6, 100, b" ", "right"), b"  AAPL"),
        (TEXT.replace("}", ', pad: "\\0"}'), SymbolTable(6, 100, b"\0", "left"), b"AAPL\0\0"),
    ],
)
def test_text_of_a_symbol_waits_for_the_file(
    field: str, table: SymbolTable, written: bytes
) -> None:
    made = with_symbol(field)

    assert made.plan.tables == (table,)
    assert symbol_bytes(made, "AAPL") == written
    assert read_plan(write_plan(made.plan)) == made.plan
    assert "symbol" not in made.limits  # its number is nowhere
    with pytest.raises(WrongValueError, match="7 bytes does not fit into 6"):
        symbol_bytes(made, "TOOLONG")


def test_the_statement_says_width_room_padding_and_side() -> None:
    assert "table 0 6 symbols 100 20 left\n" in write_plan(with_symbol(TEXT).plan)


def test_fields_alike_share_their_texts() -> None:
    text = bent(PRICE, f"symbol: {TEXT}\n      again: {TEXT}") + NUMBERS

    assert len(compiled(text, 100).plan.tables) == 1


def test_orders_that_are_made_have_symbols_by_number() -> None:
    made = with_symbol(TEXT, replayed=None)

    assert made.plan.tables == made.plan.symbol_names == ()
    assert symbol_bytes(made, 7) == b"S00007"


def test_a_number_of_a_symbol_stays_one() -> None:
    made = with_symbol("{type: u16, value: symbol}")

    assert made.plan.tables == ()
    assert made.limits["symbol"].high == 2**16 - 1
    assert made.plan == with_symbol("{type: u16, value: symbol}", replayed=None).plan


def test_names_of_the_schema_are_the_table_and_what_the_file_may_name() -> None:
    made = with_symbol(TEXT, "symbols: {names: [MSFT, AAPL]}\n")

    assert made.plan.tables == (Table(6, b"MSFT  AAPL  "),)
    assert made.plan.symbol_names == ("MSFT", "AAPL")
    assert f"symbols {b'MSFT'.hex()} {b'AAPL'.hex()}\n" in write_plan(made.plan)
    assert read_plan(write_plan(made.plan)) == made.plan


def test_symbols_that_would_take_too_much_memory_are_told() -> None:
    wide = bent(PRICE, f"symbol: {TEXT.replace('6', '100')}") + NUMBERS

    (told,) = problems(wide, 1_000_000)

    assert "too wide for a file of up to 1,000,000" in told
    assert "`order_flow.replay.symbols_max`" in told
    assert compiled(wide, 500_000).plan.tables


@pytest.mark.parametrize(
    ("protocol", "replay", "has_table"),
    [
        ("fix44", Replay(file="a.csv", symbols_max=500), True),
        ("fix44", None, False),
        ("orderwire", Replay(file="a.csv", symbols_max=500), False),
    ],
)
def test_an_experiment_asks_for_it_when_it_replays_a_file(
    protocol: str, replay: Replay | None, has_table: bool
) -> None:
    experiment = Experiment(
        name="x",
        protocol=protocol,
        agents=Agents(count=1),
        load=Load(rates_per_s=[10]),
        order_flow=OrderFlow(replay=replay) if replay else OrderFlow(),
    )
    made = compile_protocol(experiment, plan(experiment, frozenset({0})), environment={})

    assert ("\ntable 0 6 symbols 500 20 left\n" in made.plan_text) == has_table
    assert (" symbols " in made.plan_text) == has_table


def test_the_small_schema_without_symbols_is_the_same_for_a_file() -> None:
    assert compiled(SMALL, 100).plan == compiled(SMALL).plan
