"""The section `measure`: how long the parts of a level last, and how often all is repeated."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from cluster.document.section import MisfitError, Seconds, Section
from cluster.experiment.section import WholeSeconds

# Where the warm-up is to end by test and no bound is given.
WARM_UP_AT_MOST_S: Final = 10
WARM_UP_FACTOR: Final = 3
PERCENTILES: Final = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "p99_9": 99.9}


class Until(Section):
    """The control window goes on until a percentile is known so exactly."""

    percentile: Literal["p50", "p95", "p99", "p99_9"] = Field(
        "p99", description="Of the response time."
    )
    half_width_ratio: float = Field(
        0.05,
        gt=0,
        le=1,
        description="Half of its 95 % interval over the percentile itself, at most.",
    )
    at_most_s: Annotated[int, Field(ge=1, le=86_400)] = Field(
        600, description="Whole seconds after which the control window ends, reached or not."
    )

    @property
    def percent(self) -> float:
        """The percentile as a number, such as 99.9."""
        return PERCENTILES[self.percentile]


class Measure(Section):
    """How long each part of a level lasts, and how often all levels are repeated."""

    warmup_s: WholeSeconds = Field(
        2, description="Whole seconds of load before anything is counted, at least."
    )
    warmup_at_most_s: WholeSeconds | None = Field(
        None,
        description="The warm-up goes on until the response time has settled, but not for longer. "
        f"Left out: {WARM_UP_FACTOR} times `warmup_s`, at least {WARM_UP_AT_MOST_S}; "
        "the same as `warmup_s`: it is fixed.",
    )
    control_s: Annotated[int, Field(ge=1, le=86_400)] = Field(
        10,
        description="Whole seconds measured with no profiler running: the level's figures. "
        "With `until`, at least.",
    )
    until: Until | None = Field(
        None, description="Measure for longer, until a percentile is known exactly enough."
    )
    trials: int = Field(
        1,
        ge=1,
        le=100,
        description="So often all levels are run, with the engine started anew in between.",
    )
    client_invariance: bool = Field(
        default=False,
        description="Afterwards, repeat a level from as many and from twice as many clients: "
        "does it matter who sends?",
    )
    drain_s: Seconds = Field(
        5, description="Longest wait for late answers once the last order has gone out."
    )

    calibration: Literal["cached", "fresh", "off"] = Field(
        "cached",
        description="What each load host can do by itself: measured once and remembered there; "
        "measured anew; or not at all.",
    )

    @property
    def warmup_longest_s(self) -> int:
        """Seconds after which the control window begins, whatever the test says."""
        if self.warmup_at_most_s is not None:
            return self.warmup_at_most_s
        return max(WARM_UP_AT_MOST_S, WARM_UP_FACTOR * self.warmup_s)

    @model_validator(mode="after")
    def _longest_is_no_less_than_least(self) -> Self:
        if self.warmup_at_most_s is not None and self.warmup_at_most_s < self.warmup_s:
            raise MisfitError(
                "warmup_at_most_s",
                f"must be at least {self.warmup_s}, as `warmup_s` is, not {self.warmup_at_most_s}",
            )
        if self.until is not None and self.until.at_most_s < self.control_s:
            raise MisfitError(
                "until.at_most_s",
                f"must be at least {self.control_s}, as `control_s` is, not {self.until.at_most_s}",
            )
        return self
