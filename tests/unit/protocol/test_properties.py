"""Whatever is written compiles or is explained; whatever compiles says what was put in."""

import copy
from contextlib import suppress
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.document.allowed import keys_of, sections
from cluster.errors import ConfigError
from cluster.protocol.builtin import builtin_names, builtin_path
from cluster.protocol.compile import Compiled
from cluster.protocol.examples import example_reply
from cluster.protocol.expand import Leaf
from cluster.protocol.frames import BrokenFrameError
from cluster.protocol.inspect import decode, encode
from cluster.protocol.model import Schema
from cluster.protocol.plan_reader import read_plan
from cluster.protocol.plan_text import write_plan
from cluster.protocol.values import implied_width, is_integer, is_signed
from fakes.schemas import SMALL, bent, compiled

TEXTS = [SMALL, *(builtin_path(name).read_text() for name in builtin_names())]
MADE = {text: compiled(text) for text in TEXTS[1:]}
JARGON = ("Input should", "pydantic", "validation", "Traceback", "literal", "NoneType")
SYNTAX = "abz019 \n\t:-[]{},&*!|>'\"%@`#?._\\\0é"
KEYS = sorted({name for _, section in sections(Schema) for name in keys_of(section)})
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["u8", "alpha", "number", "text", "group", "id", "side", "message", "rest"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def compiles_or_explains(text: str) -> None:
    """Compile; hold what is said of mistakes, and what was compiled, to what was promised."""
    made = outcome(text)
    if isinstance(made, Compiled):
        assert read_plan(write_plan(made.plan)) == made.plan
        return
    assert made.problems
    for problem in made.problems:
        assert str(problem).startswith("x.yaml")
        assert str(problem).isprintable()
        assert problem.sentence
        assert not any(word in problem.sentence for word in JARGON)


def outcome(text: str) -> Compiled | ConfigError:
    """What the compiler makes of `text`."""
    try:
        return compiled(text)
    except ConfigError as error:
        return error


@settings(max_examples=60)
@given(st.sampled_from(TEXTS), st.data())
def test_any_damage_to_a_valid_schema_compiles_or_is_explained(
    text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    put = data.draw(st.text(st.sampled_from(SYNTAX), max_size=6))

    compiles_or_explains(text[:start] + put + text[end:])


@settings(max_examples=120)
@given(st.sampled_from(TEXTS[:4]), VALUES, st.data())
def test_any_wrong_value_in_a_valid_schema_is_explained(
    text: str, value: Any, data: st.DataObject
) -> None:
    root = copy.deepcopy(yaml.safe_load(text))
    node: Any = root
    while True:
        choices = sorted(node, key=str) if isinstance(node, dict) else range(len(node))
        key = data.draw(st.sampled_from(choices))
        if (
            not (isinstance(node[key], dict | list) and node[key])
            or data.draw(st.integers(0, 3)) == 0
        ):
            break
        node = node[key]
    if data.draw(st.booleans()) and isinstance(node, dict):
        key = data.draw(st.sampled_from(KEYS))
    node[key] = value

    compiles_or_explains(yaml.safe_dump(root, allow_unicode=True, sort_keys=False))


# Fields of a request with the number that is put in, and what is read back from the bytes.
SOURCES = st.sampled_from(["price", "size", "client", "sequence"])


@st.composite
def fields(draw: st.DrawFn) -> str:
    """One field, in YAML, that takes a number."""
    source = draw(SOURCES)
    kind = draw(st.sampled_from(["integer", "alpha", "number"]))
    if kind == "integer":
        sign, bits = draw(st.sampled_from("ui")), 8 * draw(st.integers(1, 8))
        order = draw(st.sampled_from(["little", "big"]))
        scale, add = draw(st.integers(1, 20)), draw(st.integers(0, 100))
        return (
            f"{{type: {sign}{bits}, byte_order: {order}, value: {source}, "
            f"scale: {scale}, add: {add}}}"
        )
    width = draw(st.integers(4, 70))
    justify = draw(st.sampled_from(["left", "right"]))
    base = draw(st.integers(2, 36))
    if kind == "number":
        return f"{{type: number, width: {width}, base: {base}, value: {source}}}"
    return f"{{type: alpha, width: {width}, justify: {justify}, base: {base}, value: {source}}}"


@settings(max_examples=60)
@given(st.lists(fields(), min_size=1, max_size=12), st.data())
def test_every_request_decodes_back_by_its_own_layout(
    written: list[str], data: st.DataObject
) -> None:
    block = "\n      ".join(f"f{index}: {field}" for index, field in enumerate(written))
    made = compiled(bent("price: {type: i64, value: price}", block))
    bounds = {"price": (-(2**63), 2**63 - 1), "size": (0, 2**32 - 1), "client": (0, 2**32 - 1)}
    values: dict[str, int | str] = {}
    for source in ("id", "price", "size", "client", "sequence"):
        low, high = bounds.get(source, (0, 2**32 - 1))
        limit = made.limits.get(source)
        if limit is not None:
            low, high = max(low, limit.low), min(high, limit.high)
        values[source] = data.draw(st.integers(low, high), label=source)

    message = made.plan.message("enter/sell")
    content = encode(made.plan, message, values)

    assert int.from_bytes(content[:2], "big") == len(content)
    for slot in made.layouts[message.name].slots:
        if slot.leaf.field.value is not None:
            assert slot.width is not None
            value = content[slot.at.at : slot.at.at + slot.width]
            assert read_back(slot.leaf, value, made) == values[slot.leaf.field.value]


def read_back(leaf: Leaf, content: bytes, made: Compiled) -> int:
    """The number in a field's bytes, by the field as it was written."""
    field = leaf.field
    if is_integer(field):
        assert len(content) == implied_width(field)
        order = field.byte_order or made.byte_order
        number = int.from_bytes(content, order, signed=is_signed(field))
    else:
        number = int(content.strip(b" ").decode(), field.base or 10)
    return (number - field.add) // int(field.scale or 1)


@given(st.sampled_from(TEXTS[1:]), st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_not_and_nothing_else(text: str, content: bytes) -> None:
    with suppress(BrokenFrameError):
        decoded = decode(MADE[text].plan, content)
        assert decoded is None or 0 < decoded.length <= len(content)


def test_every_example_of_a_reply_is_taken_for_it_and_read() -> None:
    for made in MADE.values():
        for reply in made.plan.replies:
            frame = example_reply(made, reply)
            decoded = decode(made.plan, frame)
            assert decoded is not None, (made.title, reply.name)
            assert (decoded.reply, decoded.length) == (reply, len(frame)), made.title
            assert set(decoded.values) == {one.what for one in reply.reads}, made.title
