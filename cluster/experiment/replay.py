"""The section that says which file is replayed, and how it is read."""

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field

from cluster.document.section import Section, Text, Words

Tick = Annotated[
    float, Field(gt=0, le=1_000_000), Words("the smallest step of the price, such as 0.01")
]

UNIT_NS: Final = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


class ReplayColumns(Section):
    """How the file names its columns."""

    time: Text = Field("time", description="When the order was sent; needed for `load.speeds`.")
    symbol: Text = Field("symbol", description="Instrument: text, or a whole number.")
    side: Text = Field("side", description="buy or sell; may be empty for a replace or cancel.")
    price: Text = Field("price", description="Decimal; may be empty for a market order or cancel.")
    size: Text = Field("size", description="Whole quantity; may be empty for a cancel.")
    type: Text = Field("type", description="limit, market or ioc; without the column: limit.")
    action: Text = Field(
        "action", description="new, replace or cancel; without the column, `type` may say it."
    )
    id: Text = Field("id", description="Names the order within its symbol.")
    reference: Text = Field(
        "reference", description="The id of the order that a replace or cancel means."
    )


class Replay(Section):
    """Orders from a file. docs/replay.md shows its form."""

    file: Text = Field(
        description="CSV (.csv, .csv.gz) or Parquet; at the same path on every load host."
    )
    columns: ReplayColumns = Field(
        ReplayColumns(), description="The file's names of its columns, where they differ."
    )
    time_unit: Literal["ns", "us", "ms", "s"] = Field(
        "ns", description="Unit of times that are numbers; text is ISO 8601."
    )
    tick: Tick = Field(0.01, description="Smallest step of the price: each price is a multiple.")
    repeat: bool = Field(default=False, description="Begin again at the file's end.")
    symbols_max: int = Field(
        65_536, ge=1, le=1_000_000, description="More symbols in the file are an error."
    )
    living_orders_max: int = Field(
        1_000_000,
        ge=1,
        le=100_000_000,
        description="Orders that replaces and cancels can mean: at least so many of the last.",
    )

    @property
    def exact_tick(self) -> Decimal:
        """The tick as it was written: 0.01 is a hundredth, not the nearest binary number."""
        return Decimal(repr(self.tick))
