"""Every mistake of a schema: told at its line where it is made, and not told where it is not."""

import pytest

from fakes.schemas import SMALL, bent, compiled, problems

ID = "id: {type: u32, value: id}\n      price"
PRICE = "price: {type: i64, value: price}"
SIZE = "size: {type: u32, value: size}"
LENGTH = "length: {type: u16, length: message}"
FRAMING = "framing: {length_prefix: {at: 0, type: u16, counts: whole}}"
ACCEPTED = "type: {type: u8, is: 129}, id: {type: u32, value: id}}"
REJECTED = "type: {type: u8, is: 130}, id: {type: u32, value: id}}"
# What is written instead of a piece that is right; what is then said; and what would be right.
FIELDS = [
    (PRICE, "price: {value: price}", "9: requests.enter.fields.price: needs a `type`", PRICE),
    (
        PRICE,
        "price: {type: i65, value: price}",
        "9: requests.enter.fields.price.type: must",
        PRICE,
    ),
    (
        PRICE,
        "price: {type: i64, width: 8, value: price}",
        "price.width: means nothing with type i64: it is for",
        "price: {type: number, width: 8, value: price}",
    ),
    (
        PRICE,
        "price: {type: i64}",
        "9: requests.enter.fields.price: does not say what is sent",
        "price: {type: i64, is: 0}",
    ),
    (
        PRICE,
        "price: {type: i64, is: 0, value: price}",
        "9: requests.enter.fields.price.value: `is` and `value` are given",
        PRICE,
    ),
    (PRICE, "price: {type: i64, is: [1, 2]}", "price.is: a list says what may come", PRICE),
    (PRICE, "price: {type: i64, value: reason}", "price.value: `reason` is nothing that", PRICE),
    (PRICE, "price: {type: i64, value: prise}", "did you mean `price`?", PRICE),
    (PRICE, "price: {type: number, value: price}", "price: needs a `width`", PRICE),
    (PRICE, "price: {type: text, value: price}", "price: needs a `width`", PRICE),
    (
        PRICE,
        "price: {type: text, width: 9, value: price}",
        "price.type: `price` can't stand in a field of type text",
        "price: {type: alpha, width: 9, value: price}",
    ),
    (
        PRICE,
        "price: {type: i64, value: price, scale: 0.5}",
        "price.scale: must be a whole number in a field of type i64",
        "price: {type: f64, value: price, scale: 0.5}",
    ),
    (
        PRICE,
        "price: {type: i64, is: 1, scale: 10}",
        "price.scale: means nothing without `value` or `draw`",
        "price: {type: i64, value: price, scale: 10}",
    ),
    (
        PRICE,
        "price: {type: i64, value: price, unit: us}",
        "price.unit: is for times only",
        "price: {type: i64, value: time, unit: us}",
    ),
    (PRICE, "price: {type: i64, value: price, map: {a: 1}}", "price.map: is for `side`", PRICE),
    (PRICE, "price: {type: i64, is: text}", "price.is: must be a whole number in a", PRICE),
    (PRICE, "price: {type: u8, is: 256}", "price.is: does not fit: u8 holds 0 to 255", PRICE),
    (PRICE, "price: {type: i8, is: -129}", "price.is: does not fit: i8 holds -128", PRICE),
    (
        PRICE,
        "price: {type: bytes, is: CAFE}",
        'price.is: must be 0 or hex text in quotes, such as "0xCAFE"',
        'price: {type: bytes, is: "0xCAFE"}',
    ),
    (PRICE, "price: {type: bytes, is: 0}", "price.is: needs `width`", PRICE),
    (
        PRICE,
        "price: {type: alpha, width: 2, is: ABC}",
        "price.is: has 3 characters where the width is 2",
        "price: {type: alpha, width: 3, is: ABC}",
    ),
    (
        PRICE,
        "price: {type: alpha, width: 2, is: 1}",
        "price.is: must be text in quotes",
        'price: {type: alpha, width: 2, is: "1"}',
    ),
    (
        PRICE,
        "price: {type: number, width: 3, decimals: 2, value: price}",
        "price.width: is too narrow for 2 decimals",
        "price: {type: number, width: 4, decimals: 2, value: price}",
    ),
    (
        PRICE,
        "price: {type: alpha, width: 2, value: price, prefix: AB}",
        "price.width: is too narrow: prefix and digits need 3 bytes",
        "price: {type: alpha, width: 3, value: price, prefix: AB}",
    ),
    (
        PRICE,
        "price: {type: alpha, width: 9, value: price, prefix: AB, justify: right}",
        "price.justify: with `prefix`, text at the right needs `digits`",
        "price: {type: alpha, width: 9, value: price, prefix: AB, justify: right, digits: 5}",
    ),
    (PRICE, "price: {type: u32, value: time}", "price: is too narrow for a time in ns", PRICE),
    (
        PRICE,
        "price: {type: u32, value: time, unit: ns, since: midnight}",
        "price: is too narrow for a time in ns since midnight",
        "price: {type: u32, value: time, unit: ms, since: midnight}",
    ),
    (PRICE, "price: {tag: 44, type: i64, value: price}", "price.tag: is for fix framing", PRICE),
    (PRICE, "price: {type: alpha, width: 8, keep: x}", "price.keep: is for what comes", PRICE),
    (
        PRICE,
        "price: {type: alpha, width: 3, session: x}",
        "price.session: no reply keeps a text of this name",
        PRICE,
    ),
    (
        PRICE,
        "price: {type: i64, draw: prices}",
        "price.draw: there is no draw `prices`",
        "price: {type: i64, draw: prices}@@draws: {prices: {uniform: {from: 1, to: 9}}}",
    ),
    (
        "side, map: {buy: B, sell: S}}",
        "side}",
        "11: requests.enter.fields.side: `value: side` needs `map: {buy: …, sell: …}`",
        "side, map: {buy: X, sell: Y}}",
    ),
    (
        "map: {buy: B, sell: S}",
        "map: {buy: B}",
        "side.map: has nothing for sell",
        "map: {buy: C, sell: D}",
    ),
    ("sell: S}", "sell: S, hold: H}", "side.map.hold: is not a side; there are", "sell: T}"),
    ("{buy: B,", "{buy: BUY,", "11: requests.enter.fields.side.map.buy: has 3 char", "{buy: C,"),
    (
        PRICE,
        "price: {type: i64, length: price, plus: -9}",
        "price.plus: makes the length -1, which is below 0",
        "price: {type: i64, length: price, plus: -8}",
    ),
    (
        PRICE,
        "price: {type: u8, length: message, plus: 300}",
        "price.length: the length is 313: does not fit",
        "price: {type: u8, length: message, plus: 30}",
    ),
    (
        PRICE,
        "price: {type: u8, length: fields, from: id}",
        "price.length: `fields` needs `from` and `to`",
        "price: {type: u8, length: fields, from: id, to: size}",
    ),
    (
        PRICE,
        "price: {type: u8, length: fields, from: size, to: id}",
        "price.to: comes before `from`",
        "price: {type: u8, length: fields, from: id, to: size}",
    ),
    (
        PRICE,
        "price: {type: u8, length: rest, from: id}",
        "price.from: means nothing with `length: rest`",
        "price: {type: u8, length: rest}",
    ),
    (
        PRICE,
        "price: {type: u8, length: nothing}",
        "price.length: there is no field `nothing` in this message",
        "price: {type: u8, length: side}",
    ),
    (
        PRICE,
        "price: {type: u16, checksum: crc32}",
        "price.type: is too narrow: crc32 has 4 bytes",
        "price: {type: u32, checksum: crc32}",
    ),
    (
        PRICE,
        "price: {type: number, width: 2, checksum: sum256}",
        "price.width: is too narrow: sum256 goes up to 255",
        "price: {type: number, width: 3, checksum: sum256}",
    ),
    (PRICE, "price: {type: i64, value: target}", "price.value: a new order has no target", PRICE),
    (
        PRICE,
        "price: {type: i64, is: 1, default: x}",
        "price.default: means nothing with type i64",
        'price: {type: alpha, width: 8, environment: X, default: ""}',
    ),
]

MESSAGES = [
    (
        PRICE,
        "price: {type: i64, value: price, at: 4}",
        "9: requests.enter.fields.price: `price` (bytes 4 to 11) overlaps `id` (bytes 3 to 6)",
        "price: {type: i64, value: price, at: 7}",
    ),
    (
        "  enter:\n",
        "  enter:\n    length: 19\n",
        "12: requests.enter.fields.side: `side` (byte 19) reaches beyond the message's `length`",
        "  enter:\n    length: 20\n",
    ),
    (
        ID,
        "id: {type: u32, is: 0}\n      price",
        "4: requests.enter: has no field with `value: id`",
        ID,
    ),
    (
        "  enter:\n",
        "  enter:\n    answers_name: target\n",
        "5: requests.enter.answers_name: a new order has no target",
        "  enter:\n    answers_name: request\n",
    ),
    (
        "  enter:\n",
        "  enter:\n    type: D\n",
        "5: requests.enter.type: only soupbintcp",
        "  enter:\n",
    ),
    (
        "new: enter",
        "new: entr",
        "18: orders.new: there is no request `entr`; there are",
        "new: enter",
    ),
    (", cancel: cancel}", "}", "12: requests.cancel: is never sent", ", cancel: cancel}"),
    (
        "means: rejected",
        "means: unsolicited",
        "19: replies: no reply means `rejected`",
        "means: rejected",
    ),
    (
        ACCEPTED,
        "type: {type: u8, is: 129}, id: {type: u32}}",
        "20: replies.accepted: means `accepted` and does not say of which order",
        ACCEPTED,
    ),
    (
        "is: 130}",
        "is: 129}",
        "23: replies.rejected: can't be told apart from `accepted`",
        "is: 131}",
    ),
    (
        ACCEPTED,
        "type: {type: u8, is: 129, at: 1}, id: {type: u32, value: id}}",
        "22: replies.accepted.fields.type: `type` (bytes 1 to 1) overlaps `length`",
        "type: {type: u8, is: 129, at: 2}, id: {type: u32, value: id}}",
    ),
    (
        ACCEPTED,
        "type: {type: u8, is: 129}, text: {type: text}, id: {type: u32, value: id}}",
        "22: replies.accepted.fields.id: comes after `text`, whose length is not known",
        "type: {type: u8, is: 129}, id: {type: u32, value: id}, text: {type: text}}",
    ),
    (
        ACCEPTED,
        "type: {type: u8, is: 129}, id: {type: u32, value: price}}",
        "replies.accepted.fields.id.value: `price` is nothing that a reply has",
        ACCEPTED,
    ),
    (
        ACCEPTED,
        "type: {type: u8, checksum: xor8}, id: {type: u32, value: id}}",
        "replies.accepted.fields.type.checksum: is for what is sent",
        ACCEPTED,
    ),
    (
        ACCEPTED,
        "type: {type: u8, is: 129}, id: {type: u32, value: id, scale: 2}}",
        "replies.accepted.fields.id.scale: is for what is sent",
        ACCEPTED,
    ),
    (
        ACCEPTED,
        "type: {type: u8, is: 129}, id: {type: f32, value: id}}",
        "replies.accepted.fields.id.type: `id` can't stand in a field of type f32",
        ACCEPTED,
    ),
    (
        REJECTED,
        REJECTED[:-1] + ", reason: {type: u8, value: reason, map: {a: 1, b: many}}}",
        "replies.rejected.fields.reason.map.b: must be a whole number",
        REJECTED[:-1] + ", reason: {type: u8, value: reason, map: {a: 1, b: 2}}}",
    ),
    (
        REJECTED,
        "type: {type: u8, is: [130, 300]}, id: {type: u32, value: id}}",
        "25: replies.rejected.fields.type.is[1]: does not fit",
        "type: {type: u8, is: [130, 131]}, id: {type: u32, value: id}}",
    ),
    (
        "    means: rejected\n",
        "    means: rejected\n    length: 6\n",
        "25: replies.rejected.length: is shorter than its fields, which have 7 bytes",
        "    means: rejected\n    length: 9\n",
    ),
]

WHOLE = [
    (
        FRAMING,
        "framing: {length_prefix: {at: 0, type: u16, counts: rest}}",
        "4: requests.enter: has 20 bytes, and `framing` says 22",
        FRAMING,
    ),
    (
        FRAMING,
        "framing: {length_prefix: {at: 0, type: u16, counts: whole, max: 19}}",
        "4: requests.enter: does not go with `framing`: the length field (bytes 0 to 1) says 20",
        "framing: {length_prefix: {at: 0, type: u16, counts: whole, max: 20}}",
    ),
    (
        FRAMING,
        "framing: {length_prefix: {at: 0, type: u16, counts: whole, min: 8}}",
        "20: replies.accepted: has 7 bytes, and `framing` asks for 8 at least",
        "framing: {length_prefix: {at: 0, type: u16, counts: whole, min: 7}}",
    ),
    (
        FRAMING,
        "framing: {fixed: 20}",
        "20: replies.accepted: has 7 bytes, and `framing` gives every message 20",
        "framing: {replies: {fixed: 7}, requests: {by_type: {}}}",
    ),
    (
        FRAMING,
        'framing: {delimiter: {ends_with: "\\r\\n"}}',
        "4: requests.enter: has 20 bytes, and `framing` does not find its end",
        'framing: {replies: {delimiter: {ends_with: "\\r\\n"}}}',
    ),
    (FRAMING, "framing: {}", "2: framing: needs exactly one of `fixed`", FRAMING),
    (FRAMING, "framing: soup", "2: framing: must be a section", FRAMING),
    (
        FRAMING,
        "framing: {fixed: 9, by_type: {}}",
        "2: framing: needs exactly one of",
        "framing: {by_type: {}}",
    ),
    (
        FRAMING,
        "framing: {requests: {fixed: 9}}",
        "2: framing.requests: needs `replies` beside it",
        "framing: {requests: {by_type: {}}, replies: {by_type: {}}}",
    ),
    (
        "title: small\n",
        "title: small\nids: {first: 5_000_000_000}\n",
        "9: requests.enter.fields.id: holds ids from 0 to 4,294,967,295, and they begin at",
        "title: small\nids: {first: 4_000_000_000}\n",
    ),
    (
        "title: small\n",
        "title: small\nparts: {a: {b: {use: c}}, c: {d: {use: a}}}\n",
        "2: parts.c.d.use: a part can't use itself: a → c → a",
        "title: small\nparts: {a: {b: {use: c}}, c: {d: {type: u8, is: 0}}}\n",
    ),
    (
        PRICE,
        "header: {use: headr}@@parts: {header: {price: {type: i64, value: price}}}",
        "9: requests.enter.fields.header.use: there is no part `headr` in `parts`; did you mean",
        "header: {use: header}@@parts: {header: {price: {type: i64, value: price}}}",
    ),
    (
        PRICE,
        "header: {use: header, at: 2}@@parts: {header: {price: {type: i64, value: price}}}",
        "9: requests.enter.fields.header: `use` stands alone",
        "header: {use: header}@@parts: {header: {price: {type: i64, value: price}}}",
    ),
    (
        PRICE,
        "header: {use: header}@@parts: {header: {id: {type: i64, value: price}}}",
        "the name `id` is given twice in `enter`",
        "header: {use: header}@@parts: {header: {price: {type: i64, value: price}}}",
    ),
    (
        PRICE,
        "legs: {type: group, count: 2}",
        "9: requests.enter.fields.legs: a group needs `fields`",
        "legs: {type: group, count: 2, fields: {price: {type: i64, value: price}}}",
    ),
    (
        PRICE,
        "legs: {type: group, count: 2, width: 3, fields: {price: {type: i64, value: price}}}",
        "9: requests.enter.fields.legs.width: means nothing with type group",
        "legs: {type: group, count: 2, fields: {price: {type: i64, value: price}}}",
    ),
    (
        PRICE,
        "legs: {type: group, count: 2, fields: {price: {type: i64, value: price, at: 9}}}",
        "9: requests.enter.fields.legs.fields.price.at: stands in a group that repeats",
        "legs: {type: group, count: 1, fields: {price: {type: i64, value: price, at: 7}}}",
    ),
    (
        PRICE,
        (
            "legs: {type: group, count: 1000, fields: {a: {type: group, count: 1000, "
            "fields: {price: {type: i64, value: price}}}}}"
        ),
        "9: requests.enter.fields.legs: stands for more than 2_000 fields",
        (
            "legs: {type: group, count: 10, fields: {a: {type: group, count: 10, "
            "fields: {price: {type: i64, value: price}}}}}"
        ),
    ),
    (
        PRICE,
        "price: {type: u8, draw: d}@@draws: {d: {uniform: {from: 1, to: 256}}}",
        "9: requests.enter.fields.price.draw: `d` gives 1 to 256, and 0 to 255 fit here",
        "price: {type: u8, draw: d}@@draws: {d: {uniform: {from: 1, to: 255}}}",
    ),
    (
        PRICE,
        "price: {type: alpha, width: 1, draw: d}@@draws: {d: {choice: {A: 1, BB: 1}}}",
        "9: requests.enter.fields.price.draw: has 2 characters where the width is 1",
        "price: {type: alpha, width: 1, draw: d}@@draws: {d: {choice: {A: 1, B: 1}}}",
    ),
    (
        PRICE,
        "price: {type: u8, draw: d}@@draws: {d: {choice: {A: 1}}}",
        "9: requests.enter.fields.price.draw: `d` has `A`, which u8 can't hold",
        'price: {type: u8, draw: d}@@draws: {d: {choice: {"1": 1}}}',
    ),
    (
        "title: small\n",
        "title: small\ndraws: {d: {uniform: {from: 2, to: 1}}}\n",
        "2: draws.d.uniform.to: must be at least `from` (2), not 1",
        "title: small\ndraws: {d: {uniform: {from: 2, to: 2}}}\n",
    ),
    (
        "title: small\n",
        "title: small\nsession: {logon: enter}\n",
        "2: session.logon: no reply means `logged_on`",
        "title: small\nsession: {first_sequence: 7}\n",
    ),
    (
        "title: small\n",
        "title: small\nsession: {heartbeat: {send: beat}}\n",
        "2: session.heartbeat.send: there is no request `beat`",
        "title: small\nsession: {}\n",
    ),
    (
        "title: small\n",
        "title: small\nsession: {logout: enter}\n",
        "`id` is of an order, and `enter` is sent by the session",
        "title: small\nsession: {}\n",
    ),
    (
        "title: small\n",
        "title: small\nsession: {answer: {test: cancel}}\n",
        "2: session.answer.test: there is no such reply; there are `accepted`, `rejected`",
        "title: small\nsession: {answer: {}}\n",
    ),
    (
        "title: small\n",
        "ttle: small\n",
        "is not a key of a wire schema; did you mean",
        "title: s\n",
    ),
    ("  enter:", "  en-ter:", "4: requests.en-ter: can't be a name here", "  enter:"),
]


def with_more(old: str, new: str) -> str:
    """The schema with `new` for `old`; what stands after @@ becomes its last line."""
    new, _, more = new.partition("@@")
    return bent(old, new) + more


@pytest.mark.parametrize(("right", "wrong", "sentence", "fine"), [*FIELDS, *MESSAGES, *WHOLE])
def test_a_mistake_is_told_at_its_line_and_only_there(
    right: str, wrong: str, sentence: str, fine: str
) -> None:
    found = problems(with_more(right, wrong))
    assert any(sentence in problem for problem in found), found
    assert all(problem.startswith("x.yaml:") for problem in found)
    compiled(with_more(right, fine))


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = bent(PRICE, "price: {type: u8, is: 300}", SMALL)
    text = bent("is: 130", "is: 129", text)
    text = bent("new: enter", "new: entr", text)

    lines = [int(problem.split(":")[1]) for problem in problems(text)]

    assert lines == sorted(lines)
    assert {9, 18, 23} <= set(lines)
