"""What requests compile to: bytes of every type, lengths, checksums, texts of any length."""

import pytest

from cluster.protocol.checksums import checksum
from cluster.protocol.inspect import encode
from fakes.schemas import SMALL, bent, compiled

PRICE = "price: {type: i64, value: price}"
HEAD = 7  # bytes before the field that takes the price's place
NOON_NS = 1_795_521_600_000_000_000 + 123_456_789  # 2026-11-24, 12:00:00 UTC and a bit


def field_bytes(field: str, *, top: str = "", **values: int | str) -> bytes:
    """What the field in the price's place is written as."""
    made = compiled(bent(PRICE, f"price: {field}") + top)
    message = made.plan.message("enter/buy")
    content = encode(made.plan, message, values)
    return content[HEAD:-5]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("{type: u8, value: price}", 200, b"\xc8"),
        ("{type: u16, value: price}", 0x0102, b"\x01\x02"),
        ("{type: u16, value: price, byte_order: little}", 0x0102, b"\x02\x01"),
        ("{type: u24, value: price}", 0x010203, b"\x01\x02\x03"),
        ("{type: u40, value: price}", 1, b"\0\0\0\0\x01"),
        ("{type: u48, value: price}", 1, b"\0\0\0\0\0\x01"),
        ("{type: u56, value: price}", 1, b"\0\0\0\0\0\0\x01"),
        ("{type: i64, value: price}", -2, b"\xff" * 7 + b"\xfe"),
        ("{type: u32, value: price, scale: 100, add: 7}", 3, b"\0\0\x01\x33"),
        ("{type: f64, value: price, scale: 0.5}", 3, b"\x3f\xf8\0\0\0\0\0\0"),
        ("{type: f32, value: price, byte_order: little}", 1, b"\0\0\x80\x3f"),
        ("{type: alpha, width: 6, value: price}", 42, b"42    "),
        ("{type: alpha, width: 6, value: price, justify: right}", 42, b"    42"),
        ('{type: alpha, width: 6, value: price, pad: "."}', 42, b"42...."),
        ("{type: alpha, width: 6, value: price, prefix: P}", 42, b"P42   "),
        ("{type: alpha, width: 6, value: price, prefix: P, digits: 3}", 42, b"P042  "),
        (
            "{type: alpha, width: 6, value: price, prefix: P, digits: 3, justify: right}",
            42,
            b"  P042",
        ),
        ("{type: number, width: 6, value: price}", 42, b"000042"),
        ("{type: number, width: 6, value: price, base: 36}", 35 * 36, b"0000Z0"),
        ("{type: number, width: 6, value: price, decimals: 2}", 5, b"000.05"),
        ("{type: number, width: 6, value: price, justify: left, pad: ' '}", 42, b"42    "),
        ("{type: alpha, width: 80, value: price}", 42, b"42" + b" " * 78),
        ("{type: number, width: 80, value: price}", 42, b"0" * 78 + b"42"),
    ],
)
def test_a_number_is_written_as_its_type_says(field: str, value: int, expected: bytes) -> None:
    assert field_bytes(field, price=value) == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("{type: u32, is: 0xCAFE}", b"\0\0\xca\xfe"),
        ("{type: i16, is: -1}", b"\xff\xff"),
        ("{type: f32, is: 1.5}", b"\x3f\xc0\0\0"),
        ("{type: alpha, width: 4, is: AB}", b"AB  "),
        ("{type: alpha, width: 4, is: AB, justify: right}", b"  AB"),
        ("{type: number, width: 4, is: 12}", b"0012"),
        ('{type: text, is: "a\\r\\n"}', b"a\r\n"),
        ("{type: bytes, width: 3, is: 0}", b"\0\0\0"),
        ('{type: bytes, is: "0xCAFE"}', b"\xca\xfe"),
    ],
)
def test_a_constant_is_written_as_its_type_says(field: str, expected: bytes) -> None:
    assert field_bytes(field) == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("{type: u64, value: time}", NOON_NS.to_bytes(8, "big")),
        ("{type: u64, value: time, unit: us}", (NOON_NS // 1000).to_bytes(8, "big")),
        (
            "{type: u32, value: time, unit: ms, since: midnight}",
            (12 * 3600 * 1000 + 123).to_bytes(4, "big"),
        ),
        ("{type: utc_text, value: time}", b"20261124-12:00:00"),
        ("{type: utc_text, value: time, precision: ms}", b"20261124-12:00:00.123"),
        ("{type: utc_text, value: time, precision: ns}", b"20261124-12:00:00.123456789"),
    ],
)
def test_a_time_is_written_as_its_type_says(field: str, expected: bytes) -> None:
    assert field_bytes(field, time=NOON_NS) == expected


@pytest.mark.parametrize(
    ("symbols", "field", "expected"),
    [
        ("{prefix: S, digits: 5}", "{type: alpha, width: 8, value: symbol}", b"S00007  "),
        ("{prefix: S}", "{type: alpha, width: 8, value: symbol}", b"S7      "),
        (
            "{names: [A, B, C, D, E, F, G, AAPL]}",
            "{type: alpha, width: 6, value: symbol}",
            b"AAPL  ",
        ),
        ("{prefix: S}", "{type: u16, value: symbol}", b"\0\x07"),
    ],
)
def test_an_instrument_is_written_as_symbols_say(symbols: str, field: str, expected: bytes) -> None:
    assert field_bytes(field, top=f"symbols: {symbols}\n", symbol=7) == expected


def test_a_draw_is_written_from_its_table() -> None:
    top = "draws: {d: {choice: {A: 1, BC: 2}}}\n"

    assert field_bytes("{type: alpha, width: 2, draw: d}", top=top, **{"draw.0": 1}) == b"BC"


def test_a_length_covers_what_it_names() -> None:
    def length(what: str) -> int:
        return field_bytes(f"{{type: u8, {what}}}")[0]

    assert length("length: message") == 13
    assert length("length: message, plus: 2") == 15
    assert length("length: rest") == 5
    assert length("length: size") == 4
    assert length("length: size, to: side") == 5
    assert length("length: fields, from: id, to: size") == 9


def test_a_length_covers_a_group_or_a_part_by_its_name() -> None:
    text = bent(
        PRICE,
        "all: {type: u8, length: legs}\n      "
        "legs: {type: group, count: 3, fields: {a: {type: u16, is: 1}}}",
    )
    made = compiled(text)

    assert encode(made.plan, made.plan.message("enter/buy"), {})[HEAD] == 6


def test_a_checksum_is_over_everything_before_it() -> None:
    made = compiled(bent(PRICE, "price: {type: u32, checksum: crc32c}"))
    content = encode(made.plan, made.plan.message("enter/buy"), {"id": 9})

    assert content[7:11] == checksum("crc32c", content[:7]).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("crc32", 0xCBF43926),
        ("crc32c", 0xE3069283),
        ("adler32", 0x091E01DE),
        ("sum256", sum(b"123456789") % 256),
        ("xor8", 0x31),
    ],
)
def test_checksums_give_the_known_values(kind: str, expected: int) -> None:
    assert checksum(kind, b"123456789") == expected


def test_what_follows_a_text_of_any_length_moves_and_is_counted() -> None:
    text = bent(
        PRICE, "user: {type: text, environment: USER_NAME}\n      sum: {type: u8, checksum: xor8}"
    )
    made = compiled(text)
    message = made.plan.message("enter/buy")

    short = encode(made.plan, message, {"secret.USER_NAME": "me"})
    long = encode(made.plan, message, {"secret.USER_NAME": "myself"})

    assert int.from_bytes(short[:2], "big") == len(short) == 15
    assert int.from_bytes(long[:2], "big") == len(long) == 19
    assert long[7:13] == b"myself"
    assert long[13] == checksum("xor8", long[:13])


def test_explicit_offsets_leave_gaps_that_are_filled() -> None:
    text = bent("  enter:\n", "  enter:\n    length: 30\n    fill: 0x20\n")
    made = compiled(bent(PRICE, "price: {type: i64, value: price, at: 9}", text))
    content = encode(made.plan, made.plan.message("enter/buy"), {})

    assert content[7:9] == b"  "
    assert content[22:] == b" " * 8


def test_messages_that_do_not_differ_are_shared() -> None:
    names = [message.name for message in compiled().plan.messages]

    assert names == ["enter/buy", "enter/sell", "cancel"]


def test_a_kind_that_the_map_lacks_is_not_sent() -> None:
    kind = "kind: {type: u8, value: kind, map: {limit: 0, immediate_or_cancel: 3}}"
    made = compiled(bent(PRICE, kind))

    assert {rule.kind for rule in made.plan.sends} == {"limit", "immediate_or_cancel", ""}


def test_what_fits_is_said_where_it_is_less_than_could_be_asked() -> None:
    price = "price: {type: u32, value: price, scale: 100}"

    assert compiled(bent(PRICE, price)).plan.limits == {
        "id": (0, 2**32 - 1),
        "price": (0, (2**32 - 1) // 100),
    }
    assert compiled(SMALL).plan.limits == {"id": (0, 2**32 - 1)}
