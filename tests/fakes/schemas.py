"""A small wire schema in pieces, for tests that bend one of them."""

import pytest

from cluster.document.reader import read_text
from cluster.errors import ConfigError
from cluster.protocol.compile import Compiled, compile_schema
from cluster.protocol.model import SCHEMA

SMALL = """\
title: small
framing: {length_prefix: {at: 0, type: u16, counts: whole}}
requests:
  enter:
    fields:
      length: {type: u16, length: message}
      type: {type: u8, is: 1}
      id: {type: u32, value: id}
      price: {type: i64, value: price}
      size: {type: u32, value: size}
      side: {type: alpha, width: 1, value: side, map: {buy: B, sell: S}}
  cancel:
    fields:
      length: {type: u16, length: message}
      type: {type: u8, is: 2}
      id: {type: u32, value: id}
      target: {type: u32, value: target}
orders: {new: enter, cancel: cancel}
replies:
  accepted:
    means: accepted
    fields: {length: {type: u16}, type: {type: u8, is: 129}, id: {type: u32, value: id}}
  rejected:
    means: rejected
    fields: {length: {type: u16}, type: {type: u8, is: 130}, id: {type: u32, value: id}}
"""


def compiled(text: str = SMALL, replayed_symbols: int | None = None) -> Compiled:
    """What `text` compiles to."""
    return compile_schema(read_text(SCHEMA, text, "x.yaml"), replayed_symbols)


def problems(text: str, replayed_symbols: int | None = None) -> list[str]:
    """What is wrong with `text`, a line each."""
    with pytest.raises(ConfigError) as raised:
        compiled(text, replayed_symbols)
    return [str(problem) for problem in raised.value.problems]


def bent(old: str, new: str, text: str = SMALL) -> str:
    """The schema with one piece put in another's place."""
    assert old in text
    return text.replace(old, new, 1)
