"""Messages for people: bytes with the field that each belongs to and what it says there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cluster.protocol.compile import Compiled
from cluster.protocol.expand import Leaf
from cluster.protocol.frames import said_in
from cluster.protocol.inspect import Values, encode, tagged
from cluster.protocol.layout import Layout, Slot
from cluster.protocol.plan import FixFrame, Message, Place, Reply
from cluster.protocol.replies import Placed
from cluster.protocol.values import implied_width, is_float, is_integer, is_signed

MASKED: Final = "not shown"
BYTES_PER_LINE: Final = 8


@dataclass(frozen=True)
class Line:
    """One field of a message."""

    offset: int
    content: bytes
    field: str
    value: str
    masked: bool = False  # its bytes are a credential

    @property
    def hex(self) -> str:
        """Its bytes; those of a credential as stars."""
        return " ".join("**" for _ in self.content) if self.masked else self.content.hex(" ")


@dataclass(frozen=True)
class Dump:
    """A whole message."""

    name: str
    length: int
    lines: tuple[Line, ...]

    def as_text(self, beside: "Dump | None" = None) -> list[str]:
        """The lines of a table; beside another message only those that differ."""
        lines = self.lines
        note = ""
        if beside is not None and [line.field for line in beside.lines] == [
            line.field for line in self.lines
        ]:
            lines = tuple(
                mine for mine, other in zip(self.lines, beside.lines, strict=True) if mine != other
            )
            note = f", as {beside.name} but"
        name_width = max((len(line.field) for line in self.lines), default=0)
        return [
            f"{self.name}: {self.length} bytes{note}",
            *(text for line in lines for text in _rows(line, name_width)),
        ]


def request_dump(compiled: Compiled, message: Message, values: Values) -> Dump:
    """A request with these values."""
    content = encode(compiled.plan, message, values)
    layout = compiled.layouts[message.name]
    starts = _chunk_starts(message, values)
    lines = []
    for slot in layout.slots:
        first, last = _offset(starts, slot.start), _offset(starts, slot.end)
        written = content[first:last]
        value = written[len(slot.before) : len(written) - len(slot.after)]
        said = _said(slot, value, values, compiled)
        masked = slot.leaf.field.environment is not None
        lines.append(Line(first, written, slot.leaf.name, said, masked))
    return Dump(message.name, len(content), tuple(_with_gaps(lines, content, layout)))


def reply_dump(
    compiled: Compiled, reply: Reply, frame: bytes, values: Mapping[str, int | str]
) -> Dump:
    """A whole frame that was taken for this reply."""
    placed = compiled.placed[reply.name.partition("/")[0]]
    if isinstance(compiled.plan.frame, FixFrame):
        lines = list(_tagged_lines(frame, placed, values, compiled))
    else:
        said = said_in(compiled.plan.frame, frame)
        lines = [_reply_line(one, said, values, compiled) for one in placed]
        lines = sorted(_with_rest(lines, frame), key=lambda line: line.offset)
    return Dump(reply.name, len(frame), tuple(lines))


def bytes_dump(name: str, content: bytes) -> Dump:
    """Bytes of which nothing is known."""
    text = content.decode("ascii", "replace")
    value = text if text.isprintable() and text.isascii() else ""
    return Dump(name, len(content), (Line(0, content, "", value),))


def _rows(line: Line, name_width: int) -> Iterator[str]:
    cells = line.hex.split(" ") if line.content else []
    for start in range(0, max(1, len(cells)), BYTES_PER_LINE):
        shown = " ".join(cells[start : start + BYTES_PER_LINE])
        about = f"{line.field:<{name_width}}  {line.value}" if start == 0 else ""
        yield f"  {line.offset + start:>5}  {shown:<{3 * BYTES_PER_LINE - 1}}  {about}".rstrip()


def _chunk_starts(message: Message, values: Values) -> list[int]:
    starts = [0]
    for chunk in message.chunks:
        text = "" if chunk.insert is None else str(values.get(chunk.insert, ""))
        starts.append(starts[-1] + len(chunk.template) + len(text.encode()))
    return starts


def _offset(starts: Sequence[int], place: Place) -> int:
    return starts[place.chunk] + place.at


def _said(  # noqa: PLR0911 - one for each kind of content
    slot: Slot, content: bytes, values: Values, compiled: Compiled
) -> str:
    """What a field of a request says, in words."""
    field = slot.leaf.field
    if field.environment is not None:
        return f"{MASKED}, from {field.environment}"
    if field.session is not None:
        return f"{values.get(f'session.{field.session}', '')} (kept as {field.session})"
    value = plain_value(slot.leaf, content, compiled)
    if field.value is not None:
        said = f"{field.value} {values.get(field.value, 0)}"
        changed = field.scale is not None or field.add or field.value == "symbol"
        if field.type == "utc_text":
            return value  # says it better than nanoseconds do
        if is_float(field) or (is_integer(field) and not changed):
            return said
        return f"{value}, {said}"
    if slot.leaf.mapped:
        return slot.leaf.mapped
    if field.draw is not None:
        return f"{value}, drawn from {field.draw}"
    if field.checksum is not None:
        return f"{value}, {field.checksum}"
    if field.length is not None:
        what = {
            "message": "bytes of the message",
            "rest": "bytes after it",
            "fields": f"bytes from {field.from_} to {field.to}",
        }
        return f"{value} {what.get(field.length, f'bytes of {field.length}')}"
    return value


def _with_gaps(lines: Sequence[Line], content: bytes, layout: Layout) -> Iterator[Line]:
    """The fields in the order of their bytes, and what is between them."""
    at = 0
    for line in sorted(lines, key=lambda one: one.offset):
        if line.offset > at:
            yield Line(at, content[at : line.offset], "", "filled")
        yield line
        at = max(at, line.offset + len(line.content))
    if at < len(content):
        yield Line(at, content[at:], "", "filled" if len(layout.lengths) == 1 else "")


def _with_rest(lines: Sequence[Line], frame: bytes) -> list[Line]:
    at = 0
    found = []
    for line in sorted(lines, key=lambda one: one.offset):
        if line.offset > at:
            found.append(Line(at, frame[at : line.offset], "", ""))
        found.append(line)
        at = max(at, line.offset + len(line.content))
    return [*found, Line(at, frame[at:], "", "")] if at < len(frame) else found


def _reply_line(
    placed: Placed, frame: bytes, values: Mapping[str, int | str], compiled: Compiled
) -> Line:
    leaf, at, width = placed
    content = frame[at : at + width] if width else frame[at:]
    return Line(at, content, leaf.name, _heard(leaf, content, values, compiled))


def _tagged_lines(
    frame: bytes, placed: Sequence[Placed], values: Mapping[str, int | str], compiled: Compiled
) -> Iterator[Line]:
    known = {at: leaf for leaf, at, _ in placed}
    at = 0
    for part in frame.split(b"\x01"):
        content = frame[at : at + len(part) + 1]
        if not content:
            continue
        tag = next(iter(tagged(part)), 0)
        leaf = known.get(tag)
        text = part.partition(b"=")[2]
        value = text.decode("latin-1") if leaf is None else _heard(leaf, text, values, compiled)
        yield Line(at, content, leaf.name if leaf else f"tag {tag}", value)
        at += len(content)


def _heard(leaf: Leaf, content: bytes, values: Mapping[str, int | str], compiled: Compiled) -> str:
    """What a field of a reply says, in words."""
    field = leaf.field
    if field.value is not None:
        name = {"executed_size": "executed", "remaining_size": "remaining"}.get(
            field.value, field.value
        )
        value = values.get(name, "unreadable")
        reason = next((n for n, code in (field.map or {}).items() if str(code) == str(value)), "")
        return f"{field.value} {value}" + (f" ({reason})" if reason else "")
    if field.keep is not None:
        return f"{values.get(f'keep.{field.keep}', '')} (kept as {field.keep})"
    return plain_value(leaf, content, compiled)


def plain_value(leaf: Leaf, content: bytes, compiled: Compiled) -> str:
    """Bytes as the type of their field has them."""
    field = leaf.field
    if is_integer(field) and len(content) == implied_width(field):
        order = field.byte_order or compiled.byte_order
        return str(int.from_bytes(content, order, signed=is_signed(field)))
    if is_float(field) or field.type == "bytes":
        return ""
    return repr(content.decode("latin-1"))[1:-1]
