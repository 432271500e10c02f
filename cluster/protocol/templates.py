"""One request of one kind and side, as the bytes and patches of a message."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from cluster.document.path import Path
from cluster.protocol.envelope import Envelope, renamed
from cluster.protocol.expand import Expander, Leaf
from cluster.protocol.field import ByteOrder, Constant, WireField
from cluster.protocol.layout import Layout, Slot, lay_out
from cluster.protocol.mistakes import Mistakes, WrongValueError
from cluster.protocol.model import Request, Schema
from cluster.protocol.plan import (
    ChecksumOf,
    Chunk,
    DecFormat,
    DecPatch,
    FloatPatch,
    Format,
    IntFormat,
    IntPatch,
    LengthOf,
    Message,
    Patch,
    Place,
    SymbolTable,
    Table,
    TablePatch,
    TextPatch,
    UtcPatch,
)
from cluster.protocol.values import (
    UTC_DIGITS,
    encode,
    implied_width,
    integer_range,
    is_float,
    is_integer,
    is_signed,
    justify_of,
    pad_of,
)

DIGITS_MAX: Final = 64  # of a number, whatever its base
FLOAT_EXACT: Final = {"f32": 2**24, "f64": 2**53}  # whole numbers up to here are exact


@dataclass(frozen=True)
class Variant:
    """Which order a message is made for; without one it is a session message."""

    kind: str
    side: str


@dataclass(frozen=True)
class Fits:
    """What fits into one field: these values of a source."""

    source: str
    low: int
    high: int
    path: Path


class Tables:
    """The tables of a plan; equal ones are shared."""

    def __init__(self) -> None:
        self.all: list[Table | SymbolTable] = []

    def index(self, table: Table | SymbolTable) -> int:
        """The index of this table, which is added when it is new."""
        if table not in self.all:
            self.all.append(table)
        return self.all.index(table)


class Templates:
    """Makes the messages of a schema.

    `replayed_symbols`: orders come from a file with at most so many symbols, whose texts are known
    when it is read. None: orders are made, and their symbols are numbers.
    """

    def __init__(
        self, schema: Schema, mistakes: Mistakes, replayed_symbols: int | None = None
    ) -> None:
        self._schema = schema
        self.replayed_symbols = replayed_symbols
        self._mistakes = mistakes
        self._expander = Expander(schema.parts, mistakes)
        self._envelope = Envelope(schema, "requests", mistakes)
        self._draws = {name: index for index, name in enumerate(schema.draws)}
        self.tables = Tables()
        self.fits: list[Fits] = []
        self.secrets: dict[str, Path] = {}  # environment variables, and where they are used
        self.layouts: dict[str, Layout] = {}  # of the messages made last, by request
        self.defaults: dict[str, str] = {}  # what stands for those that are not set

    def leaves(self, name: str) -> list[Leaf]:
        """The fields of a request in their order, with those of the envelope."""
        request, path = self._schema.requests[name], ("requests", name)
        inner = self._expander.leaves(request.fields, path)
        return self._envelope.around(request, inner, path)

    def message(self, name: str, variant: Variant | None) -> Message | None:
        """The message; None where a field has nothing for this kind of order."""
        request, path = self._schema.requests[name], ("requests", name)
        leaves = [folded(leaf, variant) for leaf in self.leaves(name)]
        if any(leaf is None for leaf in leaves):
            return None
        here = [leaf for leaf in leaves if leaf is not None]
        if any(self._mistakes.within(leaf.path) for leaf in here):
            return None  # what is wrong is told
        sized = [(leaf, self._width(leaf)) for leaf in here]
        layout = self.layouts[name] = lay_out(sized, request.length, path, self._mistakes)
        return _Builder(self, request, layout).build(name)

    def _width(self, leaf: Leaf) -> int | None:
        """Bytes of a field; None: a text of any length."""
        field = leaf.field
        width = implied_width(field) or field.width
        if width is not None:
            return width
        if isinstance(field.is_, list) or field.is_ is None:
            return None if field.environment or field.session else 0
        try:
            return len(encode(field, field.is_, "big"))
        except WrongValueError:
            return 0  # told where it is written

    def order_of(self, field: WireField) -> ByteOrder:
        """The byte order of a number."""
        return field.byte_order or self._schema.byte_order

    def constant(self, leaf: Leaf, value: Constant, key: str) -> bytes:
        """A constant's bytes; what can't be written is told at `key` of the field."""
        try:
            return encode(leaf.field, value, self.order_of(leaf.field))
        except WrongValueError as error:
            place: Path = ("map", leaf.mapped) if leaf.mapped else (key,)
            self._mistakes.add((*leaf.path, *place), str(error))
            return b""

    def tell(self, leaf: Leaf, key: str, sentence: str) -> None:
        """Note a mistake of a field."""
        self._mistakes.add((*leaf.path, key) if key else leaf.path, sentence)

    def draw_index(self, leaf: Leaf) -> int:
        """The number of the draw that a field names; told when there is none."""
        return self._draws.get(leaf.field.draw or "", 0)

    @property
    def schema(self) -> Schema:
        """What the messages are made from."""
        return self._schema


def folded(leaf: Leaf, variant: Variant | None) -> Leaf | None:
    """The field with side and kind as a constant; None when its map has nothing for the kind."""
    field = leaf.field
    if field.value not in ("side", "kind") or variant is None or not field.map:
        return leaf
    key = variant.side if field.value == "side" else variant.kind
    if key not in field.map:
        return None
    return replace(renamed(leaf, is_=field.map[key], value=None, map=None), mapped=key)


class _Builder:
    """Fills the chunks of one message."""

    def __init__(self, templates: Templates, request: Request, layout: Layout) -> None:
        self._templates = templates
        self._layout = layout
        self._answers_name: Literal["own", "target"] = (
            "own" if request.answers_name == "request" else "target"
        )
        self._templates_of_chunks = [
            bytearray([request.fill]) * length for length in layout.lengths
        ]
        self._patches: list[list[Patch]] = [[] for _ in layout.lengths]
        self._inserts: list[str | None] = [None] * len(layout.lengths)
        self._lengths: list[LengthOf] = []
        self._checksums: list[ChecksumOf] = []

    def build(self, name: str) -> Message:
        for slot in self._layout.slots:
            self._fill(slot)
        chunks = tuple(
            Chunk(bytes(template), tuple(patches), insert)
            for template, patches, insert in zip(
                self._templates_of_chunks, self._patches, self._inserts, strict=True
            )
        )
        lengths, checksums = tuple(self._lengths), tuple(self._checksums)
        return Message(name, self._answers_name, chunks, lengths, checksums)

    def _fill(self, slot: Slot) -> None:
        field = slot.leaf.field
        self._put(slot.start, slot.before)
        self._put(Place(slot.end.chunk, slot.end.at - len(slot.after)), slot.after)
        if field.is_ is not None and not isinstance(field.is_, list):
            self._put(slot.at, self._templates.constant(slot.leaf, field.is_, "is"))
        elif field.value is not None:
            self._value(slot, field.value)
        elif field.draw is not None:
            self._draw(slot)
        elif field.length is not None:
            self._length(slot)
        elif field.checksum is not None:
            self._checksum(slot)
        elif field.environment or field.session:
            self._text(slot)

    def _put(self, at: Place, content: bytes) -> None:
        template = self._templates_of_chunks[at.chunk]
        room = max(0, len(template) - at.at)
        template[at.at : at.at + min(room, len(content))] = content[:room]

    def _patch(self, slot: Slot, patch: Patch) -> None:
        self._patches[slot.at.chunk].append(patch)

    def _value(self, slot: Slot, source: str) -> None:
        field = slot.leaf.field
        if source == "time":
            self._time(slot)
        elif source == "symbol" and field.type in ("alpha", "text"):
            self._symbol(slot)
        else:
            self._number(slot, source)

    def _time(self, slot: Slot) -> None:
        field = slot.leaf.field
        if field.type == "utc_text":
            self._patch(slot, UtcPatch(slot.at.at, UTC_DIGITS[field.precision or "s"]))
        else:
            self._number(slot, f"time.{field.unit or 'ns'}.{field.since or 'epoch'}")

    def _symbol(self, slot: Slot) -> None:
        symbols = self._templates.schema.symbols
        field = slot.leaf.field
        if symbols is not None and symbols.names is not None:
            entries = [self._templates.constant(slot.leaf, name, "value") for name in symbols.names]
            self._from_table(slot, "symbol", entries)
            return
        if self._templates.replayed_symbols is not None:
            # The file's own text, whatever the schema would make of a number.
            self._replayed_symbol(slot, self._templates.replayed_symbols)
            return
        prefix = field.prefix or (symbols.prefix if symbols is not None else None)
        digits = field.digits or (symbols.digits if symbols is not None else None)
        first = symbols.first if symbols is not None else 0
        self._digits(slot, "symbol", prefix or "", digits, first)

    def _replayed_symbol(self, slot: Slot, count: int) -> None:
        field, width = slot.leaf.field, slot.width or 0
        if not width:
            return  # told where it is written
        made = SymbolTable(width, count, pad_of(field), justify_of(field))
        self._patch(slot, TablePatch(slot.at.at, "symbol", self._templates.tables.index(made)))

    def _from_table(self, slot: Slot, source: str, entries: list[bytes]) -> None:
        width = slot.width or 0
        if not width or any(len(entry) != width for entry in entries):
            return  # told where it is written
        table = self._templates.tables.index(Table(width, b"".join(entries)))
        self._patch(slot, TablePatch(slot.at.at, source, table))
        if source == "symbol":
            self._fits(slot, source, 0, len(entries) - 1)

    def _number(self, slot: Slot, source: str) -> None:
        """A number from a source or a draw, in the way of the field's type."""
        field = slot.leaf.field
        width = slot.width or 0
        if is_integer(field):
            scale, order = int(field.scale or 1), self._templates.order_of(field)
            self._patch(slot, IntPatch(slot.at.at, width, order, source, scale, field.add))
            low, high = integer_range(width, signed=is_signed(field))
            self._scaled_fits(slot, source, low, high, field.add)
        elif is_float(field):
            order = self._templates.order_of(field)
            factor = float(field.scale or 1)
            self._patch(slot, FloatPatch(slot.at.at, width, order, source, factor))
            exact = FLOAT_EXACT[str(field.type)]
            self._fits(slot, source, -exact, exact)
        else:
            self._digits(slot, source, field.prefix or "", field.digits, field.add)

    def _digits(self, slot: Slot, source: str, prefix: str, digits: int | None, add: int) -> None:
        """Digits after a prefix, both at the left or the right of the field."""
        field, width = slot.leaf.field, slot.width or 0
        room = width - len(prefix)
        used = digits or min(room, DIGITS_MAX)
        if room < 1 or used > room:
            needed = len(prefix) + (digits or 1)
            sentence = f"is too narrow: prefix and digits need {needed} bytes"
            self._templates.tell(slot.leaf, "width", sentence)
            return
        justify, pad = justify_of(field), pad_of(field)
        at = slot.at.at
        if digits is not None:
            self._put(slot.at, pad * width)
            at += room - digits if justify == "right" else 0
            justify, pad = "right", b"0"
        elif used < room:
            self._put(slot.at, pad * width)
            at += room - used if justify == "right" else 0
        elif prefix and justify == "right":
            self._templates.tell(
                slot.leaf, "justify", "with `prefix`, text at the right needs `digits`"
            )
        self._put(Place(slot.at.chunk, at), prefix.encode())
        base, decimals = field.base or 10, field.decimals or 0
        scale = int(field.scale or 1)
        self._patch(
            slot,
            DecPatch(at + len(prefix), used, source, scale, add, base, decimals, justify, pad),
        )
        places = used - 1 if decimals else used
        if decimals and places <= decimals:
            self._templates.tell(
                slot.leaf, "width", f"is too narrow for {decimals} decimals: give {decimals + 2}"
            )
            return
        self._scaled_fits(slot, source, 0, base**places - 1, add)

    def _scaled_fits(self, slot: Slot, source: str, low: int, high: int, add: int) -> None:
        """What fits is written = value times scale + add."""
        scale = int(slot.leaf.field.scale or 1)
        self._fits(slot, source, -((add - low) // scale), (high - add) // scale)

    def _fits(self, slot: Slot, source: str, low: int, high: int) -> None:
        name = {"target": "id", "next_sequence": "sequence"}.get(source, source)
        self._templates.fits.append(Fits(name, low, high, slot.leaf.path))

    def _draw(self, slot: Slot) -> None:
        templates, field = self._templates, slot.leaf.field
        draw = templates.schema.draws.get(field.draw or "")
        if draw is None:
            return  # told where it is written
        source = f"draw.{templates.draw_index(slot.leaf)}"
        if draw.choice is not None:
            self._from_table(slot, source, [self._choice(slot, text) for text in draw.choice])
        else:
            self._number(slot, source)

    def _choice(self, slot: Slot, text: str) -> bytes:
        """One of a draw's choices as this field writes it; YAML gives the names as text."""
        field = slot.leaf.field
        if not (is_integer(field) or is_float(field) or field.type == "number"):
            return self._templates.constant(slot.leaf, text, "draw")
        try:
            number = float(text) if is_float(field) else int(text, 0)
        except ValueError:
            self._templates.tell(
                slot.leaf, "draw", f"`{field.draw}` has `{text}`, which {field.type} can't hold"
            )
            return b""
        return self._templates.constant(slot.leaf, number, "draw")

    def _span(self, slot: Slot) -> tuple[Place, Place]:
        """The bytes that a length or a checksum covers."""
        field = slot.leaf.field
        start, end = Place(0, 0), self._layout.end
        if field.checksum is not None:
            end = slot.start
        elif field.length == "rest":
            start = slot.end
        named = field.length not in (None, "message", "rest", "fields")
        first = field.length if named else field.from_
        last = field.to or (field.length if named else None)
        for key, name in (("from", first), ("to", last)):
            span = self._layout.span(name) if name else None
            if name and span is None:
                where = "length" if named and name == field.length else key
                self._templates.tell(
                    slot.leaf, where, f"there is no field `{name}` in this message"
                )
            elif span is not None and key == "from":
                start = span[0]
            elif span is not None:
                end = span[1]
        if (end.chunk, end.at) < (start.chunk, start.at):
            self._templates.tell(slot.leaf, "to", "comes before `from`")
            return start, start
        return start, end

    def _form(self, slot: Slot) -> Format:
        field, width = slot.leaf.field, slot.width or 0
        if is_integer(field):
            return IntFormat(width, self._templates.order_of(field))
        return DecFormat(width, field.base or 10, justify_of(field), pad_of(field))

    def _length(self, slot: Slot) -> None:
        start, end = self._span(slot)
        plus = slot.leaf.field.plus
        if start.chunk != end.chunk:
            self._lengths.append(LengthOf(slot.at, self._form(slot), start, end, plus))
            return
        number = end.at - start.at + plus
        if number < 0:
            self._templates.tell(slot.leaf, "plus", f"makes the length {number}, which is below 0")
            return
        try:
            content = encode(slot.leaf.field, number, self._templates.order_of(slot.leaf.field))
        except WrongValueError as error:
            self._templates.tell(slot.leaf, "length", f"the length is {number}: {error}")
            return
        self._put(slot.at, content)

    def _checksum(self, slot: Slot) -> None:
        start, end = self._span(slot)
        kind = slot.leaf.field.checksum or ""
        self._checksums.append(ChecksumOf(slot.at, self._form(slot), kind, start, end))

    def _text(self, slot: Slot) -> None:
        field = slot.leaf.field
        text = f"session.{field.session}" if field.session else f"secret.{field.environment}"
        if field.environment:
            self._secret(slot.leaf, field.environment)
        if slot.width is None:
            self._inserts[slot.at.chunk] = text
            return
        justify, pad = justify_of(field), pad_of(field)
        self._patch(slot, TextPatch(slot.at.at, slot.width, justify, pad, text))

    def _secret(self, leaf: Leaf, variable: str) -> None:
        self._templates.secrets.setdefault(variable, (*leaf.path, "environment"))
        default = leaf.field.default
        if default is None:
            return
        known = self._templates.defaults.setdefault(variable, default)
        if known != default:
            self._templates.tell(leaf, "default", f"`{variable}` has another elsewhere: `{known}`")
        if not default and leaf.field.tag is not None:
            self._templates.tell(leaf, "default", "a tagged field can't be empty")


def narrowest(fits: list[Fits], natural: Mapping[str, tuple[int, int]]) -> dict[str, Fits]:
    """For each source the field that takes least, where that is less than there can be."""
    bounds: dict[str, tuple[int, int, Path]] = {}
    for one in fits:
        low, high = natural.get(one.source, (-(2**63), 2**64 - 1))
        known_low, known_high, path = bounds.get(one.source, (low, high, one.path))
        if one.low > known_low or one.high < known_high:
            path = one.path
        bounds[one.source] = (max(one.low, known_low), min(one.high, known_high), path)
    return {
        source: Fits(source, low, high, path)
        for source, (low, high, path) in bounds.items()
        if (low, high) != natural.get(source, (-(2**63), 2**64 - 1))
    }
