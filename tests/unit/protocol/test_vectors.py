"""Messages of the shipped schemas, byte by byte, as the specifications have them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.document.reader import Document
from cluster.protocol.builtin import builtin_path, read_schema
from cluster.protocol.compile import compile_schema
from cluster.protocol.inspect import decode, encode
from cluster.protocol.model import Schema, Symbols
from cluster.protocol.plan import WirePlan

NAMES = {  # of what the plan reads, as the schema has them
    "executed": "executed_size",
    "remaining": "remaining_size",
    "keep.test_request_id": "test_request_id",
    "keep.resend_from": "resend_from",
}
VECTORS = Path(__file__).parents[2] / "data" / "vectors"


@dataclass(frozen=True)
class Vector:
    """A message and what is said in it."""

    schema: str
    said: Mapping[str, Any]

    @property
    def content(self) -> bytes:
        """The bytes: hex with remarks after `#`, lines, or text with `|` for SOH."""
        if "lines" in self.said:
            return (self.said["lines"].replace("\n", "\r\n") + self.said.get("body", "")).encode()
        if "text" in self.said:
            return self.said["text"].replace("| ", "|").replace("|", "\x01").encode()
        lines = self.said["hex"].splitlines()
        return bytes.fromhex(" ".join(line.partition("#")[0] for line in lines))

    @property
    def plan(self) -> WirePlan:
        document = read_schema(builtin_path(self.schema))
        names = self.said.get("symbols")
        if names:
            named = document.content.model_copy(update={"symbols": Symbols(names=names)})
            document = Document[Schema](named, document.places)
        return compile_schema(document).plan


def all_of(direction: str) -> list[Any]:
    """The vectors of all files, named by their schema and their place."""
    found = []
    for path in sorted(VECTORS.glob("*.yaml")):
        file = yaml.safe_load(path.read_text())
        for index, said in enumerate(file[direction]):
            name = said.get("message") or said.get("reply") or "-".join(said["send"].values())
            vector = Vector(file["schema"], said)
            found.append(pytest.param(vector, id=f"{path.stem}-{index}-{name}"))
    return found


@pytest.mark.parametrize("vector", all_of("requests"))
def test_a_request_is_written_byte_by_byte_as_specified(vector: Vector) -> None:
    plan, said = vector.plan, vector.said
    values = dict(said.get("values", {}))
    if "time_ns" in values:
        values["time"] = values.pop("time_ns")
    values |= {f"secret.{name}": text for name, text in said.get("secrets", {}).items()}
    values |= {f"session.{name}": text for name, text in said.get("kept", {}).items()}

    written = encode(plan, plan.message(said.get("message") or sent(plan, said["send"])), values)

    assert vector.content == written


@pytest.mark.parametrize("vector", all_of("replies"))
def test_a_reply_is_recognised_and_read_as_specified(vector: Vector) -> None:
    found = decode(vector.plan, vector.content)

    assert found is not None
    assert found.length == len(vector.content)
    assert found.reply is not None
    assert vector.said["reply"] == found.reply.name.partition("/")[0]
    reads = {NAMES.get(name, name): value for name, value in found.values.items()}
    assert vector.said.get("reads", {}) == reads


def sent(plan: WirePlan, action: Mapping[str, str]) -> str:
    """The message that carries an action out."""
    wanted = (action["action"], action.get("kind", ""), action["side"])
    rules = {(rule.action, rule.kind, rule.side): rule.message for rule in plan.sends}
    return rules[wanted]
