"""The plan: what a schema compiles to, statement by statement, as native code loads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Order = Literal["little", "big"]
Justify = Literal["left", "right"]

# What an order flow can ask for at all; a limit is written only where less than this fits.
NATURAL: Final[Mapping[str, tuple[int, int]]] = {
    "id": (0, 2**63 - 1),
    "price": (-(2**63), 2**63 - 1),
    "size": (0, 2**32 - 1),
    "symbol": (0, 2**32 - 1),
    "client": (0, 2**32 - 1),
}


# Frames: how one reply is told from the next in a stream of bytes.


@dataclass(frozen=True)
class FixedFrame:
    """Every frame has `size` bytes."""

    size: int


@dataclass(frozen=True)
class LengthFrame:
    """A number at `at` says it: the frame has that many bytes and `add` more."""

    at: int
    width: int
    order: Order
    add: int
    min: int
    max: int


@dataclass(frozen=True)
class TypeFrame:
    """A frame is as long as the message it turns out to be."""

    max: int


@dataclass(frozen=True)
class DelimiterFrame:
    """A frame ends with `end`."""

    end: bytes
    max: int


@dataclass(frozen=True)
class HeadFrame:
    """A head that ends with `end`, then the body; its length stands after `marker`."""

    end: bytes
    marker: bytes
    max: int


@dataclass(frozen=True)
class RespFrame:
    """A frame is one value of RESP."""

    max: int


@dataclass(frozen=True)
class FixFrame:
    """A frame is a FIX message that begins with `begin`."""

    begin: bytes
    max: int


Frame = FixedFrame | LengthFrame | TypeFrame | DelimiterFrame | HeadFrame | RespFrame | FixFrame


# Draws: random values.


@dataclass(frozen=True)
class UniformDraw:
    """Every whole number from `low` to `high`."""

    low: int
    high: int


@dataclass(frozen=True)
class NormalDraw:
    """Whole numbers around a mean, within bounds."""

    mean: float
    deviation: float
    low: int
    high: int


@dataclass(frozen=True)
class ZipfDraw:
    """0, 1, 2 … below `count`, the small ones more often."""

    count: int
    exponent: float


@dataclass(frozen=True)
class WeightedDraw:
    """0, 1, 2 … by weight."""

    weights: tuple[float, ...]


Draw = UniformDraw | NormalDraw | ZipfDraw | WeightedDraw


@dataclass(frozen=True)
class Table:
    """Entries of equal width, one after another."""

    width: int
    entries: bytes

    def entry(self, index: int) -> bytes:
        """The entry of a symbol, a client or a draw."""
        return self.entries[index * self.width : (index + 1) * self.width]

    @property
    def count(self) -> int:
        """How many entries there are."""
        return len(self.entries) // self.width


@dataclass(frozen=True)
class SymbolTable:
    """A table whose entries are the symbols of a file; native code fills it while it reads them."""

    width: int
    count: int
    pad: bytes
    justify: Justify


# Patches: what is written into a chunk's template for each message.


@dataclass(frozen=True)
class IntPatch:
    """A binary number: the source's value times scale + add."""

    at: int
    width: int
    order: Order
    source: str
    scale: int
    add: int


@dataclass(frozen=True)
class DecPatch:
    """Digits: value times scale + add, with a point before the last `decimals` of them."""

    at: int
    width: int
    source: str
    scale: int
    add: int
    base: int
    decimals: int
    justify: Justify
    pad: bytes


@dataclass(frozen=True)
class FloatPatch:
    """An IEEE 754 number: value times factor."""

    at: int
    width: int
    order: Order
    source: str
    factor: float


@dataclass(frozen=True)
class TablePatch:
    """The source's entry of a table."""

    at: int
    source: str
    table: int


@dataclass(frozen=True)
class UtcPatch:
    """The time as YYYYMMDD-HH:MM:SS, with so many digits of the second's fraction."""

    at: int
    digits: int


@dataclass(frozen=True)
class TextPatch:
    """A session's text or a credential in a field of fixed width."""

    at: int
    width: int
    justify: Justify
    pad: bytes
    text: str  # session.NAME or secret.NAME


Patch = IntPatch | DecPatch | FloatPatch | TablePatch | UtcPatch | TextPatch


@dataclass(frozen=True)
class IntFormat:
    """How a length or a checksum is written: as a binary number."""

    width: int
    order: Order


@dataclass(frozen=True)
class DecFormat:
    """How a length or a checksum is written: as digits."""

    width: int
    base: int
    justify: Justify
    pad: bytes


Format = IntFormat | DecFormat


@dataclass(frozen=True)
class Place:
    """A byte of a message: which chunk, and where in it."""

    chunk: int
    at: int


@dataclass(frozen=True)
class LengthOf:
    """A length that is known only when the inserted texts are: bytes of a span, and `add`."""

    at: Place
    format: Format
    start: Place
    end: Place
    add: int


@dataclass(frozen=True)
class ChecksumOf:
    """A checksum over a span, written after everything else."""

    at: Place
    format: Format
    kind: str
    start: Place
    end: Place


@dataclass(frozen=True)
class Chunk:
    """Bytes of fixed length and what is written into them; then perhaps a text of any length."""

    template: bytes
    patches: tuple[Patch, ...] = ()
    insert: str | None = None


@dataclass(frozen=True)
class Message:
    """A request, ready to be patched."""

    name: str
    answers_name: Literal["own", "target"]
    chunks: tuple[Chunk, ...]
    lengths: tuple[LengthOf, ...] = ()
    checksums: tuple[ChecksumOf, ...] = ()


# Replies.


@dataclass(frozen=True)
class Match:
    """Bytes that must stand there; `at` is the tag with fix, and they are the whole value."""

    at: int
    expected: bytes


@dataclass(frozen=True)
class IntRead:
    """A binary number of a reply."""

    at: int
    width: int
    order: Order
    signed: bool
    scale: int


@dataclass(frozen=True)
class DecRead:
    """Digits of a reply. Width 0: to the end of the value or of the frame."""

    at: int
    width: int
    base: int
    decimals: int
    pad: bytes
    scale: int


@dataclass(frozen=True)
class TextRead:
    """Text of a reply, kept."""

    at: int
    width: int
    pad: bytes


@dataclass(frozen=True)
class UtcRead:
    """A time of a reply as YYYYMMDD-HH:MM:SS.fff."""

    at: int
    width: int


ReadFormat = IntRead | DecRead | TextRead | UtcRead


@dataclass(frozen=True)
class Read:
    """What is taken from a reply, and how it is written there."""

    what: str  # id, reason, executed, …, keep.NAME
    format: ReadFormat


@dataclass(frozen=True)
class Reply:
    """A message that may come, and what it means."""

    name: str
    means: str
    length: int
    exact: bool
    names: Literal["request", "order"]
    matches: tuple[Match, ...]
    reads: tuple[Read, ...]


@dataclass(frozen=True)
class SendRule:
    """Which message carries out an action."""

    action: Literal["new", "replace", "cancel"]
    kind: str  # limit, market, immediate_or_cancel for new; empty for the others
    side: Literal["buy", "sell"]
    message: str


@dataclass(frozen=True)
class TimedMessage:
    """A session message, and the time that goes with it."""

    message: str
    ns: int


@dataclass(frozen=True)
class SessionRules:
    """What goes on around the orders."""

    logon: TimedMessage | None = None
    heartbeat: TimedMessage | None = None
    silence_ns: int | None = None
    answers: tuple[tuple[str, str], ...] = ()  # (reply, message)
    logout: TimedMessage | None = None
    first_sequence: int | None = None


@dataclass(frozen=True)
class WirePlan:
    """Everything native code needs to know about a protocol."""

    correlation: Literal["id", "order"]
    timed: Literal["first", "last"]
    engine_clock: Literal["epoch", "midnight"]
    frame: Frame
    messages: tuple[Message, ...]
    sends: tuple[SendRule, ...]
    replies: tuple[Reply, ...]
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    tables: tuple[Table | SymbolTable, ...] = ()
    symbol_names: tuple[str, ...] = ()  # what the symbols of a file must be, by number
    draws: tuple[Draw, ...] = ()
    session: SessionRules = SessionRules()

    def message(self, name: str) -> Message:
        """The message of this name."""
        return next(message for message in self.messages if message.name == name)
