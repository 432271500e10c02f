"""How replies are recognised and read."""

from cluster.protocol.inspect import decode
from cluster.protocol.plan import Match
from fakes.schemas import bent, compiled

ACCEPTED = "type: {type: u8, is: 129}, id: {type: u32, value: id}}"


def said(fields: str, content: bytes, *, more: str = "") -> dict[str, int | str]:
    """What is read from a frame by these fields of `accepted`."""
    made = compiled(bent(ACCEPTED, f"type: {{type: u8, is: 129}}, {fields}}}{more}"))
    frame = b"\x81" + content
    decoded = decode(made.plan, (len(frame) + 2).to_bytes(2, "big") + frame)
    assert decoded is not None
    assert decoded.reply is not None
    return dict(decoded.values)


def test_numbers_are_read_by_their_type() -> None:
    assert said("id: {type: u16, byte_order: little, value: id}", b"\x01\x02") == {"id": 0x0201}
    assert said("id: {type: number, width: 4, base: 36, value: id}", b"00Z0") == {"id": 35 * 36}
    assert said("id: {type: alpha, width: 6, prefix: P, value: id}", b"P42   ") == {"id": 42}
    assert said("id: {type: number, value: id}", b"0042") == {"id": 42}


def test_what_is_no_number_is_not_read() -> None:
    assert said("id: {type: number, width: 4, value: id}", b"4x  ") == {}


def test_engine_times_are_read_in_ns() -> None:
    times = "id: {type: u8, value: id}, at: {type: u32, value: engine_received, unit: us}"

    assert said(times, b"\x01\0\0\0\x02") == {"id": 1, "engine_received": 2000}


def test_a_text_is_kept_without_its_padding() -> None:
    kept = "id: {type: u8, value: id}, name: {type: alpha, width: 5, keep: name}"

    assert said(kept, b"\x01abc  ") == {"id": 1, "keep.name": "abc"}


def test_a_list_of_constants_becomes_a_reply_for_each() -> None:
    made = compiled(bent("is: 129", "is: [129, 131]"))
    replies = {reply.name: reply for reply in made.plan.replies}

    assert replies["accepted/1"].matches == (Match(2, b"\x81"),)
    assert replies["accepted/2"].matches == (Match(2, b"\x83"),)


def test_the_more_specific_reply_stands_first_and_wins() -> None:
    filled = """\
  filled:
    means: filled
    fields: {length: {type: u16}, type: {type: u8, is: 129}, id: {type: u32, value: id}, \
all: {type: u8, is: 1}}
"""
    general = ACCEPTED[:-1] + ", all: {type: u8}}"
    plan = compiled(bent(ACCEPTED, general) + filled).plan

    assert [reply.name for reply in plan.replies][:2] == ["filled", "accepted"]
    for last, name in ((0, "accepted"), (1, "filled")):
        decoded = decode(plan, bytes([0, 8, 129, 0, 0, 0, 1, last]))
        assert decoded is not None
        assert decoded.reply is not None
        assert decoded.reply.name == name


def test_lengths_tell_replies_apart_where_the_framing_gives_them() -> None:
    longer = "type: {type: u8, is: 130}, id: {type: u32, value: id}, x: {type: u8}}"
    text = bent("type: {type: u8, is: 130}, id: {type: u32, value: id}}", longer)

    assert compiled(bent("is: 130", "is: 129", text)).plan.replies[1].length == 8


def test_names_of_reasons_belong_to_their_codes() -> None:
    rejected = "is: 130}, id: {type: u32, value: id}"
    reason = "reason: {type: alpha, width: 2, value: reason, map: {halted: H, closed: C}}"
    made = compiled(bent(rejected, f"{rejected}, {reason}"))

    assert made.reasons == {"H": "halted", "C": "closed"}
