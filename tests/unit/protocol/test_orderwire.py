"""The builtin orderwire schema against docs/orderwire.md, byte for byte."""

import re
from pathlib import Path

import pytest

from cluster.protocol.builtin import builtin_path, read_schema
from cluster.protocol.compile import compile_schema
from cluster.protocol.inspect import decode, encode

DOCUMENT = (Path(__file__).parents[3] / "docs" / "orderwire.md").read_text()
PLAN = compile_schema(read_schema(builtin_path("orderwire"))).plan
NS = {"engine_received": 1_000_000_000, "engine_replied": 1_000_001_928}


def example(heading: str) -> bytes:
    """The bytes of the example under a heading of the document."""
    section = DOCUMENT.split(f"\n### {heading}\n")[1].split("\n### ")[0]
    block = section.split("```text\n")[1].split("```")[0]
    return b"".join(
        bytes.fromhex(re.match(r"(?:[0-9a-f]{2} ?)+", line)[0])  # type: ignore[index]
        for line in block.splitlines()
    )


@pytest.mark.parametrize(
    ("heading", "message", "values"),
    [
        ("New", "new_order/limit/buy", {"id": 1, "price": 100_050, "size": 250}),
        ("Replace", "replace_order", {"id": 2, "target": 1, "price": 100_049, "size": 300}),
        ("Cancel", "cancel_order", {"id": 3, "target": 2}),
    ],
)
def test_requests_are_those_of_the_document(
    heading: str, message: str, values: dict[str, int | str]
) -> None:
    assert encode(PLAN, PLAN.message(message), {"symbol": 7, **values}) == example(heading)


@pytest.mark.parametrize(
    ("heading", "reply", "means", "values"),
    [
        ("Accepted", "accepted", "accepted", {"id": 1}),
        ("Rejected", "rejected", "rejected", {"id": 3, "reason": 1}),
        ("Executed", "executed", "executed", {"id": 1, "executed": 100, "remaining": 150}),
        ("Cancelled", "cancelled", "accepted", {"id": 3}),
    ],
)
def test_replies_are_those_of_the_document(
    heading: str, reply: str, means: str, values: dict[str, int]
) -> None:
    decoded = decode(PLAN, example(heading))

    assert decoded is not None
    assert decoded.reply is not None
    assert (decoded.reply.name, decoded.reply.means) == (reply, means)
    assert decoded.values == {**values, **NS}


def test_kinds_and_sides_are_the_numbers_of_the_document() -> None:
    kinds = {"limit": 1, "market": 2, "immediate_or_cancel": 3}
    sides = {"buy": 1, "sell": 2}

    for rule in PLAN.sends:
        if rule.action == "new":
            content = encode(PLAN, PLAN.message(rule.message), {})
            assert (content[3], content[28]) == (kinds[rule.kind], sides[rule.side])


def test_the_rest_of_an_order_is_out_of_the_book_and_no_answer() -> None:
    frame = bytearray(example("Cancelled"))
    frame[3] = 1

    decoded = decode(PLAN, bytes(frame))

    assert decoded is not None
    assert decoded.reply is not None
    assert (decoded.reply.means, decoded.reply.names) == ("cancelled", "order")
