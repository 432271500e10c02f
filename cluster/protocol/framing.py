"""How one message is told from the next in a stream of bytes, as written."""

from typing import Annotated, Final, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from cluster.document.section import (
    SECTION_TAG,
    WORD_TAG,
    MisfitError,
    Section,
    Words,
    word_or_section,
)
from cluster.protocol.field import ByteOrder

FRAME_MAX: Final = 32_768
FRAME_MAX_USUAL: Final = 4_096

Size = Annotated[int, Field(ge=1, le=FRAME_MAX)]
Ending = Annotated[
    str,
    Field(min_length=1, max_length=16, pattern=r"^[\x00-\x7f]+$"),
    Words('1 to 16 ASCII characters in double quotes, such as "\\r\\n"'),
]
Marker = Annotated[
    str,
    Field(min_length=1, max_length=64, pattern=r"^[\x20-\x7e]+$"),
    Words("1 to 64 ASCII characters, such as `Content-Length:`"),
]


class ByType(Section):
    """Each message has the length that its description has; nothing in the stream says it."""


class LengthPrefix(Section):
    """A number near each message's start says how long it is."""

    at: Annotated[int, Field(ge=0, le=64)] = Field(0, description="Bytes before that number.")
    type: Literal["u8", "u16", "u24", "u32"] = Field(description="How the number is written.")
    byte_order: ByteOrder | None = Field(
        None, description="Of the number; left out: the file's `byte_order`."
    )
    counts: Literal["whole", "rest"] = Field(
        description="whole: all bytes of the message; rest: those after the number."
    )
    plus: Annotated[int, Field(ge=-64, le=64)] = Field(
        0, description="Bytes of the message beyond what the number counts."
    )
    min: Size | None = Field(None, description="Shortest message; below, the stream is broken.")
    max: Size | None = Field(None, description="Longest message; beyond, the stream is broken.")


class Delimiter(Section):
    """A message ends where these characters come."""

    ends_with: Ending = Field(description="The characters that end each message.")
    max: Size = Field(FRAME_MAX_USUAL, description="Longest message, its end included.")


class Headed(Section):
    """A text head that says how long the body after it is, as in HTTP."""

    ends_with: Ending = Field("\r\n\r\n", description="The characters that end the head.")
    body_length_after: Marker | None = Field(
        None, description="Text of the head after which the body's length stands."
    )
    max: Size = Field(FRAME_MAX_USUAL, description="Longest message, head and body.")


class Resp(Section):
    """Values of RESP, the protocol of Redis."""

    max: Size = Field(FRAME_MAX_USUAL, description="Longest value, its ends included.")


class Fix(Section):
    """FIX: BeginString, BodyLength and MsgType before each message's fields, CheckSum after."""

    begin_string: Annotated[str, Field(pattern=r"^[A-Za-z0-9.]{1,16}$")] = Field(
        description="Such as FIX.4.4 or FIXT.1.1."
    )
    max: Size = Field(FRAME_MAX_USUAL, description="Longest message.")


class Frame(Section):
    """Exactly one rule."""

    fixed: Size | None = Field(None, description="Every message has so many bytes.")
    by_type: ByType | None = Field(None, description="As long as the message it turns out to be.")
    length_prefix: LengthPrefix | None = Field(None, description="A number says how long it is.")
    delimiter: Delimiter | None = Field(None, description="It ends where these characters come.")
    headed: Headed | None = Field(None, description="A text head says how long the body is.")
    resp: Resp | None = Field(None, description="Values of RESP, the protocol of Redis.")
    fix: Fix | None = Field(None, description="FIX tag=value messages.")

    @property
    def rules(self) -> list[str]:
        """The rules that are given."""
        return [name for name in Frame.model_fields if getattr(self, name) is not None]

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        _require_one(self.rules, of_directions=False)
        return self


FrameOrWord = Annotated[
    Annotated[Frame, Tag(SECTION_TAG)] | Annotated[Literal["soupbintcp"], Tag(WORD_TAG)],
    Discriminator(word_or_section),
]


class Framing(Frame):
    """One rule for both directions, or one for each."""

    requests: FrameOrWord | None = Field(
        None, description="Of what is sent, where they differ; left out: requests are not checked."
    )
    replies: FrameOrWord | None = Field(None, description="Of what comes, where they differ.")

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if self.requests is not None and self.replies is None:
            raise MisfitError("requests", "needs `replies` beside it: a rule for what comes")
        rules = [*self.rules, *(["replies"] if self.replies is not None else [])]
        _require_one(rules, of_directions=True)
        return self


FramingOrWord = Annotated[
    Annotated[Framing, Tag(SECTION_TAG)] | Annotated[Literal["soupbintcp"], Tag(WORD_TAG)],
    Discriminator(word_or_section),
]


def _require_one(rules: list[str], *, of_directions: bool) -> None:
    if len(rules) == 1:
        return
    known = ", ".join(f"`{name}`" for name in Frame.model_fields)
    both = ", or `replies` with or without `requests`" if of_directions else ""
    given = f"{' and '.join(f'`{rule}`' for rule in rules)} are given" if rules else "none is given"
    raise MisfitError("", f"needs exactly one of {known}{both}; {given}")
