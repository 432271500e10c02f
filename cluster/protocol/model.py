"""The wire schema: what an engineer writes in YAML about a protocol."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from cluster.document.reader import Kind
from cluster.document.section import (
    SECTION_TAG,
    WORD_TAG,
    MisfitError,
    Seconds,
    Section,
    Text,
    Words,
    word_or_section,
)
from cluster.protocol.field import BYTES_MAX, ByteOrder, Constant, Name, Whole, WireField
from cluster.protocol.framing import FramingOrWord

Means = Literal[
    "accepted",
    "rejected",
    "received",
    "executed",
    "filled",
    "cancelled",
    "unsolicited",
    "logged_on",
    "logon_refused",
    "heartbeat",
    "test_request",
    "resend_request",
    "logged_out",
]
ORDER_MEANS: Final = ("accepted", "rejected", "received", "executed", "filled", "cancelled")
KINDS: Final = ("limit", "market", "immediate_or_cancel")
SIDES: Final = ("buy", "sell")

MessageType = Annotated[
    str,
    Field(pattern=r"^[\x21-\x7e]{1,8}$"),
    Words('1 to 8 characters, in quotes if they are digits, such as D or "8"'),
]
Fields = Annotated[dict[Name, WireField], Field(max_length=1_000)]
SymbolText = Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,64}$"), Words("1 to 64 characters")]


class Uniform(Section):
    """Every whole number of a range, equally often."""

    from_: Whole = Field(alias="from", description="The smallest.")
    to: Whole = Field(description="The largest.")

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.to < self.from_:
            raise MisfitError("to", f"must be at least `from` ({self.from_}), not {self.to}")
        return self


class Normal(Section):
    """Whole numbers around a mean."""

    mean: Annotated[float, Field(ge=-1e15, le=1e15)] = Field(description="Where they lie.")
    deviation: Annotated[float, Field(ge=0, le=1e15)] = Field(
        description="Standard deviation: how far around."
    )
    at_least: Whole = Field(description="Smaller ones become this.")
    at_most: Whole = Field(description="Larger ones become this.")

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.at_most < self.at_least:
            raise MisfitError(
                "at_most", f"must be at least `at_least` ({self.at_least}), not {self.at_most}"
            )
        return self


class Zipf(Section):
    """Whole numbers from 0, the small ones far more often."""

    count: Annotated[int, Field(ge=1, le=1_000_000)] = Field(description="How many there are.")
    exponent: Annotated[float, Field(ge=0, le=10)] = Field(
        1.0, description="How much more often: the n-th as often as 1/n to this power."
    )


class Draw(Section):
    """One kind of random value; seeded, so that the same file sends the same."""

    uniform: Uniform | None = Field(None, description="Every number of a range, equally often.")
    normal: Normal | None = Field(None, description="Numbers around a mean.")
    zipf: Zipf | None = Field(None, description="Numbers from 0, small ones more often.")
    choice: (
        Annotated[
            dict[str, Annotated[float, Field(ge=0, le=1e9)]], Field(min_length=1, max_length=1_000)
        ]
        | None
    ) = Field(None, description="Texts or numbers, each with its weight.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in Draw.model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise MisfitError("", "needs exactly one of `uniform`, `normal`, `zipf` and `choice`")
        if self.choice is not None and not any(self.choice.values()):
            raise MisfitError("choice", "needs at least one weight above 0")
        return self


class Symbols(Section):
    """How the number of an instrument becomes text, where a field of text asks for it."""

    prefix: Annotated[str, Field(min_length=1, max_length=32)] | None = Field(
        None, description="Text before the number."
    )
    digits: Annotated[int, Field(ge=1, le=10)] | None = Field(
        None, description="At least so many digits, zeros in front."
    )
    first: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(
        0, description="Number of the first instrument."
    )
    names: Annotated[list[SymbolText], Field(min_length=1, max_length=65_536)] | None = Field(
        None, description="Their names instead, from the first instrument on."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.names is not None and len(self.model_fields_set) > 1:
            raise MisfitError("names", "stands alone: the other keys write numbers")
        return self


class Ids(Section):
    """How requests are numbered."""

    first: Annotated[int, Field(ge=0, le=2**63 - 1)] = Field(1, description="The first number.")
    unique_per: Literal["connection", "run", "day"] = Field(
        "connection",
        description="connection: each counts for itself; run: over all connections and levels; "
        "day: over all runs of a day, too.",
    )


class Message(Section):
    """What every message has."""

    fields: Fields = Field(description="Its fields, in the order in which they are sent.")
    type: MessageType | None = Field(
        None, description="Packet type (soupbintcp) or MsgType (fix), which the envelope writes."
    )
    length: Annotated[int, Field(ge=1, le=BYTES_MAX)] | None = Field(
        None, description="Bytes of the whole message, where fields do not reach its end."
    )


class Request(Message):
    """A message that is sent."""

    fill: Annotated[int, Field(ge=0, le=255)] = Field(
        0, description="The byte that stands where no field does."
    )
    answers_name: Literal["request", "target"] = Field(
        "request",
        description="Whose id its answers carry: the request's own, or the order's it acts on.",
    )


class Reply(Message):
    """A message that comes."""

    means: Means = Field(description="What it says about an order or the session.")
    names: Literal["request", "order"] = Field(
        "request", description="What its id is of: the request it answers, or an order."
    )
    more: bool = Field(default=False, description="Longer messages are fine.")


class ByKind(Section):
    """A request of its own for each kind of order."""

    limit: Name = Field(description="The request that enters a limit order.")
    market: Name | None = Field(None, description="The request that enters a market order.")
    immediate_or_cancel: Name | None = Field(
        None, description="The request that enters an immediate-or-cancel order."
    )


NewOrders = Annotated[
    Annotated[ByKind, Tag(SECTION_TAG)] | Annotated[Name, Tag(WORD_TAG)],
    Discriminator(word_or_section),
]


class Orders(Section):
    """Which request does what."""

    new: NewOrders = Field(description="The request that enters an order, or one for each kind.")
    replace: Name | None = Field(None, description="The request that changes a resting order.")
    cancel: Name | None = Field(None, description="The request that cancels a resting order.")


class Heartbeat(Section):
    """A message that says that we are still here."""

    send: Name = Field(description="The request to send.")
    every_s: Seconds = Field(1, description="After so long without another message.")


class Session(Section):
    """What goes on around the orders: logging on, staying on, logging out."""

    logon: Name | None = Field(None, description="The request that logs on.")
    logon_timeout_s: Seconds = Field(5, description="Longest wait for the answer to it.")
    heartbeat: Heartbeat | None = Field(None, description="What is sent when nothing else is.")
    engine_silent_s: Seconds | None = Field(
        None, description="An engine that says nothing for so long is taken for gone."
    )
    answer: dict[Name, Name] = Field(
        default_factory=dict, description="Replies that want an answer, and the request that is it."
    )
    logout: Name | None = Field(None, description="The request that logs out.")
    logout_timeout_s: Seconds = Field(1, description="Longest wait for the answer to it.")
    first_sequence: Annotated[int, Field(ge=0, le=2**63 - 1)] = Field(
        1, description="Number of the first message that is sent."
    )


class Schema(Section):
    """One wire schema."""

    title: Text = Field(description="What the protocol is called.")
    about: Annotated[str, Field(max_length=4_000)] | None = Field(
        None, description="What one should know about it."
    )
    byte_order: ByteOrder = Field("big", description="Of numbers that do not say it themselves.")
    framing: FramingOrWord = Field(description="How one message is told from the next.")
    correlation: Literal["id", "order"] = Field(
        "id", description="id: replies carry one; order: the n-th answer answers the n-th request."
    )
    timed_reply: Literal["first", "last"] = Field(
        "first", description="Which reply of several ends the response time."
    )
    ids: Ids = Field(Ids(), description="How requests are numbered.")
    symbols: Symbols | None = Field(None, description="How instruments are written as text.")
    draws: dict[Name, Draw] = Field(default_factory=dict, description="Random values.")
    parts: dict[Name, Fields] = Field(
        default_factory=dict, description="Fields that several messages share."
    )
    requests: Annotated[dict[Name, Request], Field(min_length=1, max_length=200)] = Field(
        description="The messages that are sent."
    )
    orders: Orders = Field(description="Which request does what.")
    replies: Annotated[dict[Name, Reply], Field(min_length=1, max_length=500)] = Field(
        description="The messages that come."
    )
    session: Session | None = Field(
        None, description="Logging on, staying on, logging out; left out: nothing of it."
    )


SCHEMA: Final = Kind(
    model=Schema,
    noun="a wire schema",
    needs="`title`, `framing`, `requests`, `orders` and `replies`",
    example="`title: my engine's protocol`",
    hint="docs/protocols.md explains every key; `loadcluster protocol show orderwire` prints an "
    "example.",
)


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a wire schema: what editors complete and check."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Schema.model_json_schema(by_alias=True),
        "title": "loadcluster wire schema",
    }


__all__ = ["SCHEMA", "Constant", "Schema", "json_schema"]
