"""What a field may say: which keys go with which type, and with what is in it."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from cluster.document.allowed import nearest
from cluster.protocol.checksums import BYTES as CHECKSUM_BYTES
from cluster.protocol.envelope import Direction
from cluster.protocol.expand import Leaf
from cluster.protocol.field import WireField
from cluster.protocol.mistakes import Mistakes
from cluster.protocol.model import KINDS, SIDES, Schema
from cluster.protocol.values import implied_width, is_float, is_integer

# Contents: what is in a field. At most one of them is given.
REQUEST_CONTENTS: Final = ("is_", "value", "length", "checksum", "draw", "session", "environment")
REPLY_CONTENTS: Final = ("is_", "value", "keep")
CONTENTS: Final = (*REQUEST_CONTENTS, "keep")

# Keys beyond a field's type, place and content, by the kind of its type.
_NUMERIC: Final = {"scale", "add", "unit", "since", "map", "draw"}
_COUNTED: Final = {"length", "plus", "from_", "to", "checksum"}
_PLACED: Final = {"width", "justify", "pad"}
_TEXTS: Final = {"session", "environment", "default", "keep"}
KEYS: Final[Mapping[str, frozenset[str]]] = {
    "integer": frozenset({"byte_order", *_NUMERIC, *_COUNTED}),
    "float": frozenset({"byte_order", "scale", "unit", "since", "map", "draw"}),
    "alpha": frozenset({*_PLACED, *_TEXTS, "prefix", "digits", "base", "map", "draw"}),
    "number": frozenset(
        {*_PLACED, *_NUMERIC, *_COUNTED, "prefix", "digits", "base", "decimals", "keep"}
    ),
    "text": frozenset({"width", *_TEXTS, "prefix", "digits", "map", "draw"}),
    "bytes": frozenset({"width", "keep", "map", "draw"}),
    "utc_text": frozenset({"precision", "since"}),
}
_EVERYWHERE: Final = {"type", "at", "tag", "is_", "value"}

REQUEST_SOURCES: Final = (
    "id",
    "target",
    "client",
    "symbol",
    "side",
    "kind",
    "price",
    "size",
    "sequence",
    "next_sequence",
    "time",
)
REPLY_SOURCES: Final = (
    "id",
    "reason",
    "executed_size",
    "remaining_size",
    "engine_received",
    "engine_replied",
    "sequence",
)
OF_ORDERS: Final = ("id", "target", "symbol", "side", "kind", "price", "size")
TIMES: Final = ("time", "engine_received", "engine_replied")
# Where the value is one of few, it is looked up in `map`; where it is a number, it is written.
NAMED: Final = {"side": SIDES, "kind": KINDS}


class FieldRules:
    """Tells what is wrong with the fields of one direction."""

    def __init__(self, schema: Schema, direction: Direction, mistakes: Mistakes) -> None:
        self._schema = schema
        self._direction = direction
        self._mistakes = mistakes
        self._kept = {
            field.keep
            for fields in [
                *(reply.fields for reply in schema.replies.values()),
                *schema.parts.values(),
            ]
            for field in _all(fields)
            if field.keep is not None
        }

    def check(self, leaf: Leaf, *, tagged: bool) -> None:
        """One field, as written."""
        kind = kind_of(leaf.field)
        if kind is None:
            self._tell(leaf, "", "needs a `type`, or `use: PART`")
            return
        self._check_keys(leaf, kind)
        self._check_tag(leaf, tagged=tagged)
        self._check_contents(leaf)
        self._check_modifiers(leaf)
        self._check_span(leaf)
        self._check_width(leaf, kind)
        self._check_value(leaf, kind)
        self._check_names(leaf)

    def _check_keys(self, leaf: Leaf, kind: str) -> None:
        for name in leaf.field.model_fields_set - KEYS[kind] - _EVERYWHERE:
            can = ", ".join(
                f"`{other}`" for other, keys in KEYS.items() if name in keys and other != "integer"
            )
            numbers = "whole numbers" if name in KEYS["integer"] else ""
            where = " and ".join(part for part in (numbers, can) if part)
            only = f": it is for {where}" if where else " outside of a group"
            self._tell(leaf, name, f"means nothing with type {leaf.field.type}{only}")

    def _check_tag(self, leaf: Leaf, *, tagged: bool) -> None:
        field = leaf.field
        if not tagged:
            if field.tag is not None:
                self._tell(leaf, "tag", "is for fix framing only; leave it out")
            return
        if field.tag is None:
            self._tell(leaf, "", "needs a `tag`: with fix framing every field has one")
        if is_integer(field) or is_float(field) or field.type == "bytes":
            self._tell(leaf, "type", "FIX writes everything as text: use number, alpha or text")

    def _check_contents(self, leaf: Leaf) -> None:
        field, requests = leaf.field, self._direction == "requests"
        given = [name for name in CONTENTS if getattr(field, name) is not None]
        own = REQUEST_CONTENTS if requests else REPLY_CONTENTS
        if len(given) > 1:
            names = " and ".join(f"`{_key(name)}`" for name in given)
            self._tell(leaf, given[1], f"{names} are given: a field has one of them")
        for name in given:
            if name not in own:
                what = "what comes, and this is sent" if requests else "what is sent; leave it out"
                self._tell(leaf, name, f"is for {what}")
        if requests and not given:
            can = ", ".join(f"`{_key(name)}`" for name in REQUEST_CONTENTS)
            self._tell(leaf, "", f"does not say what is sent: give one of {can}")
        if requests and isinstance(field.is_, list):
            self._tell(leaf, "is_", "a list says what may come; what is sent is one value")

    def _check_modifiers(self, leaf: Leaf) -> None:
        """Keys that change what another key gives need that other key."""
        field, given = leaf.field, leaf.field.model_fields_set
        numeric = field.value is not None or field.draw is not None
        counted = field.length is not None or field.checksum is not None
        needed = {
            "`value` or `draw`": (
                numeric,
                {"scale", "add", "unit", "since", "map", "digits"},
            ),
            "`length` or `checksum`": (counted, {"from_", "to"}),
            "`length`": (field.length is not None, {"plus"}),
            "`environment`": (field.environment is not None, {"default"}),
        }
        for what, (is_there, names) in needed.items():
            for name in sorted(names & given):
                if not is_there and name in KEYS[kind_of(field) or "integer"]:
                    self._tell(leaf, name, f"means nothing without {what}")
        if {"unit", "since"} & given and numeric and field.value not in TIMES:
            self._tell(leaf, "unit" if "unit" in given else "since", "is for times only")
        if not is_float(field) and isinstance(field.scale, float) and not field.scale.is_integer():
            self._tell(leaf, "scale", f"must be a whole number in a field of type {field.type}")
        if self._direction == "replies" and field.value is not None:
            for name in sorted({"scale", "add"} & given):
                self._tell(leaf, name, "is for what is sent: what comes is read as it is")

    def _check_span(self, leaf: Leaf) -> None:
        """`from` and `to` go with `length: fields` and with checksums."""
        field = leaf.field
        if field.length == "fields" and (field.from_ is None or field.to is None):
            self._tell(leaf, "length", "`fields` needs `from` and `to`: the first and the last one")
        if field.length in ("message", "rest"):
            for name in sorted({"from_", "to"} & field.model_fields_set):
                self._tell(leaf, name, f"means nothing with `length: {field.length}`; use fields")

    def _check_width(self, leaf: Leaf, kind: str) -> None:
        field = leaf.field
        if field.width is not None or implied_width(field) is not None:
            return
        if self._direction == "replies":
            return  # to the end, of the value or the frame
        if field.is_ is not None and kind in ("alpha", "text", "bytes", "number"):
            return  # as long as it is
        if kind == "text":
            if field.value in ("side", "kind") or field.environment or field.session:
                return
            self._tell(leaf, "", "needs a `width`: how many bytes its text has")
        else:
            self._tell(leaf, "", f"needs a `width`: how many bytes a field of type {kind} has here")

    def _check_value(self, leaf: Leaf, kind: str) -> None:
        field, source = leaf.field, leaf.field.value
        if source is None:
            if field.map is not None and field.draw is not None:
                self._tell(leaf, "map", "is for `value`; a draw has its own `choice`")
            return
        sources = REQUEST_SOURCES if self._direction == "requests" else REPLY_SOURCES
        if source not in sources:
            known = ", ".join(f"`{one}`" for one in sources)
            a = "a request" if self._direction == "requests" else "a reply"
            self._tell(leaf, "value", f"`{source}` is nothing that {a} has; it has {known}")
            return
        if source in NAMED:
            self._check_named(leaf, NAMED[source])
            return
        if field.map is not None and source != "reason":
            self._tell(leaf, "map", "is for `side`, `kind` and `reason`: the others are numbers")
        fine = {
            "utc_text": source in TIMES,
            "bytes": False,
            "text": source in ("symbol", "reason"),
            "alpha": source not in TIMES,
            "float": source not in ("reason", "id", "target", "sequence", "next_sequence"),
        }.get(kind, True)
        if not fine:
            self._tell(leaf, "type", f"`{source}` can't stand in a field of type {field.type}")

    def _check_named(self, leaf: Leaf, names: Collection[str]) -> None:
        given = leaf.field.map or {}
        for name in given:
            if name not in names:
                known = ", ".join(f"`{one}`" for one in names)
                self._mistakes.add(
                    (*leaf.path, "map", name), f"is not a {leaf.field.value}; there are {known}"
                )
        needed = [name for name in names if name in ("buy", "sell", "limit")]
        missing = [name for name in needed if name not in given]
        if "map" not in leaf.field.model_fields_set:
            known = ", ".join(f"{one}: …" for one in names)
            self._tell(leaf, "", f"`value: {leaf.field.value}` needs `map: {{{known}}}`")
        elif missing and not (leaf.field.value == "kind" and given):
            self._tell(leaf, "map", f"has nothing for {' and '.join(missing)}")

    def _check_names(self, leaf: Leaf) -> None:
        """Draws, kept texts, and what a checksum needs."""
        field = leaf.field
        if field.draw is not None and field.draw not in self._schema.draws:
            self._tell(leaf, "draw", _no_such("draw", field.draw, "draws", self._schema.draws))
        if field.session is not None and field.session not in self._kept:
            self._tell(
                leaf, "session", f"no reply keeps a text of this name (`keep: {field.session}`)"
            )
        if field.checksum is not None and is_integer(field):
            needed = CHECKSUM_BYTES[field.checksum]
            if (implied_width(field) or 0) < needed:
                self._tell(leaf, "type", f"is too narrow: {field.checksum} has {needed} bytes")
        if field.checksum is not None and field.type == "number" and field.width is not None:
            most = 256 ** CHECKSUM_BYTES[field.checksum] - 1
            if (field.base or 10) ** field.width - 1 < most:
                self._tell(leaf, "width", f"is too narrow: {field.checksum} goes up to {most:,}")

    def _tell(self, leaf: Leaf, name: str, sentence: str) -> None:
        self._mistakes.add((*leaf.path, _key(name)) if name else leaf.path, sentence)


def kind_of(field: WireField) -> str | None:
    """The kind of a field's type; None without one."""
    if is_integer(field):
        return "integer"
    if is_float(field):
        return "float"
    return field.type


def _all(fields: Mapping[str, WireField]) -> Iterator[WireField]:
    """All fields, those of groups too."""
    for field in fields.values():
        yield field
        yield from _all(field.fields or {})


def _key(name: str) -> str:
    """A field's name in the model as the key in YAML."""
    return name.removesuffix("_")


def _no_such(what: str, name: str, where: str, known: Mapping[str, object]) -> str:
    meant = nearest(name, list(known))
    advice = f"; did you mean `{meant}`?" if meant else ""
    return f"there is no {what} `{name}` in `{where}`{advice}"
