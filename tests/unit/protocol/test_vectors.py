"""Messages of the shipped schemas, byte by byte, as the specifications have them."""

from collections.abc import Mapping

import pytest

from cluster.document.reader import Document
from cluster.protocol.builtin import builtin_names, builtin_path, read_schema
from cluster.protocol.compile import compile_schema
from cluster.protocol.inspect import decode, encode
from cluster.protocol.model import Schema, Symbols
from cluster.protocol.plan import WirePlan
from fakes.vectors import Vector, schemas_with_vectors, vectors

NAMES = {  # of what the plan reads, as the schema has them
    "executed": "executed_size",
    "remaining": "remaining_size",
    "keep.test_request_id": "test_request_id",
    "keep.resend_from": "resend_from",
}
by_name = {"ids": lambda vector: vector.name}


@pytest.mark.parametrize("vector", vectors("requests"), **by_name)
def test_a_request_is_written_byte_by_byte_as_specified(vector: Vector) -> None:
    plan, said = plan_of(vector), vector.said
    values = dict(said.get("values", {}))
    values["time"] = values.pop("time_ns", 0)
    values |= {f"secret.{name}": text for name, text in said.get("secrets", {}).items()}
    values |= {f"session.{name}": text for name, text in said.get("kept", {}).items()}

    written = encode(plan, plan.message(said.get("message") or sent(plan, said["send"])), values)

    assert vector.content == written


@pytest.mark.parametrize("vector", vectors("replies"), **by_name)
def test_a_reply_is_recognised_and_read_as_specified(vector: Vector) -> None:
    found = decode(plan_of(vector), vector.content)

    assert found is not None
    assert found.length == len(vector.content)
    assert found.reply is not None
    assert vector.said["reply"] == found.reply.name.partition("/")[0]
    reads = {NAMES.get(name, name): value for name, value in found.values.items()}
    assert vector.said.get("reads", {}) == reads


@pytest.mark.parametrize("name", schemas_with_vectors())
def test_every_message_of_a_shipped_schema_has_a_vector(name: str) -> None:
    schema = read_schema(builtin_path(name)).content
    replies = {vector.said["reply"] for vector in vectors("replies", name)}
    plan = compile_schema(read_schema(builtin_path(name))).plan
    requests = {
        (vector.said.get("message") or sent(plan, vector.said["send"])).partition("/")[0]
        for vector in vectors("requests", name)
    }

    assert set(schema.replies) == replies
    assert set(schema.requests) == requests


def test_every_shipped_schema_has_vectors() -> None:
    # The examples of orderwire are in docs/orderwire.md, which native/tests/ reads.
    assert set(builtin_names()) == {*schemas_with_vectors(), "orderwire"}


def plan_of(vector: Vector) -> WirePlan:
    """What the schema compiles to, with the instruments' names that the vector says."""
    document = read_schema(builtin_path(vector.schema))
    if names := vector.said.get("symbols"):
        named = document.content.model_copy(update={"symbols": Symbols(names=names)})
        document = Document[Schema](named, document.places)
    return compile_schema(document).plan


def sent(plan: WirePlan, action: Mapping[str, str]) -> str:
    """The message that carries an action out."""
    wanted = (action["action"], action.get("kind", ""), action["side"])
    rules = {(rule.action, rule.kind, rule.side): rule.message for rule in plan.sends}
    return rules[wanted]
