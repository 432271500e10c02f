from dataclasses import replace

import pytest

from cluster.analysis.clients.calibration import (
    calibrated_share,
    host_shares,
    reflector_floor,
    within_calibrated_rate,
)
from cluster.analysis.level import summarise_level
from cluster.analysis.observed import observe
from cluster.analysis.run import RunFacts, summarise_run
from cluster.analysis.verdict.case import Case
from cluster.experiment.model import Experiment, Load
from cluster.results.summary import Calibration
from cluster.units import NS_PER_US
from fakes.levels import Truth, level_record

# Two agents, on load-0 and load-1: each sends 2,000/s.
LEVEL = level_record(Truth(offered_per_s=4_000, control_s=2))


def calibration(host="load-0", rate_per_s=10_000.0, **facts):
    return Calibration(
        **{
            "host": host,
            "against": "loopback",
            "measured_at": "2026-11-24T12:00:00+00:00",
            "floor_p50_ns": 20 * NS_PER_US,
            "floor_p99_ns": 60 * NS_PER_US,
            "clean_rate_per_s": rate_per_s,
            "bound_by": "client",
            **facts,
        }
    )


def codes(record, *calibrations):
    return [f.code for f in summarise_level(record, calibrations=calibrations).findings]


def share(record, *calibrations):
    return calibrated_share(Case(observe(record), (), "", calibrations))


def floor(record, *calibrations):
    return reflector_floor(Case(observe(record), (), "", calibrations))


def on_one_host(record):
    return replace(record, agents=tuple(replace(a, host="load-0") for a in record.agents))


@pytest.mark.parametrize(("rate_per_s", "fires"), [(2_800, True), (2_900, False), (1_000, True)])
def test_a_level_beyond_70_percent_of_the_calibrated_rate_is_warned_of(rate_per_s, fires):
    found = codes(LEVEL, calibration("load-1", rate_per_s), calibration("load-0", 100_000))

    assert ("beyond-calibrated-rate" in found) == fires


def test_the_warning_names_the_host_and_the_share_and_leaves_the_level_valid():
    level = summarise_level(LEVEL, calibrations=[calibration("load-1", 2_500)])
    (found,) = [f for f in level.findings if f.code == "beyond-calibrated-rate"]

    assert "load-1" in found.message
    assert "80%" in found.message
    assert level.valid


def test_without_calibration_nothing_is_said():
    unknown = calibration(rate_per_s=None, not_measured="no SSH")

    assert "beyond-calibrated-rate" not in codes(LEVEL)
    assert "beyond-calibrated-rate" not in codes(LEVEL, unknown)
    assert share(LEVEL) is None


def test_closed_loop_offers_no_rate():
    closed = level_record(Truth(offered_per_s=None, answered_per_s=4_000, control_s=2))

    assert codes(closed, calibration(rate_per_s=100)) == codes(closed)


def test_agents_of_one_host_share_what_it_can_do():
    (both,) = host_shares(
        LEVEL.level,
        {"agent-0": "load-0", "agent-1": "load-0"},
        [calibration(rate_per_s=2_500, agents=2)],
    )

    assert both.offered_per_s == 4_000
    assert both.clean_per_s == 5_000
    assert "beyond-calibrated-rate" in codes(
        on_one_host(LEVEL), calibration(rate_per_s=2_500, agents=2)
    )
    assert "beyond-calibrated-rate" not in codes(
        on_one_host(LEVEL), calibration(rate_per_s=2_900, agents=2)
    )


def test_a_rate_that_the_reflector_bounded_does_not_hide_what_the_client_can_do():
    hosts = {"agent-0": "load-0", "agent-1": "load-1"}
    at_engine = calibration(rate_per_s=1_000, against="engine host", bound_by="reflector")
    (worst,) = host_shares(LEVEL.level, hosts, [calibration(rate_per_s=8_000), at_engine])
    (only,) = host_shares(LEVEL.level, hosts, [at_engine])

    assert worst.ratio == pytest.approx(0.25)
    assert not worst.at_least
    assert only.at_least
    assert "at least" in only.in_words


@pytest.mark.parametrize(
    ("rate_per_s", "bound_by", "supports", "against", "weight"),
    [
        (1_500, "client", "client", [], 1.5),
        (2_500, "client", "client", [], 0.7),
        (2_500, "reflector", None, [], 0.0),
        (4_000, "client", None, [], 0.0),
        (10_000, "client", None, ["client"], 1.0),
        (10_000, "time", None, ["client"], 1.0),
    ],
)
def test_the_share_of_the_calibrated_rate_is_evidence(
    rate_per_s, bound_by, supports, against, weight
):
    row = share(LEVEL, calibration(rate_per_s=rate_per_s, bound_by=bound_by))

    assert (row.supports, row.against, row.weight) == (supports, against, weight)


# Service times: 20 µs on the way and 5 µs in the engine.
@pytest.mark.parametrize(
    ("facts", "clears"),
    [
        ({"against": "engine host"}, True),
        ({"against": "engine host", "floor_p50_ns": 10_000}, False),
        # A stall of the engine is in the tail, and not in the median.
        ({"against": "engine host", "floor_p99_ns": 10_000}, False),
    ],
)
def test_a_reflector_that_takes_as_long_clears_the_engine(facts, clears):
    row = floor(LEVEL, calibration(**facts))

    assert (row.against == ["engine"]) == clears
    assert (row.weight > 0) == clears


@pytest.mark.parametrize(
    "facts", [{"against": "loopback"}, {"against": "engine host", "bound_by": "other load"}]
)
def test_a_floor_of_another_path_or_of_a_busy_host_says_nothing(facts):
    assert floor(LEVEL, calibration(**facts)) is None


def test_the_summary_of_a_run_has_its_calibrations():
    facts = RunFacts(
        version="0.1.0",
        started_at="2026-11-23T14:05:02Z",
        duration_s=20,
        source="running",
        process="",
        calibrations=[calibration("load-0", 2_500)],
    )
    summary = summarise_run([LEVEL], Experiment(name="x", load=Load(rates_per_s=[4_000])), facts)

    assert summary.calibrations == [calibration("load-0", 2_500)]
    assert "beyond-calibrated-rate" in [f.code for f in summary.levels[0].findings]


def test_the_rule_is_silent_about_a_level_whose_agents_are_not_calibrated():
    assert within_calibrated_rate(observe(LEVEL), [calibration("elsewhere", 1)]) is None
