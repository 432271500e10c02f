"""The sections that say what is offered: when orders are due, and which orders they are."""

from typing import Annotated, Final, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from cluster.document.section import (
    SECTION_TAG,
    WORD_TAG,
    MisfitError,
    Seconds,
    Section,
    Text,
    word_or_section,
)
from cluster.experiment.arrivals import Arrivals, Bursts, Hawkes
from cluster.experiment.replay import Replay
from cluster.experiment.section import OfferedRate, Ratio, Speed

SUM_TOLERANCE: Final = 1e-9  # shares such as 0.1 + 0.2 + 0.7 are 1 but for rounding


class Maximum(Section):
    """After the rates: the most the engine takes, closed-loop with a fixed number in flight."""

    in_flight: int = Field(
        1024, ge=1, le=1_000_000, description="Orders kept in flight by all agents together."
    )


class Load(Section):
    """What is offered, level by level, from low to high."""

    arrivals: Annotated[
        Annotated[Literal["constant", "poisson"], Tag(WORD_TAG)]
        | Annotated[Arrivals, Tag(SECTION_TAG)],
        Discriminator(word_or_section),
    ] = Field(
        "poisson",
        description="Gaps between orders: constant; poisson as of many independent traders; "
        "or a law with parameters.",
    )
    rates_per_s: list[OfferedRate] = Field(
        default_factory=list,
        max_length=200,
        description="Offered orders per second of all agents together, one level each, rising.",
    )
    speeds: list[Speed] = Field(
        default_factory=list,
        max_length=200,
        description="With `order_flow.replay`, instead of rates: the recorded times, so many "
        "times as fast, one level each, rising.",
    )
    maximum: Maximum | None = Field(
        None, description="A last level, closed-loop: the most the engine takes."
    )
    timeout_s: Seconds = Field(
        2, description="An order without an answer for so long counts as timed out."
    )
    seed: int = Field(
        1, ge=0, le=2**63 - 1, description="Seed of the arrival times: same seed, same schedule."
    )

    @model_validator(mode="after")
    def _levels_rise(self) -> Self:
        if not self.rates_per_s and not self.speeds and self.maximum is None:
            raise MisfitError(
                "rates_per_s",
                "there is nothing to offer: give `rates_per_s`, `maximum`, or both",
            )
        if self.rates_per_s and self.speeds:
            raise MisfitError(
                "speeds",
                "give either `rates_per_s` or `speeds`: orders go out at rates of your own, or at "
                "the recorded times",
            )
        for lower, higher in zip(self.speeds, self.speeds[1:], strict=False):
            if higher <= lower:
                raise MisfitError(
                    "speeds",
                    f"must rise, each speed once: {higher:,.12g} comes after {lower:,.12g}",
                )
        for lower, higher in zip(self.rates_per_s, self.rates_per_s[1:], strict=False):
            if higher <= lower:
                raise MisfitError(
                    "rates_per_s",
                    "must rise from low to high, each rate once: "
                    f"{higher:,.12g} comes after {lower:,.12g}",
                )
        return self

    @model_validator(mode="after")
    def _bursts_carry_the_rates(self) -> Self:
        if isinstance(self.law, Bursts) and self.rates_per_s:
            misfit = self.law.rates_misfit(min(self.rates_per_s), max(self.rates_per_s))
            if misfit is not None:
                raise MisfitError("arrivals.bursts", misfit)
        return self

    @property
    def law(self) -> Hawkes | Bursts | None:
        """The law of arrival with its parameters, if it has any."""
        return self.arrivals.law if isinstance(self.arrivals, Arrivals) else None

    @property
    def law_name(self) -> Literal["constant", "poisson", "hawkes", "bursts"]:
        """The law of arrival in a word."""
        match self.arrivals:
            case Arrivals(hawkes=Hawkes()):
                return "hawkes"
            case Arrivals():
                return "bursts"
        return self.arrivals


class Mix(Section):
    """Shares of the requests; they sum to 1."""

    new: Ratio = Field(0.5, description="Share of new orders, above 0.")
    replace: Ratio = Field(0.2, description="Share of changes to a resting order.")
    cancel: Ratio = Field(0.3, description="Share of cancellations of a resting order.")

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        total = self.new + self.replace + self.cancel
        if abs(total - 1) > SUM_TOLERANCE:
            raise MisfitError("", f"`new` + `replace` + `cancel` must be 1, not {total:.12g}")
        if self.new == 0:
            raise MisfitError(
                "new", "must be above 0: only what was ordered can be replaced or cancelled"
            )
        return self


class OrderFlow(Section):
    """Which orders are sent. Seeded: the same file sends the same orders."""

    seed: int = Field(
        1, ge=0, le=2**63 - 1, description="Seed of the orders: same seed, same orders."
    )
    symbols: int = Field(64, ge=1, le=65_536, description="Instruments that are traded.")
    mix: Mix = Field(Mix(), description="Shares of new, replace and cancel; they sum to 1.")
    ioc_ratio: Ratio = Field(
        0.1, description="Share of the new orders that are immediate-or-cancel."
    )
    market_ratio: Ratio = Field(0.02, description="Share of the new orders that are market orders.")
    mid_price_ticks: int = Field(
        100_000, ge=1_000, le=10**12, description="Price around which the market moves."
    )
    spread_ticks: int = Field(
        2, ge=1, le=1_000, description="Gap between best bid and best offer of the resting orders."
    )
    depth_ticks: int = Field(
        20, ge=1, le=10_000, description="Resting orders lie up to so far from the best price."
    )
    quantity_mean: int = Field(
        100, ge=1, le=1_000_000, description="Mean quantity of a resting order."
    )
    live_orders_max: int = Field(
        64,
        ge=1,
        le=4_096,
        description="Resting orders per connection; at the bound, a cancel replaces the next new. "
        "Without cancels: how many of them replaces can name.",
    )
    replay: (
        Annotated[
            Annotated[Text, Tag(WORD_TAG)] | Annotated[Replay, Tag(SECTION_TAG)],
            Discriminator(word_or_section),
        ]
        | None
    ) = Field(
        None,
        description="Send the orders of this CSV or Parquet file; beside it only `seed` may be "
        "given (docs/replay.md).",
    )

    def with_replay(self, replay: str | Replay) -> Self:
        """The same, with the orders of this file."""
        return self.model_copy(update={"replay": replay})

    @property
    def replayed(self) -> Replay | None:
        """The file whose orders are sent, however it was written."""
        return Replay(file=self.replay) if isinstance(self.replay, str) else self.replay

    @property
    def unused(self) -> list[str]:
        """The keys that mean nothing, since the orders come from a file.

        The seed does: values that a wire schema draws come from it.
        """
        if self.replay is None:
            return []
        return [name for name in type(self).model_fields if name not in ("replay", "seed")]

    @model_validator(mode="after")
    def _a_file_says_it_all(self) -> Self:
        for name in self.unused:
            if name in self.model_fields_set:
                raise MisfitError(
                    name,
                    "means nothing beside `replay`: the orders are those of the file, as they are; "
                    f"leave `{name}` or `replay` out",
                )
        return self

    @model_validator(mode="after")
    def _prices_and_ratios_fit(self) -> Self:
        if self.ioc_ratio + self.market_ratio > 1:
            raise MisfitError("market_ratio", "`ioc_ratio` + `market_ratio` must be at most 1")
        if self.depth_ticks + self.spread_ticks >= self.mid_price_ticks // 2:
            raise MisfitError(
                "depth_ticks",
                "`depth_ticks` + `spread_ticks` must stay below half of `mid_price_ticks` "
                f"({self.mid_price_ticks // 2}), so that every price is above 0",
            )
        return self
