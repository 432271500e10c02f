"""Example values, and replies as an engine would send them: to look at, and to test by."""

import time
from collections.abc import Mapping
from typing import Final

from cluster.protocol.checksums import checksum
from cluster.protocol.compile import Compiled
from cluster.protocol.inspect import utc_text
from cluster.protocol.plan import (
    DecRead,
    DelimiterFrame,
    FixedFrame,
    FixFrame,
    HeadFrame,
    IntRead,
    LengthFrame,
    Read,
    Reply,
    RespFrame,
    TextRead,
    UtcRead,
    WirePlan,
)
from cluster.protocol.values import UTC_DIGITS, decimal_point, in_base
from cluster.units import NS_PER_S

EXAMPLE: Final[Mapping[str, int | str]] = {
    "id": 1,
    "target": 1,
    "price": 100_000,
    "size": 100,
    "symbol": 0,
    "client": 0,
    "sequence": 1,
    "next_sequence": 2,
}
HEARD: Final[Mapping[str, int]] = {
    "id": 1,
    "reason": 1,
    "executed": 100,
    "remaining": 0,
    "engine_received": 1 * NS_PER_S,
    "engine_replied": 2 * NS_PER_S,
    "sequence": 1,
}


def example_values(compiled: Compiled, time_ns: int | None = None) -> dict[str, int | str]:
    """Values for every source, within what fits; credentials are stars."""
    values: dict[str, int | str] = dict(EXAMPLE)
    for source, limit in compiled.limits.items():
        if source in values:
            values[source] = max(limit.low, min(limit.high, int(values[source])))
    # The order that is changed or cancelled was the first, and this request comes after it.
    values["target"] = max(int(values["id"]), compiled.ids.first)
    values["id"] = int(values["target"]) + 1
    values["time"] = time.time_ns() if time_ns is None else time_ns
    for message in compiled.plan.messages:
        for chunk in message.chunks:
            texts = [chunk.insert, *(getattr(patch, "text", None) for patch in chunk.patches)]
            for text in texts:
                if text is not None:
                    values[text] = "********" if text.startswith("secret.") else "EXAMPLE"
    for index, draw in enumerate(compiled.plan.draws):
        values[f"draw.{index}"] = getattr(draw, "low", 0)
    return values


def example_reply(compiled: Compiled, reply: Reply) -> bytes:
    """A frame that is this reply: its constants, and something readable in every other place."""
    plan = compiled.plan
    if isinstance(plan.frame, FixFrame):
        return _fix(plan.frame, reply)
    length = reply.length
    if isinstance(plan.frame, FixedFrame):
        length = max(length, plan.frame.size)
    if isinstance(plan.frame, LengthFrame):
        length = max(length, plan.frame.min)
    frame = bytearray(length)
    for leaf, at, width in compiled.placed[reply.name.partition("/")[0]]:
        if width and leaf.field.type in ("alpha", "text", "number", "utc_text"):
            blank = b"0" if leaf.field.type == "number" else b" "
            frame[at : at + width] = blank * width
    if isinstance(plan.frame, LengthFrame):
        number = len(frame) - plan.frame.add
        at, width = plan.frame.at, plan.frame.width
        frame[at : at + width] = number.to_bytes(width, plan.frame.order)
    for match in reply.matches:
        frame[match.at : match.at + len(match.expected)] = match.expected
    for one in reply.reads:
        content = heard(one)
        frame[one.format.at : one.format.at + len(content)] = content
    return bytes(frame) + _end(plan, bytes(frame))


def heard(one: Read) -> bytes:
    """Bytes from which the example's value is read."""
    value = HEARD.get(one.what, 0)
    match one.format:
        case IntRead():
            number = value // one.format.scale
            return number.to_bytes(one.format.width, one.format.order)
        case DecRead():
            number = value // one.format.scale
            text = decimal_point(in_base(number, one.format.base), one.format.decimals).encode()
            pad = one.format.pad or b" "
            return text.rjust(one.format.width, pad)
        case TextRead():
            return b"EXAMPLE"[: one.format.width or None].ljust(
                one.format.width, one.format.pad or b" "
            )
        case UtcRead():
            digits = {17 + (d and 1) + d: d for d in UTC_DIGITS.values()}
            return utc_text(value, digits.get(one.format.width, 3)).encode()


def _fix(frame: FixFrame, reply: Reply) -> bytes:
    fields = [(match.at, match.expected) for match in reply.matches]
    fields += [(one.format.at, heard(one)) for one in reply.reads]
    body = b"".join(b"%d=%s\x01" % field for field in fields)
    content = frame.begin + b"9=%d\x01" % len(body) + body
    return content + b"10=%03d\x01" % checksum("sum256", content)


def _end(plan: WirePlan, frame: bytes) -> bytes:
    match plan.frame:
        case DelimiterFrame():
            return plan.frame.end
        case HeadFrame():
            return b"" if plan.frame.end in frame else plan.frame.end
        case RespFrame():
            return b"\r\n"
    return b""
