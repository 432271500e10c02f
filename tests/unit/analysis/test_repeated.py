from dataclasses import replace

import pytest

from cluster.analysis.level import summarise_level
from cluster.analysis.run import RunFacts, summarise_run
from cluster.analysis.uncertainty.repeated import (
    between_runs,
    repeated_figures,
    trials_agree,
    trials_of,
)
from cluster.experiment.model import Experiment, Load
from fakes.levels import Truth, level_record

LEVEL = Truth(offered_per_s=4_000, control_s=10)


def slower(factor):
    """An engine that is slower in this run, for no reason that the run could see."""
    return lambda rng, n, _second: 100_000 * factor * rng.lognormal(0, 0.3, n)


def trial_record(number, truth, clients="planned"):
    record = level_record(replace(truth, index=number))
    return replace(record, level=replace(record.level, trial=number, clients=clients))


def trials(*factors, **changes):
    return [
        summarise_level(trial_record(i, replace(LEVEL, engine=slower(factor), **changes)))
        for i, factor in enumerate(factors)
    ]


def test_the_interval_between_runs_is_student_s_t():
    mean, half = between_runs([9.0, 10.0, 11.0])

    # s = 1, t with 2 degrees of freedom = 4.303, over √3
    assert mean == 10
    assert half == pytest.approx(4.3027 / 3**0.5, rel=1e-4)


def test_figures_of_trials_have_the_interval_between_runs():
    figures = {figure.figure: figure for figure in repeated_figures(trials(1, 1.2, 1.4))}
    p50 = figures["response p50"]

    assert {"throughput_per_s", "response p50", "response p99", "response p99.9"} == set(figures)
    assert len(p50.values) == 3
    assert p50.low < min(p50.values)
    assert p50.high > max(p50.values)
    assert p50.half_width_ratio == pytest.approx((p50.high - p50.low) / 2 / p50.mean)
    assert figures["throughput_per_s"].mean == pytest.approx(4_000, rel=0.01)


def test_a_figure_that_a_trial_lacks_is_none_and_says_why():
    levels = trials(1) + trials(1, timed_out_per_s=80)
    levels[1] = levels[1].model_copy(update={"trial": 1})
    figures = {figure.figure: figure for figure in repeated_figures(levels)}

    assert figures["response p99"].mean is None
    assert figures["response p99"].low is None
    assert "trial 2 has none: p99 falls among" in figures["response p99"].not_measured
    assert len(figures["response p99"].values) == 1
    assert figures["response p50"].mean is not None


def test_a_level_that_was_run_once_is_not_repeated():
    assert repeated_figures(trials(1)) == []


def test_levels_from_twice_the_clients_and_of_other_loads_are_other_levels():
    twin = summarise_level(trial_record(1, LEVEL, clients="doubled"))
    other = summarise_level(trial_record(2, replace(LEVEL, offered_per_s=2_000)))

    assert trials_of([*trials(1), twin, other]) == []


def test_a_rate_that_stands_twice_in_a_trial_is_two_levels():
    one, two = trials(1, 1)
    twice = [one, one.model_copy(update={"index": 5}), two, two.model_copy(update={"index": 6})]

    assert [[0, 1], [5, 6]] == [[level.index for level in same] for same in trials_of(twice)]


def test_trials_that_differ_beyond_their_own_intervals_are_told():
    (finding,) = trials_agree(trials(1, 1.4, 1.1))

    assert finding.code == "trials-differ"
    assert "in trial 1 and" in finding.message
    assert "in trial 2" in finding.message


def test_trials_that_are_alike_are_silent():
    assert trials_agree(trials(1, 1.0, 1.02)) == []


def test_trials_that_differ_by_little_are_silent_however_exact_they_are():
    assert trials_agree(trials(1, 1.07)) == []


def test_a_run_of_trials_says_so():
    records = [trial_record(i, replace(LEVEL, engine=slower(f))) for i, f in enumerate((1, 1.5))]
    facts = RunFacts("0.1.0", "2026-11-23T14:05:02Z", 20, "reference", "engine (1)")
    summary = summarise_run(records, Experiment(name="t", load=Load(rates_per_s=[4_000])), facts)

    assert summary.trials == 2
    assert len(summary.repeated) == 4
    assert "trials-differ" in {finding.code for finding in summary.findings}
