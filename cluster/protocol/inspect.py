"""Messages by the plan, in plain Python: an encoder and a decoder to look at, and to test by.

They share nothing with the native code but the plan, so each is a check of the other.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cluster.protocol.checksums import checksum
from cluster.protocol.frames import BrokenFrameError, frame_length, frame_max, said_in
from cluster.protocol.mistakes import WrongValueError
from cluster.protocol.plan import (
    Chunk,
    DecPatch,
    DecRead,
    FixFrame,
    FloatPatch,
    Format,
    IntFormat,
    IntPatch,
    IntRead,
    Match,
    Message,
    Patch,
    Place,
    ReadFormat,
    Reply,
    SymbolTable,
    TablePatch,
    TextPatch,
    TextRead,
    TypeFrame,
    UtcPatch,
    WirePlan,
)
from cluster.protocol.values import DIGITS, decimal_point, in_base
from cluster.units import NS_PER_MS, NS_PER_S, NS_PER_US

Values = Mapping[str, int | str]  # by source; texts by session.NAME and secret.NAME

_NS_PER: Final = {"ns": 1, "us": NS_PER_US, "ms": NS_PER_MS, "s": NS_PER_S}
FLOAT_BYTES: Final = 4  # of the shorter kind
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_DAY: Final = 86_400 * NS_PER_S


@dataclass(frozen=True)
class Decoded:
    """The first frame of some bytes: which reply it is (None: none of them), what was read."""

    length: int
    reply: Reply | None
    values: Mapping[str, int | str]


def encode(plan: WirePlan, message: Message, values: Values) -> bytes:
    """The message with these values; what is not given is 0 or empty.

    Raises:
        WrongValueError: a value does not fit its place.
    """
    chunks: list[bytearray] = []
    inserts: list[bytes] = []
    for chunk in message.chunks:
        chunks.append(_patched(plan, chunk, values))
        text = "" if chunk.insert is None else str(values.get(chunk.insert, ""))
        inserts.append(text.encode())
    for length in message.lengths:
        number = len(_between(chunks, inserts, length.start, length.end)) + length.add
        _write(chunks[length.at.chunk], length.at.at, length.format, number)
    for one in message.checksums:
        number = checksum(one.kind, _between(chunks, inserts, one.start, one.end))
        _write(chunks[one.at.chunk], one.at.at, one.format, number)
    return b"".join(bytes(chunk) + insert for chunk, insert in zip(chunks, inserts, strict=True))


def decode(plan: WirePlan, content: bytes) -> Decoded | None:
    """The first frame of `content`; None: it is not there in full.

    Raises:
        BrokenFrameError: this can't be a frame, whatever comes.
    """
    if isinstance(plan.frame, TypeFrame):
        return _decode_by_type(plan, content)
    length = frame_length(plan.frame, content)
    if length is None or length > len(content):
        return None
    frame = said_in(plan.frame, content[:length])
    for reply in plan.replies:
        if matches(plan, reply, frame):
            return Decoded(length, reply, read(plan, reply, frame))
    return Decoded(length, None, {})


def matches(plan: WirePlan, reply: Reply, frame: bytes) -> bool:
    """Whether a frame, without what only ends it, is this reply."""
    if len(frame) < reply.length or (reply.exact and len(frame) != reply.length):
        return False
    return not mismatches(plan, reply, frame)


def mismatches(plan: WirePlan, reply: Reply, frame: bytes) -> list[Match]:
    """The constants of a reply that are not there."""
    return [match for match in reply.matches if found_at(plan, match, frame) != match.expected]


def found_at(plan: WirePlan, match: Match, frame: bytes) -> bytes | None:
    """What stands where a constant should; with tags None when there is no such tag."""
    if isinstance(plan.frame, FixFrame):
        return tagged(frame).get(match.at)
    return frame[match.at : match.at + len(match.expected)]


def tagged(frame: bytes) -> dict[int, bytes]:
    """The fields of a FIX message by tag; of a tag that comes again, the first."""
    fields: dict[int, bytes] = {}
    for field in frame.split(b"\x01"):
        tag, equals, value = field.partition(b"=")
        if equals and tag.isdigit():
            fields.setdefault(int(tag), value)
    return fields


def read(plan: WirePlan, reply: Reply, frame: bytes) -> dict[str, int | str]:
    """What is taken from a frame that is this reply; what can't be read is left out."""
    values: dict[str, int | str] = {}
    for one in reply.reads:
        content = part(plan, one.format.at, one.format.width, frame)
        value = None if content is None else _read(one.format, content)
        if value is not None:
            values[one.what] = value
    return values


def part(plan: WirePlan, at: int, width: int, frame: bytes) -> bytes | None:
    """The bytes of one field. Width 0: the tag's value, or all up to the frame's end."""
    if isinstance(plan.frame, FixFrame):
        return tagged(frame).get(at)
    if not width:
        return frame[at:]
    content = frame[at : at + width]
    return content if len(content) == width else None


def _decode_by_type(plan: WirePlan, content: bytes) -> Decoded | None:
    for reply in plan.replies:
        frame = content[: reply.length]
        if len(frame) == reply.length and not mismatches(plan, reply, frame):
            return Decoded(reply.length, reply, read(plan, reply, frame))
    if len(content) >= frame_max(plan.frame):
        raise BrokenFrameError("does not begin like any reply")
    return None


def _patched(plan: WirePlan, chunk: Chunk, values: Values) -> bytearray:
    content = bytearray(chunk.template)
    for patch in chunk.patches:
        written = written_by(plan, patch, values)
        content[patch.at : patch.at + len(written)] = written
    return content


def written_by(plan: WirePlan, patch: Patch, values: Values) -> bytes:
    """The bytes that a patch puts at its place."""
    match patch:
        case IntPatch():
            number = _number(patch.source, values) * patch.scale + patch.add
            return _int_bytes(number, patch.width, patch.order)
        case DecPatch():
            return _dec_bytes(patch, _number(patch.source, values) * patch.scale + patch.add)
        case FloatPatch():
            code = ("<" if patch.order == "little" else ">") + (
                "f" if patch.width == FLOAT_BYTES else "d"
            )
            return struct.pack(code, _number(patch.source, values) * patch.factor)
        case TablePatch():
            return _entry(plan, patch, values)
        case UtcPatch():
            return utc_text(_number("time", values), patch.digits).encode()
        case TextPatch():
            text = str(values.get(patch.text, "")).encode()[: patch.width]
            justified = text.ljust if patch.justify == "left" else text.rjust
            return justified(patch.width, patch.pad)


def _entry(plan: WirePlan, patch: TablePatch, values: Values) -> bytes:
    table = plan.tables[patch.table]
    if isinstance(table, SymbolTable):
        return _symbol(table, str(values.get(patch.source, "")).encode())
    index = _number(patch.source, values)
    if not 0 <= index < table.count:
        raise WrongValueError(f"{patch.source} {index} is not in table {patch.table}")
    return table.entry(index)


def _symbol(table: SymbolTable, text: bytes) -> bytes:
    """A symbol of a file as its table has it; here its text is the value."""
    if len(text) > table.width:
        raise WrongValueError(f"a symbol of {len(text)} bytes does not fit into {table.width}")
    justified = text.ljust if table.justify == "left" else text.rjust
    return justified(table.width, table.pad)


def _number(source: str, values: Values) -> int:
    """The value of a source; time is given in ns since the epoch, whatever is asked for."""
    if source.startswith("time."):
        _, unit, since = source.split(".")
        time_ns = int(values.get("time", 0))
        return (time_ns % _NS_PER_DAY if since == "midnight" else time_ns) // _NS_PER[unit]
    return int(values.get(source, 0))


def _int_bytes(number: int, width: int, order: str) -> bytes:
    bits = 8 * width
    if not -(1 << (bits - 1)) <= number < 1 << bits:
        raise WrongValueError(f"{number} does not fit into {width} bytes")
    return (number % (1 << bits)).to_bytes(width, "little" if order == "little" else "big")


def _dec_bytes(patch: DecPatch, number: int) -> bytes:
    if number < 0:
        raise WrongValueError(f"{number} is below 0 and can't be written in digits")
    text = decimal_point(in_base(number, patch.base), patch.decimals).encode()
    if len(text) > patch.width:
        raise WrongValueError(f"{number} has more than {patch.width} characters")
    return (text.ljust if patch.justify == "left" else text.rjust)(patch.width, patch.pad)


def utc_text(time_ns: int, digits: int) -> str:
    """YYYYMMDD-HH:MM:SS, with so many digits of the second's fraction."""
    seconds, ns = divmod(time_ns, NS_PER_S)
    whole = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y%m%d-%H:%M:%S")
    return f"{whole}.{ns:09d}"[: len(whole) + 1 + digits] if digits else whole


def _between(chunks: list[bytearray], inserts: list[bytes], start: Place, end: Place) -> bytes:
    content = b""
    for index in range(start.chunk, end.chunk + 1):
        first = start.at if index == start.chunk else 0
        last = end.at if index == end.chunk else len(chunks[index])
        content += bytes(chunks[index][first:last])
        content += inserts[index] if index < end.chunk else b""
    return content


def _write(chunk: bytearray, at: int, form: Format, number: int) -> None:
    if isinstance(form, IntFormat):
        content = _int_bytes(number, form.width, form.order)
    else:
        digits = DecPatch(at, form.width, "", 1, 0, form.base, 0, form.justify, form.pad)
        content = _dec_bytes(digits, number)
    chunk[at : at + len(content)] = content


def _read(form: ReadFormat, content: bytes) -> int | str | None:
    match form:
        case IntRead():
            return int.from_bytes(content, form.order, signed=form.signed) * form.scale
        case DecRead():
            return _read_digits(form, content)
        case TextRead():
            return content.strip(form.pad or None).decode("latin-1")
    return _read_utc(content)


def _read_digits(form: DecRead, content: bytes) -> int | None:
    """Digits with pads around and one sign; a point puts the value into units of its last digit."""
    text = content.strip(form.pad if form.pad != b"0" else None).decode("latin-1").upper()
    negative = text.startswith("-")
    whole, point, fraction = text.lstrip("+-").partition(".")
    if point and not form.decimals:
        fraction = ""
    digits = whole + fraction[: form.decimals].ljust(form.decimals, "0")
    if not digits or any(digit not in DIGITS[: form.base] for digit in digits):
        return None
    number = int(digits, form.base) * form.scale
    return -number if negative else number


def _read_utc(content: bytes) -> int | None:
    text = content.decode("latin-1")
    try:
        whole = datetime.strptime(text[:17], "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    fraction = text[18:].ljust(9, "0")[:9]
    if not fraction.isdigit():
        return None
    return int((whole - _EPOCH).total_seconds()) * NS_PER_S + int(fraction)
