"""What the sections of an experiment are made of: the base, the kinds of values, the misfit."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True)
class Words:
    """What a value of this type is, in plain words: read by error messages."""

    sentence: str


class MisfitError(ValueError):
    """Values that are fine alone and wrong together; `key` is the one to point at."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key
        self.sentence = sentence


Port = Annotated[int, Field(ge=1, le=65535)]
Pid = Annotated[int, Field(ge=1, le=2**22)]
OfferedRate = Annotated[float, Field(ge=1, le=1e9)]
PositiveRate = Annotated[float, Field(gt=0, le=1e9)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
WholeSeconds = Annotated[int, Field(ge=0, le=86_400)]
Ratio = Annotated[float, Field(ge=0, le=1)]
Cpu = Annotated[int, Field(ge=0, le=4095)]
Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$"), Words("text of one line")]
Word = Annotated[
    str, Field(pattern=r"^[^\x00-\x20\x7f]+$"), Words("text without spaces, such as a host name")
]
Argument = Annotated[str, Field(pattern=r"^[^\x00]*$"), Words("text, in quotes if it is a number")]
Name = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"),
    Words("1 to 64 letters, digits, `.`, `_` or `-`, the first a letter or digit"),
]

# A key that takes a word or a whole section: the two are told apart by what was written, so that
# an error speaks of the one that was meant.
SECTION_TAG = "<section>"
WORD_TAG = "<word>"


def word_or_section(value: object) -> str:
    """The tag of what was written at a key that takes a word or a section."""
    return SECTION_TAG if isinstance(value, dict | BaseModel) else WORD_TAG


class Section(BaseModel):
    """Part of an experiment: immutable, unknown keys refused, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
