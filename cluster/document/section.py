"""What the sections of a document are made of: the base, the kinds of values, the misfit."""

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


Seconds = Annotated[float, Field(gt=0, le=86_400)]
Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$"), Words("text of one line")]

# A key that takes a word or a whole section: the two are told apart by what was written, so that
# an error speaks of the one that was meant.
SECTION_TAG = "<section>"
WORD_TAG = "<word>"
LIST_TAG = "<list>"


def word_or_section(value: object) -> str:
    """The tag of what was written at a key that takes a word or a section."""
    return SECTION_TAG if isinstance(value, dict | BaseModel) else WORD_TAG


def word_or_list(value: object) -> str:
    """The tag of what was written at a key that takes one value or several."""
    return LIST_TAG if isinstance(value, list) else WORD_TAG


class Section(BaseModel):
    """Part of a document: immutable, unknown keys refused, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
