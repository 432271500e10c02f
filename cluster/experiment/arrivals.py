"""The laws of arrival that have parameters: self-exciting, and in bursts."""

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from cluster.document.section import MisfitError, Section
from cluster.units import NS_PER_MS, NS_PER_S

# A window of so many whole periods, or memories, is near enough to any other of the same length.
PERIODS_ENOUGH: Final = 100  # whatever part of a period is left over is below 1 % of the orders
MEMORIES_ENOUGH: Final = 10
ROUNDING: Final = 1e-9  # 1 - 0.9 is not quite 0.1
ORDERS_PER_BURST: Final = 2
RATE_MAX_PER_S: Final = 1e9  # an order a ns


class Hawkes(Section):
    """Self-exciting arrivals: every order provokes others, which provoke others in turn."""

    branching_ratio: float = Field(
        0.8,
        gt=0,
        le=0.99,
        description="Orders that an order provokes directly, in the mean; "
        "so large a share of all orders is provoked.",
    )
    decay_ms: float = Field(
        5,
        ge=0.001,
        le=60_000,
        description="Mean time from an order to those that it provokes directly, in ms.",
    )

    @property
    def decay_ns(self) -> int:
        """`decay_ms` in ns."""
        return round(self.decay_ms * NS_PER_MS)

    @property
    def memory_s(self) -> float:
        """The time in which what an order set off dies down to 1/e, later generations included."""
        return self.decay_ns / NS_PER_S / (1 - self.branching_ratio)

    @property
    def spread(self) -> float:
        """How much more a long window's count varies than a Poisson one's: standard deviations."""
        return 1 / (1 - self.branching_ratio)

    def in_words(self) -> str:
        """The law with its parameters, for people."""
        return f"branching ratio {self.branching_ratio:g}, decay {self.decay_ms:g} ms"

    def window_misfit(self, window_s: int) -> str | None:
        """Why a window of so many seconds is no fair sample of this load, or None."""
        if MEMORIES_ENOUGH * self.memory_s <= window_s * (1 + ROUNDING):
            return None
        return (
            f"remembers for {self.memory_s:.4g} s (`decay_ms` / (1 - `branching_ratio`)), of which "
            f"a window of {window_s} s must hold {MEMORIES_ENOUGH}: lower one of the two, or "
            "measure for longer"
        )


class Bursts(Section):
    """Arrivals in bursts that all agents and workers begin together."""

    on_ms: float = Field(10, ge=0.001, le=60_000, description="How long a burst lasts, in ms.")
    off_ms: float = Field(
        90, ge=0.001, le=60_000, description="How long nothing is due until the next one, in ms."
    )
    within: Literal["constant", "poisson"] = Field(
        "poisson", description="Gaps between the orders of a burst, as `arrivals` has them."
    )

    @property
    def on_ns(self) -> int:
        """`on_ms` in ns."""
        return round(self.on_ms * NS_PER_MS)

    @property
    def off_ns(self) -> int:
        """`off_ms` in ns."""
        return round(self.off_ms * NS_PER_MS)

    @property
    def period_ns(self) -> int:
        """From the beginning of a burst to that of the next, in ns."""
        return self.on_ns + self.off_ns

    def in_words(self) -> str:
        """The law with its parameters, for people."""
        return f"{self.on_ms:g} ms on, {self.off_ms:g} ms off, {self.within} within"

    def window_misfit(self, window_s: int) -> str | None:
        """Why a window of so many seconds is no fair sample of this load, or None."""
        periods = window_s * NS_PER_S / self.period_ns
        if window_s * NS_PER_S % self.period_ns == 0 or periods >= PERIODS_ENOUGH:
            return None
        return (
            f"come every {self._period}, so a window of {window_s} s holds {periods:.4g} of them: "
            f"it must be a whole number, or at least {PERIODS_ENOUGH}"
        )

    def rates_misfit(self, lowest_per_s: float, highest_per_s: float) -> str | None:
        """Why bursts can't offer these rates, or None."""
        orders = lowest_per_s * self.period_ns / NS_PER_S
        if orders < ORDERS_PER_BURST:
            return (
                f"come every {self._period}: at {lowest_per_s:,.12g} orders per second that is "
                f"{orders:.4g} in each, where there must be at least {ORDERS_PER_BURST}"
            )
        within = highest_per_s * self.period_ns / self.on_ns
        if within > RATE_MAX_PER_S:
            return (
                f"are on for {self.on_ms:g} ms in {self._period}: {highest_per_s:,.12g} orders per "
                f"second in the mean are {within:,.4g} while on, and no more than "
                f"{RATE_MAX_PER_S:,.12g} can be"
            )
        return None

    @property
    def _period(self) -> str:
        return f"{self.period_ns / NS_PER_MS:.12g} ms"


class Arrivals(Section):
    """One law of arrival with its parameters."""

    hawkes: Hawkes | None = Field(
        None, description="Self-exciting: orders provoke orders, as in real markets."
    )
    bursts: Bursts | None = Field(None, description="On and off, all agents at the same time.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.hawkes is None) == (self.bursts is None):
            raise MisfitError("", "give one law: `hawkes` or `bursts`")
        return self

    @property
    def law(self) -> Hawkes | Bursts:
        """The one that was given."""
        law = self.hawkes or self.bursts
        assert law is not None  # noqa: S101 - for the type checker: one was given
        return law
