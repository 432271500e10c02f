"""A plan read back from its text: an independent reader of what native code loads."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from cluster.protocol.plan import (
    ChecksumOf,
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
    LengthOf,
    Match,
    Message,
    NormalDraw,
    Patch,
    Place,
    Read,
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
    TimedMessage,
    TypeFrame,
    UniformDraw,
    UtcPatch,
    UtcRead,
    WeightedDraw,
    WirePlan,
    ZipfDraw,
)
from cluster.protocol.plan_text import HEADING


class PlanTextError(ValueError):
    """The text is not a plan; names the line."""


class Tokens:
    """The words of a statement, one after another."""

    def __init__(self, line: str) -> None:
        self._words = line.split(" ")
        self._next = 0

    def word(self) -> Any:  # noqa: ANN401 - one of the statement's fixed words
        """The next word."""
        self._next += 1
        return self._words[self._next - 1]

    def number(self) -> int:
        """The next word as a whole number."""
        return int(self.word())

    def numbers(self, count: int) -> list[int]:
        """The next words as whole numbers."""
        return [self.number() for _ in range(count)]

    def decimal(self) -> float:
        """The next word as a number."""
        return float(self.word())

    def content(self) -> bytes:
        """The next word as bytes."""
        word = self.word()
        return b"" if word == "-" else bytes.fromhex(word)

    def rest(self) -> list[str]:
        """All words that are left."""
        rest, self._next = self._words[self._next :], len(self._words)
        return rest

    @property
    def is_empty(self) -> bool:
        """Whether all words were used."""
        return self._next >= len(self._words)


def read_plan(text: str) -> WirePlan:
    """The plan that `text` says.

    Raises:
        PlanTextError: it says none.
    """
    lines = text.splitlines()
    if lines[:1] != [HEADING]:
        raise PlanTextError(f"line 1: must be `{HEADING}`")
    reader = _Reader()
    for number, line in enumerate(lines[1:], 2):
        tokens = Tokens(line.strip())
        try:
            reader.take(tokens)
        except (ValueError, IndexError, KeyError, TypeError) as error:
            raise PlanTextError(f"line {number}: {line.strip()!r}: {error}") from None
        if not tokens.is_empty:
            raise PlanTextError(f"line {number}: {line.strip()!r}: says more than it should")
    return reader.plan()


class _Reader:
    def __init__(self) -> None:
        self._heads: dict[str, Any] = {}
        self._limits: dict[str, tuple[int, int]] = {}
        self._tables: list[Table | SymbolTable] = []
        self._symbol_names: tuple[str, ...] = ()
        self._draws: list[Draw] = []
        self._messages: list[Message] = []
        self._sends: list[SendRule] = []
        self._replies: list[Reply] = []
        self._session = SessionRules()
        self._message: Message | None = None
        self._reply: Reply | None = None

    def take(self, tokens: Tokens) -> None:
        """One statement."""
        keyword = tokens.word()
        if keyword == "end":
            self._end()
        elif self._message is not None:
            self._message = _in_message(self._message, keyword, tokens)
        elif self._reply is not None:
            self._reply = _in_reply(self._reply, keyword, tokens)
        else:
            self._top(keyword, tokens)

    def plan(self) -> WirePlan:
        """What was said."""
        return WirePlan(
            **self._heads,
            messages=tuple(self._messages),
            sends=tuple(self._sends),
            replies=tuple(self._replies),
            limits=self._limits,
            tables=tuple(self._tables),
            symbol_names=self._symbol_names,
            draws=tuple(self._draws),
            session=self._session,
        )

    def _end(self) -> None:
        if self._message is not None:
            self._messages.append(self._message)
        elif self._reply is not None:
            self._replies.append(self._reply)
        self._message = self._reply = None

    def _top(self, keyword: str, tokens: Tokens) -> None:
        match keyword:
            case "correlation" | "timed" | "engine_clock":
                self._heads[keyword] = tokens.word()
            case "frame":
                self._heads["frame"] = FRAMES[tokens.word()](tokens)
            case "limit":
                source = tokens.word()
                self._limits[source] = (tokens.number(), tokens.number())
            case "table" | "symbols":
                self._texts(keyword, tokens)
            case "draw":
                tokens.number()
                self._draws.append(DRAWS[tokens.word()](tokens))
            case "message":
                self._message = Message(tokens.word(), tokens.word(), ())
            case "reply":
                name, means, length = tokens.word(), tokens.word(), tokens.number()
                exact = tokens.word() == "exact"
                self._reply = Reply(name, means, length, exact, tokens.word(), (), ())
            case "send":
                action = tokens.word()
                kind = tokens.word() if action == "new" else ""
                self._sends.append(SendRule(action, kind, tokens.word(), tokens.word()))
            case "session":
                self._session = _in_session(self._session, tokens.word(), tokens)
            case _:
                raise ValueError(f"`{keyword}` is no statement")

    def _texts(self, keyword: str, tokens: Tokens) -> None:
        if keyword == "table":
            tokens.number()
            self._tables.append(_table(tokens))
        else:
            names = tokens.rest()
            self._symbol_names = tuple(bytes.fromhex(name).decode() for name in names)


def _in_message(message: Message, keyword: str, tokens: Tokens) -> Message:
    match keyword:
        case "bytes":
            return replace(message, chunks=(*message.chunks, Chunk(tokens.content())))
        case "length":
            at, form = Place(tokens.number(), tokens.number()), _format(tokens)
            start, end = Place(*tokens.numbers(2)), Place(*tokens.numbers(2))
            length = LengthOf(at, form, start, end, tokens.number())
            return replace(message, lengths=(*message.lengths, length))
        case "checksum":
            at, form = Place(tokens.number(), tokens.number()), _format(tokens)
            kind, start, end = tokens.word(), Place(*tokens.numbers(2)), Place(*tokens.numbers(2))
            checksum = ChecksumOf(at, form, kind, start, end)
            return replace(message, checksums=(*message.checksums, checksum))
    *before, chunk = message.chunks
    if keyword == "insert":
        chunk = replace(chunk, insert=tokens.word())
    else:
        chunk = replace(chunk, patches=(*chunk.patches, PATCHES[keyword](tokens)))
    return replace(message, chunks=(*before, chunk))


def _in_reply(reply: Reply, keyword: str, tokens: Tokens) -> Reply:
    if keyword == "match":
        match = Match(tokens.number(), tokens.content())
        return replace(reply, matches=(*reply.matches, match))
    if keyword == "read":
        read = Read(tokens.word(), READS[tokens.word()](tokens))
        return replace(reply, reads=(*reply.reads, read))
    raise ValueError(f"`{keyword}` is no statement of a reply")


def _in_session(session: SessionRules, keyword: str, tokens: Tokens) -> SessionRules:
    match keyword:
        case "logon" | "heartbeat" | "logout":
            timed = TimedMessage(tokens.word(), tokens.number())
            changes: dict[str, Any] = {keyword: timed}
        case "silence":
            changes = {"silence_ns": tokens.number()}
        case "answer":
            changes = {"answers": (*session.answers, (tokens.word(), tokens.word()))}
        case "sequence":
            changes = {"first_sequence": tokens.number()}
        case _:
            raise ValueError(f"`{keyword}` is no statement of a session")
    return replace(session, **changes)


def _table(tokens: Tokens) -> Table | SymbolTable:
    width, entries = tokens.number(), tokens.word()
    if entries != "symbols":
        return Table(width, bytes.fromhex(entries))
    return SymbolTable(width, tokens.number(), tokens.content(), tokens.word())


def _format(tokens: Tokens) -> Format:
    if tokens.word() == "int":
        return IntFormat(tokens.number(), tokens.word())
    return DecFormat(tokens.number(), tokens.number(), tokens.word(), tokens.content())


def _length_frame(tokens: Tokens) -> LengthFrame:
    at, width, order = tokens.number(), tokens.number(), tokens.word()
    return LengthFrame(at, width, order, *tokens.numbers(3))


def _dec_patch(tokens: Tokens) -> DecPatch:
    at, width, source = tokens.number(), tokens.number(), tokens.word()
    scale, add, base, decimals = tokens.numbers(4)
    justify, pad = tokens.word(), tokens.content()
    return DecPatch(at, width, source, scale, add, base, decimals, justify, pad)


def _int_patch(tokens: Tokens) -> IntPatch:
    at, width, order, source = tokens.number(), tokens.number(), tokens.word(), tokens.word()
    return IntPatch(at, width, order, source, tokens.number(), tokens.number())


def _float_patch(tokens: Tokens) -> FloatPatch:
    at, width, order, source = tokens.number(), tokens.number(), tokens.word(), tokens.word()
    return FloatPatch(at, width, order, source, tokens.decimal())


def _text_patch(tokens: Tokens) -> TextPatch:
    at, width, justify = tokens.number(), tokens.number(), tokens.word()
    return TextPatch(at, width, justify, tokens.content(), tokens.word())


def _int_read(tokens: Tokens) -> IntRead:
    at, width, order = tokens.number(), tokens.number(), tokens.word()
    return IntRead(at, width, order, signed=tokens.word() == "signed", scale=tokens.number())


def _dec_read(tokens: Tokens) -> DecRead:
    at, width, base, decimals = tokens.numbers(4)
    return DecRead(at, width, base, decimals, tokens.content(), tokens.number())


FRAMES: Final[dict[str, Callable[[Tokens], Frame]]] = {
    "fixed": lambda tokens: FixedFrame(tokens.number()),
    "length": _length_frame,
    "type": lambda tokens: TypeFrame(tokens.number()),
    "delimiter": lambda tokens: DelimiterFrame(tokens.content(), tokens.number()),
    "head": lambda tokens: HeadFrame(tokens.content(), tokens.content(), tokens.number()),
    "resp": lambda tokens: RespFrame(tokens.number()),
    "fix": lambda tokens: FixFrame(tokens.content(), tokens.number()),
}
DRAWS: Final[dict[str, Callable[[Tokens], Draw]]] = {
    "uniform": lambda tokens: UniformDraw(tokens.number(), tokens.number()),
    "normal": lambda tokens: NormalDraw(
        tokens.decimal(), tokens.decimal(), tokens.number(), tokens.number()
    ),
    "zipf": lambda tokens: ZipfDraw(tokens.number(), tokens.decimal()),
    "weighted": lambda tokens: WeightedDraw(tuple(map(float, tokens.rest()))),
}
PATCHES: Final[dict[str, Callable[[Tokens], Patch]]] = {
    "int": _int_patch,
    "dec": _dec_patch,
    "float": _float_patch,
    "table": lambda tokens: TablePatch(tokens.number(), tokens.word(), tokens.number()),
    "utc": lambda tokens: UtcPatch(tokens.number(), tokens.number()),
    "text": _text_patch,
}
READS: Final[dict[str, Callable[[Tokens], ReadFormat]]] = {
    "int": _int_read,
    "dec": _dec_read,
    "text": lambda tokens: TextRead(tokens.number(), tokens.number(), tokens.content()),
    "utc": lambda tokens: UtcRead(tokens.number(), tokens.number()),
}
