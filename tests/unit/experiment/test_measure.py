"""Lengths and repetitions: what may be written, and what it means."""

import pytest

from cluster.errors import ConfigError
from cluster.experiment.model import Experiment, Measure
from cluster.experiment.plan import plan
from cluster.experiment.reader import parse_experiment
from cluster.experiment.wire import compile_protocol

CPUS = frozenset({0, 1})
BURSTS = "load: {rates_per_s: [1000], arrivals: {bursts: {on_ms: 100, off_ms: 200}}}\n"


def read(measure: str, load: str = "load: {rates_per_s: [1000, 2000]}\n") -> Experiment:
    return parse_experiment(f"name: x\n{load}profile: off\nmeasure: {measure}\n", "x.yaml")


def mistake(measure: str, load: str = "load: {rates_per_s: [1000]}\n") -> str:
    with pytest.raises(ConfigError) as raised:
        read(measure, load)
    return str(raised.value)


@pytest.mark.parametrize(("warmup_s", "longest_s"), [(0, 10), (2, 10), (4, 12)])
def test_a_warm_up_may_last_three_times_as_long_or_ten_seconds(
    warmup_s: int, longest_s: int
) -> None:
    assert Measure(warmup_s=warmup_s).warmup_longest_s == longest_s


def test_a_bound_of_the_warm_up_that_equals_it_fixes_the_level() -> None:
    (first, _) = plan(read("{warmup_s: 3, warmup_at_most_s: 3, control_s: 5}"), CPUS).levels

    assert first.duration_s == first.longest_s == 8


def test_the_longest_level_holds_both_bounds() -> None:
    text = "{warmup_s: 1, warmup_at_most_s: 4, control_s: 5, until: {at_most_s: 60}}"
    (first, _) = plan(read(text), CPUS).levels

    assert (first.duration_s, first.longest_s) == (6, 64)
    assert first.until is not None
    assert (first.until.percent, first.until.half_width_ratio) == (99.0, 0.05)


def test_bounds_are_no_less_than_what_they_bound() -> None:
    assert mistake("{warmup_s: 5, warmup_at_most_s: 4}") == (
        "x.yaml:4: measure.warmup_at_most_s: must be at least 5, as `warmup_s` is, not 4"
    )
    assert mistake("{control_s: 9, until: {at_most_s: 8}}") == (
        "x.yaml:4: measure.until.at_most_s: must be at least 9, as `control_s` is, not 8"
    )


def test_what_is_no_number_of_trials_or_no_percentile_is_said() -> None:
    assert "measure.trials: must be a whole number from 1 to 100" in mistake("{trials: 0}")
    assert "`p50` or `p95` or `p99` or `p99_9`" in mistake("{until: {percentile: p90}}")
    assert "measure.until.half_width_ratio" in mistake("{until: {half_width_ratio: 0}}")


def test_bursts_must_fit_every_length_that_a_window_may_have() -> None:
    """Of periods of 0.3 s, three seconds hold ten and four seconds 13.3."""
    read("{control_s: 3}", BURSTS)

    assert "a window of 4 s holds 13.33" in mistake("{control_s: 3, until: {}}", BURSTS)
    read("{control_s: 3, until: {at_most_s: 3}}", BURSTS)
    read("{control_s: 30, until: {}}", BURSTS)


def test_every_trial_has_all_levels_with_indices_of_their_own() -> None:
    planned = plan(read("{trials: 3}"), CPUS)

    assert [level.index for level in planned.levels] == [0, 1, 2, 3, 4, 5]
    assert [level.trial for level in planned.levels] == [0, 0, 1, 1, 2, 2]
    assert [level.offered_per_s for level in planned.trials[2]] == [1000, 2000]
    assert planned.trials[0][1].name == "level 2"
    assert planned.trials[2][1].name == "level 6 (trial 3)"


def test_ids_are_dealt_out_for_the_longest_levels_of_all_trials_and_the_pair() -> None:
    fixed = read("{warmup_s: 1, warmup_at_most_s: 1, control_s: 9}")
    longer = read(
        "{warmup_s: 1, control_s: 9, until: {at_most_s: 90}, trials: 2, client_invariance: true}"
    )

    short = compile_protocol(fixed, plan(fixed, CPUS)).ids
    long = compile_protocol(longer, plan(longer, CPUS)).ids

    assert (len(short), len(long)) == (2, 2 * 2 + 2)
