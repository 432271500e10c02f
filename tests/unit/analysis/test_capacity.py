"""What several trials of the same loads say together."""

from dataclasses import replace

import pytest

from cluster.analysis.level import summarise_level
from cluster.analysis.verdict.capacity import capacity, level_to_repeat
from cluster.experiment.model import Experiment
from cluster.experiment.plan import plan
from cluster.results.finding import Finding, Severity
from cluster.results.summary import LevelSummary
from fakes.levels import Truth, level_record

LOW = summarise_level(level_record(Truth(offered_per_s=1_000)))
HIGH = summarise_level(level_record(Truth(offered_per_s=2_000)))
CLOSED = summarise_level(level_record(Truth(offered_per_s=None, answered_per_s=3_000)))
LATE = Finding(severity=Severity.INVALID, code="rate-not-reached", message="too slow")
PLANNED = plan(
    Experiment.model_validate(
        {
            "name": "x",
            "load": {"rates_per_s": [1_000, 2_000], "maximum": {"in_flight": 1024}},
            "measure": {"trials": 2},
        }
    ),
    frozenset({0}),
)


def run(*trials: tuple[LevelSummary, ...]) -> list[LevelSummary]:
    """The levels of a run, with the indices that a plan gives them."""
    longest = max(map(len, trials))
    return [
        level.model_copy(update={"index": trial * longest + place, "trial": trial})
        for trial, levels in enumerate(trials)
        for place, level in enumerate(levels)
    ]


def failed(level: LevelSummary, ended_early: str = "") -> LevelSummary:
    return level.model_copy(update={"valid": False, "findings": [LATE], "ended_early": ended_early})


def slower(level: LevelSummary, ratio: float) -> LevelSummary:
    mean = (level.throughput_per_s.mean or 0) * ratio
    return level.model_copy(
        update={"throughput_per_s": level.throughput_per_s.model_copy(update={"mean": mean})}
    )


def test_a_rate_that_was_valid_in_every_trial_is_sustained_at_its_lowest() -> None:
    found = capacity(run((LOW, HIGH), (LOW, slower(HIGH, 0.995)), (LOW, HIGH)))

    assert found.sustained is not None
    assert (found.sustained.trial, found.sustained.offered_per_s) == (1, 2_000)
    assert found.sustained_per_s == pytest.approx(0.995 * 2_000, rel=0.01)


def test_a_rate_that_failed_in_one_trial_is_not_sustained_but_decides() -> None:
    found = capacity(run((LOW, HIGH), (LOW, failed(HIGH))))

    assert found.sustained is not None
    assert found.sustained.offered_per_s == 1_000
    assert found.deciding is not None
    assert (found.deciding.trial, found.deciding.offered_per_s) == (1, 2_000)
    assert found.limit == "rate"


def test_a_trial_whose_rise_ended_below_does_not_confirm_a_rate() -> None:
    found = capacity(run((LOW, HIGH), (failed(LOW, "p99 rose"),)))

    assert found.sustained is None
    assert found.deciding is not None
    assert found.deciding.offered_per_s == 1_000


def test_a_trial_that_the_user_ended_takes_nothing_back() -> None:
    levels = run((LOW, HIGH), (failed(LOW, "interrupted"),))

    found = capacity(levels, interrupted=True)

    assert found.sustained is not None
    assert found.sustained.offered_per_s == 2_000


def test_what_failed_before_the_user_ended_a_trial_did_fail() -> None:
    levels = run((LOW, HIGH), (LOW, failed(HIGH), failed(CLOSED, "interrupted")))

    found = capacity(levels, interrupted=True)

    assert found.sustained is not None
    assert found.sustained.offered_per_s == 1_000


def test_the_closed_loop_maximum_is_one_that_every_trial_reached() -> None:
    both = capacity(run((LOW, CLOSED), (LOW, slower(CLOSED, 0.9))))
    once = capacity(run((LOW, CLOSED), (LOW, failed(CLOSED))))

    assert both.closed_loop_max_per_s == pytest.approx(0.9 * 3_000, rel=0.01)
    assert once.closed_loop is None


def test_levels_that_compare_clients_count_for_nothing() -> None:
    levels = run((LOW, HIGH))
    pair = [
        failed(HIGH).model_copy(update={"index": index, "clients": clients})
        for index, clients in ((2, "repeated"), (3, "doubled"))
    ]

    assert capacity([*levels, *pair]) == capacity(levels)


def test_the_level_to_repeat_is_the_highest_valid_one_of_the_last_trial() -> None:
    opened = level_to_repeat(PLANNED, run((LOW, HIGH, CLOSED), (LOW, failed(HIGH), CLOSED)))
    closed = level_to_repeat(PLANNED, run((failed(LOW), failed(HIGH), CLOSED), (LOW, HIGH, CLOSED)))

    assert opened is PLANNED.levels[3]
    assert closed is PLANNED.levels[5]
    assert level_to_repeat(PLANNED, run((failed(LOW),))) is None


def test_a_file_at_a_speed_is_the_same_load_in_each_trial_whatever_it_offered() -> None:
    at_speed = LOW.model_copy(update={"speed": 2.0, "arrivals": "recorded"})
    other = replace_offer(at_speed, 1_010)

    found = capacity(run((at_speed,), (other,)))

    assert found.sustained is not None


def replace_offer(level: LevelSummary, offered_per_s: float) -> LevelSummary:
    return level.model_copy(update={"offered_per_s": offered_per_s})


def test_a_record_names_its_trial_in_its_summary() -> None:
    record = level_record(Truth(offered_per_s=1_000))

    summary = summarise_level(replace(record, level=replace(record.level, trial=2)))

    assert (summary.trial, summary.clients) == (2, "planned")
