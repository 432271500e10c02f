"""What may come: how a reply is recognised, what is read from it, and whether that is clear."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from cluster.document.path import Path
from cluster.protocol.envelope import Envelope, is_tagged
from cluster.protocol.expand import Expander, Leaf
from cluster.protocol.field import ByteOrder, Constant
from cluster.protocol.mistakes import Mistakes, WrongValueError
from cluster.protocol.model import Schema
from cluster.protocol.plan import (
    DecRead,
    Frame,
    IntRead,
    LengthFrame,
    Match,
    Read,
    ReadFormat,
    Reply,
    TextRead,
    UtcRead,
)
from cluster.protocol.values import (
    encode,
    implied_width,
    is_float,
    is_integer,
    is_signed,
    pad_of,
)
from cluster.units import NS_PER_MS, NS_PER_S, NS_PER_US

WHAT: Final = {"executed_size": "executed", "remaining_size": "remaining"}
NS_PER: Final = {"ns": 1, "us": NS_PER_US, "ms": NS_PER_MS, "s": NS_PER_S}
TIMES: Final = ("engine_received", "engine_replied")
ALTERNATIVES_MAX: Final = 64


Placed = tuple[Leaf, int, int]  # a field, its offset (fix: its tag), its width (0: to the end)


@dataclass(frozen=True)
class ReadyReply:
    """A reply of the plan, and where it was written."""

    reply: Reply
    path: Path


class Replies:
    """Makes the replies of a schema."""

    def __init__(self, schema: Schema, mistakes: Mistakes) -> None:
        self._schema = schema
        self._mistakes = mistakes
        self._expander = Expander(schema.parts, mistakes)
        self._envelope = Envelope(schema, "replies", mistakes)
        self._tagged = is_tagged(schema, "replies")
        self.placed: dict[str, list[Placed]] = {}  # by reply, for people to look at
        self.reasons: dict[str, str] = {}  # what is counted (digits or text), and its name
        self.refusals: dict[str, str] = {}  # the same of what ends a session

    def leaves(self, name: str) -> list[Leaf]:
        """The fields of a reply in their order, with those of the envelope."""
        reply, path = self._schema.replies[name], ("replies", name)
        inner = self._expander.leaves(reply.fields, path)
        return self._envelope.around(reply, inner, path)

    def ready(self) -> list[ReadyReply]:
        """All replies, one for each combination of constants, the more specific ones first."""
        found = [one for name in self._schema.replies for one in self._of(name)]
        return _specific_first(found)

    def _of(self, name: str) -> list[ReadyReply]:
        reply, path = self._schema.replies[name], ("replies", name)
        leaves = self.leaves(name)
        if any(self._mistakes.within(leaf.path) for leaf in leaves):
            return []  # what is wrong is told
        placed = self.placed[name] = self._place(leaves)
        end = max((at + width for _, at, width in placed), default=0)
        open_end = reply.more or self._tagged or any(width == 0 for _, _, width in placed)
        if reply.length is not None:
            if end > reply.length:
                self._mistakes.add(
                    (*path, "length"), f"is shorter than its fields, which have {end} bytes"
                )
            end = max(end, reply.length)
        matches = [self._matches(leaf, at) for leaf, at, _ in placed if leaf.field.is_ is not None]
        reads = tuple(
            read
            for leaf, at, width in placed
            if (read := self._read(leaf, at, width, reply.means)) is not None
        )
        combinations = list(product(*matches))
        if len(combinations) > ALTERNATIVES_MAX:
            self._mistakes.add(
                path,
                f"its lists of constants have {len(combinations)} combinations; "
                f"{ALTERNATIVES_MAX} are the most",
            )
            del combinations[1:]
        return [
            ReadyReply(
                Reply(
                    name=name if len(combinations) == 1 else f"{name}/{index + 1}",
                    means=reply.means,
                    length=0 if self._tagged else end,
                    exact=not open_end and self._has_fixed_ends,
                    names=reply.names,
                    matches=combination,
                    reads=reads,
                ),
                path,
            )
            for index, combination in enumerate(combinations)
        ]

    @property
    def _has_fixed_ends(self) -> bool:
        """Whether frames have the length of what is described: not so in text protocols."""
        framing = self._schema.framing
        rule = framing if framing == "soupbintcp" else (framing.replies or framing)
        return rule == "soupbintcp" or not (rule.delimiter or rule.headed or rule.resp)

    def _place(self, leaves: Sequence[Leaf]) -> list[Placed]:
        """Each field with its offset (tagged: its tag) and its width (0: to the end)."""
        placed: list[Placed] = []
        spans: list[tuple[int, int, Leaf]] = []
        tags: set[int] = set()
        at: int | None = 0
        variable = ""
        for leaf in leaves:
            field = leaf.field
            width = self._width(leaf)
            if self._tagged:
                if field.tag in tags and _is_used(leaf):
                    self._tell(leaf, "tag", f"{field.tag} is given twice in this reply")
                tags.add(field.tag or 0)
                placed.append((leaf, field.tag or 0, 0))
                continue
            if field.at is not None:
                at = field.at
            if at is None:
                if _is_used(leaf):
                    self._tell(
                        leaf, "", f"comes after `{variable}`, whose length is not known: give `at`"
                    )
                continue
            self._tell_overlap(leaf, at, width, spans)
            placed.append((leaf, at, width))
            spans.append((at, at + width, leaf))
            variable = leaf.name if not width else variable
            at = at + width if width else None
        return placed

    def _tell_overlap(
        self, leaf: Leaf, at: int, width: int, spans: Sequence[tuple[int, int, Leaf]]
    ) -> None:
        for start, end, other in spans:
            if at < end and start < at + width:
                self._tell(
                    leaf,
                    "",
                    f"`{leaf.name}` (bytes {at} to {at + width - 1}) overlaps `{other.name}` "
                    f"(bytes {start} to {end - 1})",
                )
                return

    def _width(self, leaf: Leaf) -> int:
        field = leaf.field
        width = implied_width(field) or field.width
        if width is not None:
            return width
        constant = field.is_[0] if isinstance(field.is_, list) else field.is_
        return len(self._encoded(leaf, constant, "is")) if constant is not None else 0

    def _matches(self, leaf: Leaf, at: int) -> list[Match]:
        """What may stand in a field, one of the list."""
        constants = leaf.field.is_
        if not isinstance(constants, list):
            constants = [] if constants is None else [constants]
            return [Match(at, self._encoded(leaf, constant, "is")) for constant in constants]
        return [
            Match(at, self._encoded(leaf, constant, f"is[{index}]"))
            for index, constant in enumerate(constants)
        ]

    def _encoded(self, leaf: Leaf, constant: Constant, key: str) -> bytes:
        name, _, index = key.partition("[")
        path: Path = (*leaf.path, name, *([int(index[:-1])] if index else []))
        try:
            return encode(leaf.field, constant, self._order(leaf))
        except WrongValueError as error:
            self._mistakes.add(path, str(error))
            return b""

    def _read(self, leaf: Leaf, at: int, width: int, means: str) -> Read | None:
        field = leaf.field
        if field.keep is not None:
            return Read(f"keep.{field.keep}", TextRead(at, width, self._text_pad(leaf)))
        if field.value is None:
            return None
        form = self._format(leaf, at, width)
        if field.value == "reason":
            self._name_reasons(leaf, means)
        return None if form is None else Read(WHAT.get(field.value, field.value), form)

    def _text_pad(self, leaf: Leaf) -> bytes:
        """The byte that is not part of the text at its ends; text of natural length has none."""
        return pad_of(leaf.field) if leaf.field.type in ("alpha", "number") else b"\0"

    def _format(self, leaf: Leaf, at: int, width: int) -> ReadFormat | None:
        field = leaf.field
        scale = NS_PER[field.unit or "ns"] if field.value in TIMES else 1
        if field.type == "utc_text":
            return UtcRead(at, width)
        if is_integer(field):
            return IntRead(at, width, self._order(leaf), is_signed(field), scale)
        if field.value == "reason" and field.type in ("alpha", "text"):
            return TextRead(at, width, self._text_pad(leaf))
        if is_float(field) or field.type == "bytes":
            self._tell(leaf, "type", f"`{field.value}` can't be read from type {field.type}")
            return None
        return self._digits(leaf, at, width, scale)

    def _digits(self, leaf: Leaf, at: int, width: int, scale: int) -> DecRead | None:
        field = leaf.field
        skipped = len(field.prefix or "")
        if skipped and (self._tagged or (width and width <= skipped)):
            self._tell(leaf, "prefix", "can't be skipped here: only digits can be read")
            return None
        rest = width - skipped if width else 0
        base, decimals = field.base or 10, field.decimals or 0
        return DecRead(at + skipped, rest, base, decimals, pad_of(field), scale)

    def _name_reasons(self, leaf: Leaf, means: str) -> None:
        """Names of the reason's codes: those of rejections for the report, others of the session.

        Codes are counted as they come: where two replies use one code for different things, as FIX
        does with OrdRejReason and CxlRejReason, its name is both.
        """
        for name, code in (leaf.field.map or {}).items():
            try:
                content = encode(leaf.field, code, "big")
            except WrongValueError as error:
                self._mistakes.add((*leaf.path, "map", name), str(error))
                continue
            digits = leaf.field.type == "number" or is_integer(leaf.field)
            counted = str(code) if digits else content.rstrip(self._text_pad(leaf)).decode()
            names = self.reasons if means == "rejected" else self.refusals
            known = names.setdefault(counted, name)
            if name not in known.split(" or "):
                names[counted] = f"{known} or {name}"

    def _order(self, leaf: Leaf) -> ByteOrder:
        return leaf.field.byte_order or self._schema.byte_order

    def _tell(self, leaf: Leaf, key: str, sentence: str) -> None:
        self._mistakes.add((*leaf.path, key) if key else leaf.path, sentence)


def tell_unclear(ready: Sequence[ReadyReply], frame: Frame, mistakes: Mistakes) -> None:
    """Two replies that one and the same frame could be: told at the later one."""
    for index, one in enumerate(ready):
        for other in ready[:index]:
            if one.path == other.path or not _could_be_both(one.reply, other.reply, frame):
                continue
            mine, theirs = set(_bytes_of(one.reply)), set(_bytes_of(other.reply))
            if mine != theirs and (mine <= theirs or theirs <= mine):
                continue  # the more specific one wins
            mistakes.add(
                one.path,
                f"can't be told apart from `{other.path[-1]}`: one message could be both; "
                "give one of them a constant (`is`) that the other has not",
            )


def _could_be_both(one: Reply, other: Reply, frame: Frame) -> bool:
    known = dict(_bytes_of(one))
    if any(known.get(at, value) != value for at, value in _bytes_of(other)):
        return False
    if not isinstance(frame, LengthFrame):
        return True
    shorter, longer = sorted((one, other), key=lambda reply: reply.length)
    return shorter.length == longer.length or not shorter.exact


def _bytes_of(reply: Reply) -> list[tuple[int, int | bytes]]:
    """What must stand where, byte by byte; with tags the whole value."""
    if reply.length == 0:
        return [(match.at, match.expected) for match in reply.matches]
    return [
        (match.at + index, byte)
        for match in reply.matches
        for index, byte in enumerate(match.expected)
    ]


def _specific_first(found: Sequence[ReadyReply]) -> list[ReadyReply]:
    """In the order of the file, but what includes another's constants stands before it."""
    ordered: list[ReadyReply] = []
    for one in found:
        mine = set(_bytes_of(one.reply))
        place = next(
            (index for index, other in enumerate(ordered) if set(_bytes_of(other.reply)) < mine),
            len(ordered),
        )
        ordered.insert(place, one)
    return ordered


def _is_used(leaf: Leaf) -> bool:
    field = leaf.field
    return field.is_ is not None or field.value is not None or field.keep is not None
