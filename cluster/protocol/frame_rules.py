"""The framing of a direction, as the plan has it."""

from cluster.protocol.envelope import Direction, rule_of
from cluster.protocol.framing import FRAME_MAX, FRAME_MAX_USUAL, LengthPrefix
from cluster.protocol.model import Schema
from cluster.protocol.plan import (
    DelimiterFrame,
    FixedFrame,
    FixFrame,
    Frame,
    HeadFrame,
    LengthFrame,
    RespFrame,
    TypeFrame,
)


def frame_of(  # noqa: PLR0911 - one for each kind
    schema: Schema, direction: Direction, longest: int
) -> Frame:
    """The rule by which messages of one direction are told from each other.

    Args:
        schema: Its framing.
        direction: Requests or replies.
        longest: Bytes of the longest message that is described, for rules without a `max`.
    """
    rule = rule_of(schema, direction)
    usual = max(longest, FRAME_MAX_USUAL)
    if rule == "soupbintcp":
        return LengthFrame(at=0, width=2, order="big", add=2, min=3, max=usual)
    if rule.fixed is not None:
        return FixedFrame(rule.fixed)
    if rule.length_prefix is not None:
        return _prefixed(schema, rule.length_prefix, usual)
    if rule.delimiter is not None:
        return DelimiterFrame(rule.delimiter.ends_with.encode(), rule.delimiter.max)
    if rule.headed is not None:
        marker = (rule.headed.body_length_after or "").encode()
        return HeadFrame(rule.headed.ends_with.encode(), marker, rule.headed.max)
    if rule.resp is not None:
        return RespFrame(rule.resp.max)
    if rule.fix is not None:
        return FixFrame(f"8={rule.fix.begin_string}\x01".encode(), rule.fix.max)
    return TypeFrame(max(1, longest))


def _prefixed(schema: Schema, prefix: LengthPrefix, usual: int) -> LengthFrame:
    width = int(prefix.type[1:]) // 8
    head = prefix.at + width
    add = prefix.plus + (head if prefix.counts == "rest" else 0)
    most = min(256**width - 1 + add, FRAME_MAX)
    return LengthFrame(
        at=prefix.at,
        width=width,
        order=prefix.byte_order or schema.byte_order,
        add=add,
        min=prefix.min or max(1, head),
        max=prefix.max or max(head, min(most, usual)),
    )
