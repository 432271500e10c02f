"""One field of a message, as written: its type, what is in it, how that becomes bytes."""

from typing import Annotated, Final, Literal, Union

from pydantic import ConfigDict, Discriminator, Field, Tag

from cluster.document.section import LIST_TAG, WORD_TAG, Section, Words, word_or_list

BYTES_MAX: Final = 16_384  # of a message, and so of everything in one
COUNT_MAX: Final = 1_000  # of the repetitions of a group

WORD: Final = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
Name = Annotated[
    str, Field(pattern=WORD), Words("1 to 64 letters, digits or `_`, the first not a digit")
]
Constant = int | float | str
ByteOrder = Literal["little", "big"]
Justify = Literal["left", "right"]
Width = Annotated[int, Field(ge=1, le=BYTES_MAX)]
Whole = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
Pad = Annotated[str, Field(pattern=r"^[\x00-\x7f]$"), Words("one ASCII character, in quotes")]

TypeName = Literal[
    "u8",
    "u16",
    "u24",
    "u32",
    "u40",
    "u48",
    "u56",
    "u64",
    "i8",
    "i16",
    "i24",
    "i32",
    "i40",
    "i48",
    "i56",
    "i64",
    "f32",
    "f64",
    "alpha",
    "number",
    "text",
    "bytes",
    "utc_text",
    "group",
]

RequestSource = Literal[
    "id",
    "target",
    "client",
    "symbol",
    "side",
    "kind",
    "price",
    "size",
    "sequence",
    "next_sequence",
    "time",
]
ReplySource = Literal[
    "id",
    "reason",
    "executed_size",
    "remaining_size",
    "engine_received",
    "engine_replied",
    "sequence",
]
Checksum = Literal["sum256", "crc32", "crc32c", "adler32", "xor8"]
Unit = Literal["ns", "us", "ms", "s"]


class WireField(Section):
    """One field. Fields follow each other in the order in which they are written."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    type: TypeName | None = Field(None, description="How its bytes are written.")
    width: Width | None = Field(None, description="Bytes, where the type does not imply them.")
    byte_order: ByteOrder | None = Field(
        None, description="Of this number; left out: the file's `byte_order`."
    )
    at: Annotated[int, Field(ge=0, le=BYTES_MAX)] | None = Field(
        None, description="Bytes from the message's start; left out: after the field before."
    )
    tag: Annotated[int, Field(ge=1, le=999_999)] | None = Field(
        None, description="Makes it a tagged (FIX) field: 11 writes `11=…` and the separator."
    )
    is_: (
        Annotated[
            Union[  # noqa: UP007 - Tag needs its members apart
                Annotated[Constant, Tag(WORD_TAG)],
                Annotated[
                    Annotated[list[Constant], Field(min_length=1, max_length=64)], Tag(LIST_TAG)
                ],
            ],
            Discriminator(word_or_list),
        ]
        | None
    ) = Field(
        None, alias="is", description="A constant; in replies what must be there, or a list of it."
    )
    value: (
        Literal[
            "id",
            "target",
            "client",
            "symbol",
            "side",
            "kind",
            "price",
            "size",
            "sequence",
            "next_sequence",
            "time",
            "reason",
            "executed_size",
            "remaining_size",
            "engine_received",
            "engine_replied",
        ]
        | None
    ) = Field(None, description="What is written or read here.")
    length: Name | None = Field(
        None,
        description="Bytes of: message, rest (all after this field), fields (`from` to `to`), "
        "or the field of this name.",
    )
    plus: Annotated[int, Field(ge=-BYTES_MAX, le=BYTES_MAX)] = Field(
        0, description="Added to the length that is written."
    )
    checksum: Checksum | None = Field(
        None, description="Over the bytes from the message's start, or `from` … `to`."
    )
    from_: Annotated[str, Field(max_length=200)] | None = Field(
        None, alias="from", description="First field that a length or a checksum covers."
    )
    to: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="Last field that a length or a checksum covers."
    )
    draw: Name | None = Field(None, description="A random value, one of `draws`.")
    session: Name | None = Field(None, description="Text that a reply's `keep` has kept.")
    environment: Name | None = Field(
        None, description="A credential: the value of this environment variable."
    )
    default: Annotated[str, Field(max_length=1_000)] | None = Field(
        None, description="What stands where the environment variable is not set."
    )
    keep: Name | None = Field(None, description="Keep this reply's text for `session`.")
    map: dict[Annotated[str, Field(min_length=1, max_length=64)], Constant] | None = Field(
        None, description="What is written for each side or kind; names of reasons."
    )
    scale: Annotated[int | float, Field(gt=0, le=1e18)] | None = Field(
        None, description="What is written is the value times this."
    )
    add: Whole = Field(0, description="Added to the value after scaling.")
    prefix: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="Text before a number."
    )
    digits: Annotated[int, Field(ge=1, le=20)] | None = Field(
        None, description="So many digits, zeros in front."
    )
    unit: Unit | None = Field(None, description="Of a time; left out: ns.")
    since: Literal["epoch", "midnight"] | None = Field(
        None, description="What a time counts from; left out: the epoch (1970, UTC)."
    )
    justify: Justify | None = Field(None, description="Where the text stands in its width.")
    pad: Pad | None = Field(None, description="What fills the rest of the width.")
    base: Annotated[int, Field(ge=2, le=36)] | None = Field(
        None, description="Of the digits; left out: 10."
    )
    decimals: Annotated[int, Field(ge=1, le=18)] | None = Field(
        None, description="Digits after the point."
    )
    precision: Unit | None = Field(None, description="Of utc_text; left out: s.")
    count: Annotated[int, Field(ge=1, le=COUNT_MAX)] | None = Field(
        None, description="How often a group is there; left out: once."
    )
    fields: dict[Name, "WireField"] | None = Field(None, description="The fields of a group.")
    use: Name | None = Field(None, description="Put the fields of this one of `parts` here.")
