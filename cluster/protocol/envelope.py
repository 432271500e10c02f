"""What soupbintcp and fix put around the fields of each message, as fields like any other."""

from dataclasses import replace
from typing import Final, Literal

from cluster.document.path import Path, show_text
from cluster.protocol.expand import Leaf
from cluster.protocol.field import WireField
from cluster.protocol.framing import Frame
from cluster.protocol.mistakes import Mistakes
from cluster.protocol.model import Message, Schema

Direction = Literal["requests", "replies"]

SOUP_TYPES: Final = {"requests": "U", "replies": "S"}


def rule_of(schema: Schema, direction: Direction) -> Frame | Literal["soupbintcp"]:
    """The framing of one direction."""
    framing = schema.framing
    if framing == "soupbintcp":
        return "soupbintcp"
    one = framing.requests if direction == "requests" else framing.replies
    return framing if one is None else one


def rule_path(schema: Schema, direction: Direction) -> Path:
    """Where the framing of one direction is written."""
    framing = schema.framing
    if framing == "soupbintcp":
        return ("framing",)
    one = framing.requests if direction == "requests" else framing.replies
    return ("framing",) if one is None else ("framing", direction)


def is_tagged(schema: Schema, direction: Direction) -> bool:
    """Whether fields are written as tag=value."""
    rule = rule_of(schema, direction)
    return rule != "soupbintcp" and rule.fix is not None


class Envelope:
    """Puts its own fields around those of a message."""

    def __init__(self, schema: Schema, direction: Direction, mistakes: Mistakes) -> None:
        self._rule = rule_of(schema, direction)
        self._direction = direction
        self._mistakes = mistakes

    def around(self, message: Message, leaves: list[Leaf], path: Path) -> list[Leaf]:
        """The fields of the message at `path`, with those that the framing adds."""
        if self._rule == "soupbintcp":
            return [*self._soup(message, path), *leaves]
        if self._rule.fix is not None:
            return self._fix(self._rule.fix.begin_string, message, leaves, path)
        if message.type is not None:
            self._mistakes.add(
                (*path, "type"), "only soupbintcp and fix write a `type`; make it a field"
            )
        return leaves

    def _soup(self, message: Message, path: Path) -> list[Leaf]:
        kind = message.type or SOUP_TYPES[self._direction]
        if len(kind) != 1:
            self._mistakes.add(
                (*path, "type"), f"a packet type is one character, not `{show_text(kind)}`"
            )
        number = WireField(type="u16", byte_order="big")
        if self._direction == "requests":
            number = number.model_copy(update={"length": "rest"})
        place = (*path, "type") if message.type else path
        return [
            Leaf("packet_length", path, number),
            Leaf("packet_type", place, WireField(type="alpha", width=1, is_=kind[:1])),
        ]

    def _fix(self, begin: str, message: Message, leaves: list[Leaf], path: Path) -> list[Leaf]:
        if message.type is None:
            self._mistakes.add((*path, "type"), "is missing; it must be the MsgType, such as D")
        type_path = (*path, "type") if message.type else path
        kind = WireField(type="text", tag=35, is_=message.type or "?")
        msg_type = Leaf("MsgType", type_path, kind)
        if self._direction == "replies":
            return [msg_type, *leaves]
        last = leaves[-1].name if leaves else "MsgType"
        length = WireField(type="number", tag=9, width=6, length="fields", from_="MsgType", to=last)
        return [
            Leaf("BeginString", path, WireField(type="text", tag=8, is_=begin)),
            Leaf("BodyLength", path, length),
            msg_type,
            *leaves,
            Leaf("CheckSum", path, WireField(type="number", tag=10, width=3, checksum="sum256")),
        ]


def renamed(leaf: Leaf, **changes: object) -> Leaf:
    """The leaf with its field changed."""
    return replace(leaf, field=leaf.field.model_copy(update=changes))
