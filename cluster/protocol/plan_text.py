"""The plan as text: one statement per line, tokens by single spaces, bytes in hex."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cluster.protocol.plan import (
    Chunk,
    DecFormat,
    DecPatch,
    DecRead,
    DelimiterFrame,
    Draw,
    FixedFrame,
    FixFrame,
    FloatPatch,
    Format,
    Frame,
    HeadFrame,
    IntFormat,
    IntPatch,
    IntRead,
    LengthFrame,
    Message,
    NormalDraw,
    Patch,
    ReadFormat,
    Reply,
    RespFrame,
    SendRule,
    SessionRules,
    SymbolTable,
    Table,
    TablePatch,
    TextPatch,
    TextRead,
    TypeFrame,
    UniformDraw,
    UtcPatch,
    UtcRead,
    WeightedDraw,
    WirePlan,
    ZipfDraw,
)

HEADING: Final = "loadcluster-plan 1"
LIMITS_WRITTEN: Final = ("id", "price", "size", "symbol", "client")


def write_plan(plan: WirePlan) -> str:
    """The text of `plan`; reading it back gives an equal plan."""
    return "".join(f"{line}\n" for line in _lines(plan))


def _lines(plan: WirePlan) -> Iterator[str]:
    yield HEADING
    yield f"correlation {plan.correlation}"
    yield f"timed {plan.timed}"
    yield f"engine_clock {plan.engine_clock}"
    yield f"frame {_frame(plan.frame)}"
    for source in LIMITS_WRITTEN:
        if source in plan.limits:
            low, high = plan.limits[source]
            yield f"limit {source} {low} {high}"
    for index, table in enumerate(plan.tables):
        yield f"table {index} {table.width} {_table(table)}"
    if plan.symbol_names:
        yield f"symbols {' '.join(_hex(name.encode()) for name in plan.symbol_names)}"
    for index, draw in enumerate(plan.draws):
        yield f"draw {index} {_draw(draw)}"
    for message in plan.messages:
        yield from _message(message)
    for rule in plan.sends:
        yield f"send {_send(rule)}"
    for reply in plan.replies:
        yield from _reply(reply)
    yield from _session(plan.session)


def _frame(frame: Frame) -> str:  # noqa: PLR0911 - one for each kind
    match frame:
        case FixedFrame():
            return f"fixed {frame.size}"
        case LengthFrame():
            where = f"{frame.at} {frame.width} {frame.order}"
            return f"length {where} {frame.add} {frame.min} {frame.max}"
        case TypeFrame():
            return f"type {frame.max}"
        case DelimiterFrame():
            return f"delimiter {_hex(frame.end)} {frame.max}"
        case HeadFrame():
            return f"head {_hex(frame.end)} {_hex(frame.marker)} {frame.max}"
        case RespFrame():
            return f"resp {frame.max}"
        case FixFrame():
            return f"fix {_hex(frame.begin)} {frame.max}"


def _table(table: Table | SymbolTable) -> str:
    if isinstance(table, Table):
        return _hex(table.entries)
    return f"symbols {table.count} {_hex(table.pad)} {table.justify}"


def _draw(draw: Draw) -> str:
    match draw:
        case UniformDraw():
            return f"uniform {draw.low} {draw.high}"
        case NormalDraw():
            shape = f"{_decimal(draw.mean)} {_decimal(draw.deviation)}"
            return f"normal {shape} {draw.low} {draw.high}"
        case ZipfDraw():
            return f"zipf {draw.count} {_decimal(draw.exponent)}"
        case WeightedDraw():
            return f"weighted {' '.join(_decimal(weight) for weight in draw.weights)}"


def _message(message: Message) -> Iterator[str]:
    yield f"message {message.name} {message.answers_name}"
    for chunk in message.chunks:
        yield from _chunk(chunk)
    for length in message.lengths:
        span = f"{length.start.chunk} {length.start.at} {length.end.chunk} {length.end.at}"
        where = f"{length.at.chunk} {length.at.at} {_format(length.format)}"
        yield f"  length {where} {span} {length.add}"
    for checksum in message.checksums:
        span = f"{checksum.start.chunk} {checksum.start.at} {checksum.end.chunk} {checksum.end.at}"
        where = f"{checksum.at.chunk} {checksum.at.at} {_format(checksum.format)}"
        yield f"  checksum {where} {checksum.kind} {span}"
    yield "end"


def _chunk(chunk: Chunk) -> Iterator[str]:
    yield f"  bytes {_hex(chunk.template)}"
    for patch in chunk.patches:
        yield f"  {_patch(patch)}"
    if chunk.insert is not None:
        yield f"  insert {chunk.insert}"


def _patch(patch: Patch) -> str:
    match patch:
        case IntPatch():
            how = f"{patch.source} {patch.scale} {patch.add}"
            return f"int {patch.at} {patch.width} {patch.order} {how}"
        case DecPatch():
            how = f"{patch.scale} {patch.add} {patch.base} {patch.decimals}"
            where = f"{patch.at} {patch.width} {patch.source}"
            return f"dec {where} {how} {patch.justify} {_hex(patch.pad)}"
        case FloatPatch():
            how = f"{patch.source} {_decimal(patch.factor)}"
            return f"float {patch.at} {patch.width} {patch.order} {how}"
        case TablePatch():
            return f"table {patch.at} {patch.source} {patch.table}"
        case UtcPatch():
            return f"utc {patch.at} {patch.digits}"
        case TextPatch():
            how = f"{patch.justify} {_hex(patch.pad)} {patch.text}"
            return f"text {patch.at} {patch.width} {how}"


def _format(form: Format) -> str:
    match form:
        case IntFormat():
            return f"int {form.width} {form.order}"
        case DecFormat():
            return f"dec {form.width} {form.base} {form.justify} {_hex(form.pad)}"


def _send(rule: SendRule) -> str:
    kind = f" {rule.kind}" if rule.kind else ""
    return f"{rule.action}{kind} {rule.side} {rule.message}"


def _reply(reply: Reply) -> Iterator[str]:
    bound = "exact" if reply.exact else "least"
    yield f"reply {reply.name} {reply.means} {reply.length} {bound} {reply.names}"
    for match in reply.matches:
        yield f"  match {match.at} {_hex(match.expected)}"
    for read in reply.reads:
        yield f"  read {read.what} {_read(read.format)}"
    yield "end"


def _read(form: ReadFormat) -> str:
    match form:
        case IntRead():
            sign = "signed" if form.signed else "unsigned"
            return f"int {form.at} {form.width} {form.order} {sign} {form.scale}"
        case DecRead():
            how = f"{form.base} {form.decimals} {_hex(form.pad)} {form.scale}"
            return f"dec {form.at} {form.width} {how}"
        case TextRead():
            return f"text {form.at} {form.width} {_hex(form.pad)}"
        case UtcRead():
            return f"utc {form.at} {form.width}"


def _session(session: SessionRules) -> Iterator[str]:
    if session.logon is not None:
        yield f"session logon {session.logon.message} {session.logon.ns}"
    if session.heartbeat is not None:
        yield f"session heartbeat {session.heartbeat.message} {session.heartbeat.ns}"
    if session.silence_ns is not None:
        yield f"session silence {session.silence_ns}"
    for reply, message in session.answers:
        yield f"session answer {reply} {message}"
    if session.logout is not None:
        yield f"session logout {session.logout.message} {session.logout.ns}"
    if session.first_sequence is not None:
        yield f"session sequence {session.first_sequence}"


def _hex(content: bytes) -> str:
    return content.hex() or "-"


def _decimal(number: float) -> str:
    """Digits and a point, without an exponent, and the same number when read back."""
    text = format(Decimal(repr(number)), "f")
    return text.removesuffix(".0")
