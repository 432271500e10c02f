"""A compiled schema in sentences, and all its messages as annotated bytes."""

from collections.abc import Iterator
from typing import Any

from cluster.protocol.compile import Compiled
from cluster.protocol.dump import Dump, reply_dump, request_dump
from cluster.protocol.examples import example_reply, example_values
from cluster.protocol.inspect import decode
from cluster.protocol.plan import (
    DelimiterFrame,
    FixedFrame,
    FixFrame,
    Frame,
    HeadFrame,
    LengthFrame,
    Reply,
    RespFrame,
)
from cluster.protocol.plan_text import LIMITS_WRITTEN
from cluster.units import format_ns

OF_MEANS = {
    "accepted": "the order is taken in",
    "rejected": "the request changed nothing",
    "received": "an interim answer; another will come",
    "executed": "the order has traded",
    "filled": "the order has traded in full",
    "cancelled": "the order is out of the book",
    "unsolicited": "about no order; looked at and counted",
    "logged_on": "the session is on",
    "logon_refused": "the session can't begin",
    "heartbeat": "the engine is still there",
    "test_request": "the engine asks whether we are still there",
    "resend_request": "the engine misses messages",
    "logged_out": "the session is over",
}


def sentences(compiled: Compiled) -> Iterator[str]:
    """How messages are told apart, how replies find their requests, what goes on around them."""
    plan = compiled.plan
    yield f"replies are told from each other by {frame_sentence(plan.frame)}"
    if plan.correlation == "id":
        yield "replies name the request or order that they are about"
    else:
        yield "replies carry no id: the n-th answer of a connection answers its n-th request"
    yield f"the {plan.timed} reply to a request ends its response time"
    yield f"ids begin at {compiled.ids.first:,}, unique per {compiled.ids.unique_per}"
    for source in LIMITS_WRITTEN:
        if source in compiled.limits:
            limit = compiled.limits[source]
            yield f"{source}: {limit.low:,} to {limit.high:,} fit"
    yield from _session(compiled)
    for name, place in compiled.secrets.items():
        default = ", or what stands there by default" if name in compiled.defaults else ""
        yield f"credential from the environment variable {name}{default} ({place})"


def frame_sentence(frame: Frame) -> str:  # noqa: PLR0911 - one for each kind
    """The framing in words."""
    match frame:
        case FixedFrame():
            return f"their length: {frame.size} bytes each"
        case LengthFrame():
            add = f" plus {frame.add}" if frame.add > 0 else f" minus {-frame.add}"
            return (
                f"the {8 * frame.width}-bit {frame.order}-endian length at byte {frame.at}"
                f"{add if frame.add else ''}, {frame.min} to {frame.max} bytes"
            )
        case DelimiterFrame():
            return f"{frame.end.decode()!r} at the end, {frame.max:,} bytes at most"
        case HeadFrame():
            after = (
                f" and a body, as long as {frame.marker.decode()!r} says" if frame.marker else ""
            )
            return f"a head that ends with {frame.end.decode()!r}{after}"
        case RespFrame():
            return f"being values of RESP, {frame.max:,} bytes at most"
        case FixFrame():
            return f"BodyLength and CheckSum of {frame.begin[2:-1].decode()}"
    return "their type: each as long as it is described"


def request_dumps(compiled: Compiled) -> list[Dump]:
    """Every request with example values."""
    values = example_values(compiled)
    return [request_dump(compiled, message, values) for message in compiled.plan.messages]


def reply_dumps(compiled: Compiled) -> list[tuple[Reply, Dump]]:
    """Every reply with an example, read back."""
    found = []
    for reply in compiled.plan.replies:
        frame = example_reply(compiled, reply)
        decoded = decode(compiled.plan, frame)
        values = decoded.values if decoded is not None else {}
        found.append((reply, reply_dump(compiled, reply, frame, values)))
    return found


def as_text(compiled: Compiled) -> list[str]:
    """Everything, line by line."""
    lines = [compiled.title, *(f"  {sentence}" for sentence in sentences(compiled))]
    lines += ["", "Requests", "  offset, bytes, field, what it says (an example)"]
    shown: dict[str, Dump] = {}
    for dump in request_dumps(compiled):
        first = shown.setdefault(dump.name.partition("/")[0], dump)
        lines += ["", *dump.as_text(None if first is dump else first)]
    lines += ["", "Replies"]
    for reply, dump in reply_dumps(compiled):
        heading, *rest = dump.as_text()
        length = "" if reply.exact else " here, other lengths are fine"
        lines += ["", f"{heading}{length}; means {reply.means}: {OF_MEANS[reply.means]}", *rest]
    return lines


def as_data(compiled: Compiled) -> dict[str, Any]:
    """Everything, for machines."""
    return {
        "ok": True,
        "title": compiled.title,
        "summary": list(sentences(compiled)),
        "requests": [_data(dump) for dump in request_dumps(compiled)],
        "replies": [
            {**_data(dump), "means": reply.means, "names": reply.names, "exact": reply.exact}
            for reply, dump in reply_dumps(compiled)
        ],
    }


def _data(dump: Dump) -> dict[str, Any]:
    fields = [
        {
            "offset": line.offset,
            "bytes": line.hex.replace(" ", ""),
            "field": line.field,
            "value": line.value,
        }
        for line in dump.lines
    ]
    return {"name": dump.name, "length": dump.length, "fields": fields}


def _session(compiled: Compiled) -> Iterator[str]:
    session = compiled.plan.session
    if session.logon is not None:
        yield (
            f"session: logs on with `{session.logon.message}`, answered within "
            f"{format_ns(session.logon.ns)}"
        )
    else:
        yield "session: none; orders are sent as soon as a connection is open"
    if session.heartbeat is not None:
        yield (
            f"session: `{session.heartbeat.message}` after {format_ns(session.heartbeat.ns)} "
            "without another message"
        )
    if session.silence_ns is not None:
        yield f"session: an engine silent for {format_ns(session.silence_ns)} is taken for gone"
    for reply, message in session.answers:
        yield f"session: `{reply}` is answered with `{message}`"
    if session.logout is not None:
        yield f"session: logs out with `{session.logout.message}`"
