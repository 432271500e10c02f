from dataclasses import replace

import pytest

from cluster.analysis.run import RunFacts, summarise_run
from cluster.experiment.model import Experiment, Load
from cluster.results.engine import Counter, EngineExit, HotFunction, ProfileWindow
from cluster.results.finding import Finding, Severity
from cluster.results.summary import Summary
from fakes.levels import Truth, level_record

EXPERIMENT = Experiment(name="quick", load=Load(rates_per_s=[2_000, 4_000]))
FACTS = RunFacts(
    version="0.1.0",
    started_at="2026-11-23T14:05:02Z",
    duration_s=20,
    source="reference",
    process="loadcluster-engine (4711)",
)
LEVEL = Truth(offered_per_s=2_000, control_s=4)
OVERLOADED = replace(LEVEL, offered_per_s=8_000, answered_per_s=4_000, threads=(("m", 0.99, 0),))


def profile(level, name="Book::match"):
    return ProfileWindow(
        level=level,
        start_ns=0,
        end_ns=1,
        counters=[Counter(event="cycles", value=None, why="no hardware counters")],
        ratios={"ipc": None},
        ratios_not_measured={"ipc": "no hardware counters"},
        samples=10,
        sample_event="cpu-clock",
        lost_samples=0,
        hot_functions=[
            HotFunction(name=name, module="e", self_ratio=0.5, total_ratio=0.6, samples=5)
        ],
        folded={"main;Book::match": 5},
        off_cpu_folded={"main;epoll_wait": 3_000, "main;futex_wait": 1_000},
    )


def run(*truths, facts=FACTS):
    records = [level_record(replace(truth, index=i)) for i, truth in enumerate(truths)]
    return summarise_run(records, EXPERIMENT, facts)


def codes(summary):
    return {finding.code: finding.severity for finding in summary.findings}


def test_a_good_run_is_valid_and_names_its_sustained_rate():
    summary = run(LEVEL, replace(LEVEL, offered_per_s=4_000))

    assert summary.valid
    assert summary.findings == []
    assert summary.verdict.sustained_per_s == pytest.approx(4_000, rel=0.01)
    assert [level.index for level in summary.levels] == [0, 1]


def test_a_level_beyond_the_engine_s_limit_does_not_make_the_run_invalid():
    summary = run(LEVEL, OVERLOADED)

    assert summary.valid
    assert not summary.levels[1].valid
    assert summary.verdict.bottleneck == "engine"


def test_clients_that_ended_the_rise_make_the_run_invalid():
    behind = replace(
        LEVEL,
        offered_per_s=4_000,
        lag=lambda rng, n, _second: rng.normal(9e6, 1e5, n),
        worker_wait_ratio=0.3,
    )
    summary = run(LEVEL, behind)

    assert not summary.valid
    assert summary.verdict.bottleneck == "client"


def test_a_lost_agent_makes_the_run_invalid_and_is_told_at_its_top():
    summary = run(LEVEL, replace(LEVEL, offered_per_s=4_000, lost_agent="host down"))

    assert not summary.valid
    assert codes(summary)["agent-lost"] == Severity.INVALID


def test_an_engine_that_ended_makes_the_run_invalid_and_keeps_what_was_measured():
    ended = EngineExit(
        level=1, offered_per_s=4_000, exit_status=1, signal=None, last_output="bye", sentence="X."
    )
    summary = run(
        LEVEL,
        replace(LEVEL, offered_per_s=4_000, ended_early="engine ended", completed_s=2),
        facts=replace(FACTS, engine_exit=ended, last_output="bye"),
    )

    assert not summary.valid
    assert codes(summary)["engine-ended"] == Severity.INVALID
    assert summary.engine.exit == ended
    assert summary.levels[0].valid


def test_a_run_without_a_valid_level_is_invalid_and_says_so():
    summary = run(OVERLOADED)

    assert not summary.valid
    assert codes(summary)["no-sustained-rate"] == Severity.INVALID


def test_a_run_without_any_level_is_invalid_and_whole():
    summary = run()

    assert not summary.valid
    assert summary.engine.memory.peak_bytes is None
    assert "peak_bytes" in summary.engine.memory.not_measured


def test_a_closed_loop_maximum_is_named_as_such():
    summary = run(LEVEL, replace(LEVEL, offered_per_s=None, answered_per_s=9_000))

    assert summary.valid
    assert codes(summary)["closed-loop-maximum"] == Severity.NOTE
    assert summary.levels[1].offered_per_s is None


def test_an_interrupted_run_says_so_and_keeps_its_levels():
    cut = replace(LEVEL, offered_per_s=4_000, ended_early="interrupted", completed_s=2)
    summary = run(LEVEL, cut, facts=replace(FACTS, interrupted=True))

    assert summary.interrupted
    assert codes(summary)["interrupted"] == Severity.WARNING
    assert len(summary.levels) == 2


def test_findings_of_the_driver_come_first_and_invalid_ones_count():
    told = Finding(severity=Severity.INVALID, code="level-did-not-start", message="No.")
    summary = run(LEVEL, facts=replace(FACTS, findings=(told,)))

    assert summary.findings[0] == told
    assert not summary.valid


def test_predictions_of_an_engine_that_polls_are_taken_back_in_every_level():
    polls = replace(LEVEL, threads=(("m", 1.0, 0),))
    summary = run(polls, replace(polls, offered_per_s=8_000))

    assert codes(summary)["engine-polls"] == Severity.NOTE
    assert [level.predicted_max_per_s for level in summary.levels] == [None, None]
    assert summary.verdict.predicted_max_per_s is None


def test_the_profile_shown_is_that_of_the_deciding_level():
    summary = run(
        replace(LEVEL, profile_s=2, profile=profile(0, "idle")),
        replace(OVERLOADED, profile_s=2, profile=profile(1)),
    )

    assert summary.profile.level == 1
    assert summary.profile.hot_functions[0].name == "Book::match"
    assert "Book::match" in summary.verdict.recommendation
    assert [f.name for f in summary.profile.off_cpu] == ["epoll_wait", "futex_wait"]
    assert summary.profile.off_cpu[0].self_ratio == pytest.approx(0.75)
    assert summary.engine.ratios_not_measured == {"ipc": "no hardware counters"}


def test_without_a_profile_of_the_deciding_level_the_next_best_is_shown():
    summary = run(replace(LEVEL, profile_s=2, profile=profile(0)), OVERLOADED)

    assert summary.profile.level == 0


def test_without_any_profile_it_is_said_why():
    summary = run(LEVEL, facts=replace(FACTS, no_profile="perf is not installed"))

    assert summary.profile.not_measured == "perf is not installed"
    assert run(LEVEL).profile.not_measured != ""


def test_memory_has_its_peak_its_faults_and_a_growth_over_time():
    summary = run(LEVEL, replace(LEVEL, profile_s=2))
    memory = summary.engine.memory

    assert memory.peak_bytes == 21_000_000
    assert memory.growth_bytes_per_s == 0
    assert memory.minor_faults_per_order == pytest.approx(10 / 16_000)
    assert memory.allocations is None
    assert "heap" in memory.not_measured["allocations"]


def test_every_figure_that_is_none_has_its_reason():
    summary = run(replace(LEVEL, offered_per_s=50, timed_out_per_s=2))
    for level in summary.levels:
        for quantity in (level.response_ns, level.service_ns, level.send_lag_ns, level.engine_ns):
            missing = {
                name
                for name, value in quantity.model_dump(exclude={"not_measured"}).items()
                if value is None
            }
            assert missing == set(quantity.not_measured)


def test_a_summary_is_json_and_back():
    summary = run(LEVEL, OVERLOADED)

    assert summary == Summary.model_validate_json(summary.model_dump_json())
