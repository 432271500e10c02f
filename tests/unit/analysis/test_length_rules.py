"""Warm-ups and intervals that were waited for: said where they did not come, silent elsewhere."""

from dataclasses import replace

import numpy as np

from cluster.analysis.observed import observe
from cluster.analysis.validity import findings
from cluster.experiment.measure import Until
from cluster.results.finding import Finding
from cluster.results.level import LevelRecord
from cluster.units import NS_PER_US
from fakes.levels import Truth, level_record

STEADY = Truth(offered_per_s=2_000, warmup_s=2, control_s=10)


def settling(rng: np.random.Generator, n: int, second: int) -> np.ndarray:
    """A wire that is slow at first and settles after four seconds."""
    return rng.normal(60 if second < 4 else 20, 1, n).clip(0) * NS_PER_US


def level(truth: Truth, **changes: object) -> LevelRecord:
    record = level_record(truth)
    return replace(record, level=replace(record.level, **changes))  # type: ignore[arg-type]


def found(record: LevelRecord, code: str) -> Finding | None:
    told = {finding.code: finding for finding in findings(observe(record))}
    return told.get(code)


def test_a_warm_up_that_outlasted_its_bound_is_told() -> None:
    told = found(level(replace(STEADY, wire=settling), warmup_at_most_s=2), "not-warmed-up")

    assert told is not None
    assert "after 2 s, as late as `measure.warmup_at_most_s` allows" in told.message
    assert "settled 4.00 s after the start" in told.message


def test_a_level_that_had_settled_is_not() -> None:
    assert found(level(STEADY, warmup_at_most_s=2), "not-warmed-up") is None


def test_a_warm_up_below_its_bound_was_over_when_the_driver_asked() -> None:
    still = level(replace(STEADY, wire=settling), warmup_at_most_s=10)

    assert found(still, "not-warmed-up") is None


def test_an_interval_that_stayed_too_wide_is_told_with_how_far_it_came() -> None:
    until = Until(percentile="p99", half_width_ratio=0.0001, at_most_s=10)

    told = found(level(STEADY, until=until), "interval-too-wide")

    assert told is not None
    assert told.message.startswith("After 10 s, the most that `measure.until` allows, p99 is known")
    assert told.message.endswith("; ± 0.01% was asked for.")


def test_an_interval_that_is_not_known_at_all_is_told_with_the_reason() -> None:
    few = replace(STEADY, offered_per_s=20)
    until = Until(percentile="p99_9", at_most_s=10)

    told = found(level(few, until=until), "interval-too-wide")

    assert told is not None
    assert "the interval of p99.9 is not known" in told.message


def test_an_interval_that_is_narrow_enough_is_not() -> None:
    assert found(level(STEADY, until=Until(at_most_s=10)), "interval-too-wide") is None


def test_a_level_that_ended_before_its_bound_is_not() -> None:
    until = Until(half_width_ratio=0.0001, at_most_s=600)

    assert found(level(STEADY, until=until), "interval-too-wide") is None
