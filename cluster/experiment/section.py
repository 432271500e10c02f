"""The kinds of values that only an experiment has."""

from typing import Annotated

from pydantic import Field

from cluster.document.section import Words

Port = Annotated[int, Field(ge=1, le=65535)]
Pid = Annotated[int, Field(ge=1, le=2**22)]
OfferedRate = Annotated[float, Field(ge=1, le=1e9)]
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
