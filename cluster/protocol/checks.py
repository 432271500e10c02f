"""Whether the messages of a schema go together: ids, answers, framing, the session."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from cluster.document.path import Path
from cluster.protocol.expand import Leaf
from cluster.protocol.frames import BrokenFrameError, frame_length
from cluster.protocol.inspect import encode
from cluster.protocol.mistakes import Mistakes, WrongValueError
from cluster.protocol.model import ORDER_MEANS, Schema
from cluster.protocol.plan import (
    DelimiterFrame,
    Draw,
    FixedFrame,
    FixFrame,
    Frame,
    LengthFrame,
    Message,
    NormalDraw,
    Reply,
    SymbolTable,
    TypeFrame,
    UniformDraw,
    WeightedDraw,
    WirePlan,
)
from cluster.protocol.replies import ReadyReply
from cluster.protocol.rules import OF_ORDERS
from cluster.protocol.templates import Fits

# The last time that must fit: the end of the year 2100, since 1970 and since midnight.
_TIME_MAX_S: Final = {"epoch": 4_133_980_800, "midnight": 86_400}
_PER_S: Final = {"ns": 10**9, "us": 10**6, "ms": 10**3, "s": 1}

# What native code has room for.
PLAN_BYTES_MAX: Final = 4 * 1024 * 1024
PLAN_LINES_MAX: Final = 10_000
CHUNKS_MAX: Final = 16
TAGS_MAX: Final = 64
TEXTS_MAX: Final = 16
SYMBOL_BYTES_MAX: Final = 64 * 1024 * 1024


def check_orders(
    schema: Schema, uses: Mapping[str, set[str]], leaves: Mapping[str, list[Leaf]], told: Mistakes
) -> None:
    """What order requests must have: ids that replies can name, targets only where there are some.

    Args:
        schema: What is checked.
        uses: By request, the actions that it carries out: new, replace, cancel, session.
        leaves: By request, its fields.
        told: Where mistakes go.
    """
    for name, actions in uses.items():
        if "new" in actions:
            _check_new(schema, name, leaves[name], told)
        if "session" in actions:
            _check_of_session(name, leaves[name], told)
        elif schema.correlation == "id":
            named = "id" if schema.requests[name].answers_name == "request" else "target"
            if named not in {leaf.field.value for leaf in leaves[name]}:
                told.add(
                    ("requests", name),
                    f"has no field with `value: {named}`, by which replies could name it "
                    "(`correlation: id`)",
                )


def _check_new(schema: Schema, name: str, leaves: Sequence[Leaf], told: Mistakes) -> None:
    if schema.requests[name].answers_name == "target":
        told.add(
            ("requests", name, "answers_name"), "a new order has no target that answers could name"
        )
    for leaf in leaves:
        if leaf.field.value == "target":
            told.add(
                (*leaf.path, "value"), "a new order has no target: only replace and cancel have"
            )


def _check_of_session(name: str, leaves: Sequence[Leaf], told: Mistakes) -> None:
    for leaf in leaves:
        if leaf.field.value in OF_ORDERS:
            told.add(
                (*leaf.path, "value"),
                f"`{leaf.field.value}` is of an order, and `{name}` is sent by the session",
            )


def check_replies(schema: Schema, leaves: Mapping[str, list[Leaf]], told: Mistakes) -> None:
    """That orders can be answered, and by whom."""
    means = {reply.means for reply in schema.replies.values()}
    for needed in ("accepted", "rejected"):
        if needed not in means:
            told.add(("replies",), f"no reply means `{needed}`, so no order could be {needed}")
    for name, reply in schema.replies.items():
        sources = {leaf.field.value for leaf in leaves[name]}
        if schema.correlation == "id" and reply.means in ORDER_MEANS and "id" not in sources:
            told.add(
                ("replies", name),
                f"means `{reply.means}` and does not say of which order: it has no field with "
                "`value: id`",
            )
    session = schema.session
    if session is not None:
        if session.logon is not None and "logged_on" not in means:
            told.add(("session", "logon"), "no reply means `logged_on`, so it could not succeed")
        for name in session.answer:
            if name not in schema.replies:
                known = ", ".join(f"`{one}`" for one in schema.replies)
                told.add(("session", "answer", name), f"there is no such reply; there are {known}")


def check_request_frames(
    plan: WirePlan, frame: Frame, messages: Iterable[Message], told: Mistakes
) -> None:
    """The framing, applied to each request, must give that request."""
    for message in messages:
        path: Path = ("requests", message.name.partition("/")[0])
        if len(message.chunks) > CHUNKS_MAX:
            told.add(path, f"has more than {CHUNKS_MAX - 1} texts of any length")
            continue
        try:
            content = encode(plan, message, _samples(plan))
            length = frame_length(frame, content)
        except WrongValueError:
            continue  # told as what does not fit
        except BrokenFrameError as error:
            told.add(path, f"does not go with `framing`: {error}")
            continue
        if not isinstance(frame, TypeFrame) and length != len(content):
            says = "does not find its end" if length is None else f"says {length}"
            advice = (
                ": do its `counts` and `plus` go with the field that has the `length`?"
                if isinstance(frame, LengthFrame)
                else ""
            )
            told.add(path, f"has {len(content)} bytes, and `framing` {says}{advice}")


def check_reply_frames(frame: Frame, ready: Sequence[ReadyReply], told: Mistakes) -> None:
    """The framing must let each reply through."""
    for one in ready:
        sentence = _unframed(frame, one)
        if sentence:
            told.add(one.path, sentence)


def _unframed(frame: Frame, one: ReadyReply) -> str:
    reply = one.reply
    match frame:
        case LengthFrame():
            return _unframed_by_length(frame, reply)
        case FixedFrame() if reply.length > frame.size or (
            reply.exact and reply.length != frame.size
        ):
            return (
                f"has {reply.length} bytes, and `framing` gives every message {frame.size}: "
                f"give `length: {frame.size}` or `more: true`"
            )
        case TypeFrame() if not reply.exact:
            return "has no fixed length, and with `by_type` nothing else says where it ends"
        case TypeFrame() if not reply.matches:
            return "has no constant (`is`), and with `by_type` nothing else says what it is"
        case DelimiterFrame() if any(frame.end in match.expected for match in reply.matches):
            return "has a constant with the characters that end a message"
    return ""


def _unframed_by_length(frame: LengthFrame, reply: Reply) -> str:
    if reply.length > frame.max:
        return f"has {reply.length} bytes, and `framing` allows {frame.max} at most"
    if not reply.exact:
        return ""
    if reply.length < frame.min:
        return f"has {reply.length} bytes, and `framing` asks for {frame.min} at least"
    for match in reply.matches:
        if (match.at, len(match.expected)) == (frame.at, frame.width):
            number = int.from_bytes(match.expected, frame.order) + frame.add
            if number != reply.length:
                return (
                    f"has {reply.length} bytes, and its constant length makes {number} by `framing`"
                )
    return ""


def check_fits(schema: Schema, draws: Sequence[Draw], fits: Iterable[Fits], told: Mistakes) -> None:
    """Draws and times must fit into the fields that hold them."""
    names = list(schema.draws)
    for one in fits:
        kind, _, rest = one.source.partition(".")
        if one.low > one.high:
            told.add(one.path, "is so narrow that nothing fits into it")
        elif kind == "draw":
            low, high = _range_of(draws[int(rest)])
            if not one.low <= low <= high <= one.high:
                told.add(
                    (*one.path, "draw"),
                    f"`{names[int(rest)]}` gives {low:,} to {high:,}, and {one.low:,} to "
                    f"{one.high:,} fit here",
                )
        elif kind == "time":
            unit, _, since = rest.partition(".")
            if _TIME_MAX_S[since] * _PER_S[unit] > one.high:
                told.add(one.path, f"is too narrow for a time in {unit} since {since}")


def check_size(plan: WirePlan, text: str, told: Mistakes) -> None:
    """The plan must be one that native code has room for."""
    if len(text) > PLAN_BYTES_MAX or text.count("\n") > PLAN_LINES_MAX:
        told.add(
            (), "is too large: fewer messages, lists of constants or names of symbols are needed"
        )
    symbols = [table for table in plan.tables if isinstance(table, SymbolTable)]
    if sum(table.width * table.count for table in symbols) > SYMBOL_BYTES_MAX:
        told.add(
            ("requests",),
            f"have fields for symbols that are too wide for a file of up to {symbols[0].count:,}: "
            f"their texts may take {SYMBOL_BYTES_MAX // 1024**2} MiB in all "
            "(`order_flow.replay.symbols_max`)",
        )
    names = set(re.findall(r"(?:session|secret)\.\w+|(?<=read )keep\.\w+", text))
    kept = {name.replace("keep.", "session.") for name in names}
    if len(kept) > TEXTS_MAX:
        told.add((), f"keeps or takes {len(kept)} texts; {TEXTS_MAX} are the most")
    if isinstance(plan.frame, FixFrame):
        tags = {match.at for reply in plan.replies for match in reply.matches}
        tags |= {one.format.at for reply in plan.replies for one in reply.reads}
        if len(tags) > TAGS_MAX:
            told.add(("replies",), f"look at {len(tags)} tags; {TAGS_MAX} are the most")


def check_ids(schema: Schema, limits: Mapping[str, Fits], told: Mistakes) -> None:
    """The first id must fit where ids go."""
    limit = limits.get("id")
    if limit is not None and not limit.low <= schema.ids.first <= limit.high:
        told.add(
            limit.path,
            f"holds ids from {limit.low:,} to {limit.high:,}, and they begin at "
            f"{schema.ids.first:,} (`ids.first`)",
        )


def _range_of(draw: Draw) -> tuple[int, int]:
    match draw:
        case UniformDraw() | NormalDraw():
            return draw.low, draw.high
        case WeightedDraw():
            return 0, len(draw.weights) - 1
    return 0, draw.count - 1


def _samples(plan: WirePlan) -> dict[str, int | str]:
    """Values that fit, and texts that are there."""
    samples: dict[str, int | str] = {
        source: max(low, min(high, 1)) for source, (low, high) in plan.limits.items()
    }
    for index, draw in enumerate(plan.draws):
        samples[f"draw.{index}"] = _range_of(draw)[0]
    for message in plan.messages:
        for chunk in message.chunks:
            if chunk.insert is not None:
                samples[chunk.insert] = "text"
    return samples
