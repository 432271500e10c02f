"""The kinds of values that only an experiment has."""

from typing import Annotated

from pydantic import AfterValidator, Field

from cluster.document.section import MisfitError, Words
from cluster.protocol.builtin import unknown_protocol


def _known_protocol(protocol: str) -> str:
    sentence = unknown_protocol(protocol)
    if sentence:
        raise MisfitError("", sentence)
    return protocol


Port = Annotated[int, Field(ge=1, le=65535)]
Pid = Annotated[int, Field(ge=1, le=2**22)]
OfferedRate = Annotated[float, Field(ge=1, le=1e9)]
Speed = Annotated[float, Field(ge=0.001, le=100_000)]
PositiveRate = Annotated[float, Field(gt=0, le=1e9)]
WholeSeconds = Annotated[int, Field(ge=0, le=86_400)]
Ratio = Annotated[float, Field(ge=0, le=1)]
Cpu = Annotated[int, Field(ge=0, le=4095)]
Word = Annotated[
    str, Field(pattern=r"^[^\x00-\x20\x7f]+$"), Words("text without spaces, such as a host name")
]
Argument = Annotated[str, Field(pattern=r"^[^\x00]*$"), Words("text, in quotes if it is a number")]
Name = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"),
    Words("1 to 64 letters, digits, `.`, `_` or `-`, the first a letter or digit"),
]
Protocol = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(_known_protocol),
    Words("the name of a builtin protocol, or the path of a wire schema (.yaml)"),
]
