"""Mistakes that only some framings can have: fix, soupbintcp, by_type, text protocols."""

import pytest

from fakes.schemas import bent, compiled, problems

FIX = """\
title: fix
framing: {fix: {begin_string: FIX.4.4}}
requests:
  order:
    type: D
    fields:
      ClOrdID: {tag: 11, type: number, width: 9, value: id}
      Side: {tag: 54, type: text, value: side, map: {buy: "1", sell: "2"}}
orders: {new: order}
replies:
  new:
    type: "8"
    means: accepted
    fields: {ClOrdID: {tag: 11, type: number, value: id}, ExecType: {tag: 150, type: text, is: "0"}}
  rejected:
    type: "8"
    means: rejected
    fields: {ClOrdID: {tag: 11, type: number, value: id}, ExecType: {tag: 150, type: text, is: "8"}}
"""
SOUP = """\
title: soup
framing: soupbintcp
requests:
  order: {fields: {id: {type: u32, value: id}}}
orders: {new: order}
replies:
  accepted: {means: accepted, fields: {kind: {type: u8, is: 1}, id: {type: u32, value: id}}}
  rejected: {means: rejected, fields: {kind: {type: u8, is: 2}, id: {type: u32, value: id}}}
"""
BY_TYPE = SOUP.replace("soupbintcp", "{by_type: {}}")
LINES = """\
title: lines
framing: {delimiter: {ends_with: "\\r\\n"}}
correlation: order
requests:
  order:
    fields:
      word: {type: text, is: "NEW "}
      id: {type: number, width: 9, value: id}
      end: {type: text, is: "\\r\\n"}
orders: {new: order}
replies:
  ok: {means: accepted, fields: {word: {type: text, is: OK}}}
  bad: {means: rejected, fields: {word: {type: text, is: BAD}}}
"""
ORDER_ID = "ClOrdID: {tag: 11, type: number, width: 9, value: id}"


@pytest.mark.parametrize("text", [FIX, SOUP, BY_TYPE, LINES])
def test_the_schemas_are_right_as_they_stand(text: str) -> None:
    assert compiled(text).plan.replies


@pytest.mark.parametrize(
    ("text", "right", "wrong", "sentence"),
    [
        (FIX, "    type: D\n", "", "4: requests.order.type: is missing; it must be the MsgType"),
        (FIX, "type: D", "type: 8", "5: requests.order.type: must be 1 to 8 characters"),
        (
            FIX,
            ORDER_ID,
            "ClOrdID: {type: number, width: 9, value: id}",
            "7: requests.order.fields.ClOrdID: needs a `tag`",
        ),
        (
            FIX,
            ORDER_ID,
            "ClOrdID: {tag: 11, type: u32, value: id}",
            "7: requests.order.fields.ClOrdID.type: FIX writes everything as text",
        ),
        (
            FIX,
            ORDER_ID,
            "ClOrdID: {tag: 11, type: number, width: 9, value: id, at: 30}",
            "7: requests.order.fields.ClOrdID.at: tagged fields follow each other",
        ),
        (
            FIX,
            'buy: "1"',
            'buy: "\\x01"',
            "8: requests.order.fields.Side.map.buy: can't hold the character 0x01",
        ),
        (
            FIX,
            "ExecType: {tag: 150",
            "ExecType: {tag: 11",
            "14: replies.new.fields.ExecType.tag: 11 is given twice in this reply",
        ),
        (
            FIX,
            "fields: {ClOrdID: {tag: 11, type: number,",
            "fields: {ClOrdID: {tag: 11, type: alpha, prefix: C,",
            "14: replies.new.fields.ClOrdID.prefix: can't be skipped here",
        ),
        (FIX, 'is: "8"}}', 'is: "0"}}', "15: replies.rejected: can't be told apart from `new`"),
        (SOUP, "order: {fields", "order: {type: UU, fields", "a packet type is one character"),
        (
            BY_TYPE,
            "accepted: {means",
            "accepted: {more: true, means",
            "7: replies.accepted: has no fixed length, and with `by_type`",
        ),
        (
            BY_TYPE,
            "{kind: {type: u8, is: 1}, id",
            "{kind: {type: u8}, id",
            "7: replies.accepted: has no constant (`is`), and with `by_type`",
        ),
        (
            LINES,
            "is: OK}",
            'is: "OK\\r\\n"}',
            "12: replies.ok: has a constant with the characters that end a message",
        ),
        (
            LINES,
            'end: {type: text, is: "\\r\\n"}',
            'end: {type: text, is: "\\n"}',
            "5: requests.order: has 14 bytes, and `framing` does not find its end",
        ),
        (
            LINES,
            "NEW ",
            "NEW\\r\\n",
            "5: requests.order: has 16 bytes, and `framing` says 5",
        ),
    ],
)
def test_a_mistake_is_told_at_its_line(text: str, right: str, wrong: str, sentence: str) -> None:
    found = problems(bent(right, wrong, text))

    assert any(sentence in problem for problem in found), found


def test_a_schema_with_more_than_native_code_has_room_for_is_told() -> None:
    texts = "".join(
        f"      u{index}: {{tag: {1000 + index}, type: text, environment: U{index}}}\n"
        for index in range(17)
    )
    tags = ", ".join(f"t{index}: {{tag: {index}, type: text, is: X}}" for index in range(200, 270))

    many_texts = problems(bent("orders:", f"{texts}orders:", FIX))
    many_tags = problems(
        bent(
            "fields: {ClOrdID: {tag: 11, type: number,",
            f"fields: {{{tags}, ClOrdID: {{tag: 11, type: number,",
            FIX,
        )
    )

    assert any("texts; 16 are the most" in problem for problem in many_texts), many_texts
    assert any("has more than 15 texts" in problem for problem in many_texts), many_texts
    assert any("tags; 64 are the most" in problem for problem in many_tags), many_tags
