"""Whether orders left by their law: what keeps it is let pass, what does not is found."""

from dataclasses import replace

import numpy as np
import pytest

from cluster.analysis.clients.client_rules import arrivals_by_law
from cluster.analysis.clients.dispersion import dispersion
from cluster.analysis.clients.gap_tests import (
    anderson_darling,
    anderson_darling_p,
    distance,
    distance_by_chance,
    moved_ns,
)
from cluster.analysis.clients.holm import holm
from cluster.analysis.clients.send_law import SendLaw, send_law
from cluster.analysis.clients.send_sample import binned, gap_sample
from cluster.analysis.clients.senders import ALL
from cluster.analysis.observed import observe
from cluster.experiment.model import Bursts, Hawkes
from cluster.results.finding import Severity
from cluster.results.over_time import sample_slice
from cluster.units import NS_PER_MS, NS_PER_S, NS_PER_US
from fakes.levels import Truth, constant, level_record
from fakes.sending import activity, hawkes, held_until, in_bursts, poisson, with_sends

SECONDS = 6
RATE = 20_000
TRUTH = Truth(offered_per_s=RATE, warmup_s=1, control_s=SECONDS - 1)
RECORD = level_record(TRUTH)
POISSON = {"arrivals": "poisson"}


def seen_of(sends, record=RECORD, **level):
    return observe(with_sends(record, sends, **level))


def told(seen):
    """The findings of the arrival law: code → severity."""
    return {f.code: f.severity for f in arrivals_by_law(seen)}


def kept(seen):
    return {judged.test.who: judged.test.kept for judged in seen.arrivals}


def each(law, *args, rate=RATE / 2, seconds=SECONDS, agents=2, seed=1):
    """Independent sends of every agent."""
    rng = np.random.default_rng(seed)
    return [law(rng, rate, seconds, *args) for _ in range(agents)]


def test_poisson_sends_keep_their_law_each_client_s_and_all_together():
    seen = seen_of(each(poisson), **POISSON)
    together = seen.arrivals[-1].test

    assert kept(seen) == {"agent-0": True, "agent-1": True, ALL: True}
    assert told(seen) == {}
    assert together.gaps == pytest.approx(2048 * (SECONDS - 1), rel=0.05)
    assert together.distance < 0.02
    assert together.dispersion == pytest.approx(together.dispersion_expected, rel=0.5)
    assert together.dispersion_expected == {"1 ms": 1, "10 ms": 1, "100 ms": 1}
    assert "fewer than 30" in together.not_measured["dispersion 1 s"]


def test_levels_that_keep_their_law_are_not_told_otherwise():
    """One in a thousand may be; of 150, of three rates, two with a chance of one in a hundred."""
    false_alarms = 0
    for rate in (200, 2_000, 20_000):
        record = level_record(Truth(offered_per_s=rate, control_s=5))
        for seed in range(50):
            sends = each(poisson, rate=rate / 2, seed=seed)
            false_alarms += bool(told(seen_of(sends, record, **POISSON)))

    assert false_alarms <= 1


def test_regular_sends_where_poisson_arrivals_were_asked_for_are_not_the_load():
    regular = [np.arange(RATE / 2 * SECONDS) * NS_PER_S * 2 / RATE + i * 3e4 for i in range(2)]
    seen = seen_of(regular, **POISSON)

    assert told(seen) == {"arrival-law-missed": Severity.INVALID}
    assert set(kept(seen).values()) == {False}
    assert "lateness does not explain" in arrivals_by_law(seen)[0].advice


def test_poisson_sends_where_a_constant_rate_was_asked_for_are_not_the_load():
    assert told(seen_of(each(poisson))) == {"arrival-law-missed": Severity.INVALID}


def test_constant_sends_keep_their_law_and_interleave_to_no_dispersion_at_all():
    seen = observe(RECORD)

    assert told(seen) == {}
    assert seen.arrivals[-1].test.dispersion == {"1 ms": 0, "10 ms": 0, "100 ms": 0}


def test_clients_with_the_same_seed_are_found_in_the_superposition_only():
    one = each(poisson, agents=1)[0]
    seen = seen_of([one, one], **POISSON)

    assert kept(seen) == {"agent-0": True, "agent-1": True, ALL: False}
    assert told(seen) == {"arrival-law-missed": Severity.INVALID}
    assert "all clients" in arrivals_by_law(seen)[0].message


def test_constant_clients_in_step_are_found_in_the_superposition():
    one = np.arange(RATE / 2 * SECONDS) * NS_PER_S * 2 / RATE

    assert kept(seen_of([one, one])) == {"agent-0": True, "agent-1": True, ALL: False}


def test_a_rate_that_comes_and_goes_is_found_by_its_counts():
    """±40 % every 100 ms: hardly a gap is out of place."""
    rng = np.random.default_rng(3)
    sends = []
    for times in each(poisson, rate=RATE * 0.7):
        high = times // (100 * NS_PER_MS) % 2 == 0
        sends.append(times[high | (rng.random(len(times)) < 0.6 / 1.4)])
    seen = seen_of(sends, **POISSON)
    test = seen.arrivals[-1].test

    assert told(seen) == {"arrival-law-missed": Severity.INVALID}
    assert test.dispersion["100 ms"] > 50 * test.dispersion_expected["100 ms"]


def late_by(lag_us):
    """A level whose orders were late by anything up to so much."""
    return level_record(
        replace(TRUTH, lag=lambda rng, n, _s: rng.uniform(0, lag_us, n) * NS_PER_US)
    )


def test_clumps_that_the_clients_lateness_explains_are_a_warning():
    tick_us = 200
    sends = [held_until(times, tick_us * NS_PER_US) for times in each(poisson)]
    seen = seen_of(sends, late_by(tick_us), **POISSON)
    message = arrivals_by_law(seen)[0].message

    assert told(seen) == {"arrivals-bunched": Severity.WARNING}
    assert "in clumps" in message
    assert "from the law's" in message


def test_the_same_clumps_without_any_lateness_are_not_the_load():
    sends = [held_until(times, 200 * NS_PER_US) for times in each(poisson)]

    assert told(seen_of(sends, **POISSON)) == {"arrival-law-missed": Severity.INVALID}


def test_clumps_of_several_ms_are_not_the_load_though_lateness_explains_them():
    sends = [held_until(times, 5 * NS_PER_MS) for times in each(poisson)]
    seen = seen_of(sends, late_by(5_000), **POISSON)

    assert told(seen) == {"arrival-law-missed": Severity.INVALID}


def test_clumps_that_are_nothing_beside_the_response_time_are_none():
    """Several orders to a system call: half of all gaps are 0, and nobody can see it."""
    slow = replace(TRUTH, engine=constant(3_000))
    sends = [held_until(times, 100 * NS_PER_US) for times in each(poisson)]
    seen = seen_of(sends, level_record(slow), **POISSON)

    assert told(seen) == {}
    assert seen.arrivals[0].test.distance > 0.3
    assert seen.arrivals[0].test.moved_ns > 10 * NS_PER_US


def test_sends_that_the_engine_held_up_do_not_accuse_the_clients():
    sends = [held_until(times, 5 * NS_PER_MS) for times in each(poisson)]
    record = level_record(
        replace(
            TRUTH,
            lag=lambda rng, n, _s: rng.uniform(0, 5_000, n) * NS_PER_US,
            rwnd_limited_ratio=0.5,
        )
    )

    assert told(seen_of(sends, record, **POISSON)) == {}


def test_orders_that_never_left_because_connections_ended_do_not_accuse_the_clients():
    record = level_record(replace(TRUTH, lost_per_s=400))
    half = [times[times < 3 * NS_PER_S] for times in each(poisson)]

    assert told(seen_of(half, **POISSON)) == {"arrival-law-missed": Severity.INVALID}
    assert told(seen_of(half, record, **POISSON)) == {}


BURSTS = Bursts(on_ms=10, off_ms=90)
CROWD = Truth(offered_per_s=2_000, warmup_s=1, control_s=SECONDS - 1)


def test_bursts_keep_their_law_and_have_the_dispersion_of_bursts():
    level = {"arrivals": "bursts", "law": BURSTS}
    seen = seen_of(each(in_bursts, BURSTS, rate=1_000), level_record(CROWD), **level)
    test = seen.arrivals[-1].test

    assert told(seen) == {}
    assert test.kept
    assert test.dispersion["10 ms"] == pytest.approx(test.dispersion_expected["10 ms"], rel=0.1)
    assert test.dispersion_expected["10 ms"] > 100


def test_an_even_rate_is_no_burst():
    level = {"arrivals": "bursts", "law": BURSTS}
    seen = seen_of(each(poisson, rate=1_000), level_record(CROWD), **level)

    assert told(seen) == {"arrival-law-missed": Severity.INVALID}


def test_self_exciting_sends_are_judged_by_their_counts():
    law = Hawkes()
    level = {"arrivals": "hawkes", "law": law}
    exciting = seen_of(each(hawkes, law), **level)
    test = exciting.arrivals[-1].test

    assert told(exciting) == {}
    assert test.kept
    assert test.distance is None
    assert "depends on all orders before" in test.not_measured["distance"]
    assert test.dispersion["10 ms"] == pytest.approx(test.dispersion_expected["10 ms"], rel=0.3)
    assert told(seen_of(each(poisson), **level)) == {"arrival-law-missed": Severity.INVALID}


def test_self_exciting_levels_that_keep_their_law_are_not_told_otherwise():
    law = Hawkes(branching_ratio=0.9, decay_ms=50)
    level, record = {"arrivals": "hawkes", "law": law}, level_record(CROWD)
    alarms = [
        told(seen_of(each(hawkes, law, rate=1_000, seed=seed), record, **level))
        for seed in range(40)
    ]

    assert alarms.count({}) == len(alarms)


def test_recorded_times_are_compared_by_the_counts_that_were_due():
    seen = seen_of(each(poisson), arrivals="recorded")
    test = seen.arrivals[-1].test

    assert test.kept is None
    assert test.not_measured["kept"] == "recorded times follow no law"
    assert set(test.dispersion) == {"1 ms", "10 ms", "100 ms"}
    assert test.dispersion_expected == {"100 ms": 0}
    assert told(seen) == {}


def test_closed_loop_there_is_no_law_to_keep():
    assert (
        observe(level_record(replace(TRUTH, offered_per_s=None, answered_per_s=999))).arrivals == []
    )


def test_a_cut_sample_is_none_and_counts_are_judged_alone():
    record = with_sends(RECORD, each(poisson), **POISSON)
    agents = tuple(
        replace(a, activity=tuple(replace(s, sample_cut=True) for s in a.activity))
        for a in record.agents
    )
    test = observe(replace(record, agents=agents)).arrivals[0].test

    assert test.distance is None
    assert "than could be kept" in test.not_measured["distance"]
    assert test.kept is True


def test_records_without_activity_are_not_judged():
    agents = tuple(replace(a, activity=()) for a in RECORD.agents)

    assert observe(replace(RECORD, agents=agents)).arrivals == []


def test_slices_laid_end_to_end_have_the_law_s_gaps_and_gaps_inside_of_them_are_too_short():
    """Twenty orders to a slice: a gap inside is short by a twentieth."""
    record = level_record(Truth(offered_per_s=200_000, control_s=19, agents=1))
    law, piece = SendLaw(2_000, "exponential"), sample_slice(200_000)
    times = poisson(np.random.default_rng(2), 2_000, 20)
    seconds = activity(record, times)
    laid = gap_sample(seconds, piece, law).gaps_ns
    inside = np.concatenate([np.diff(second.send_sample_ns) for second in seconds])

    assert laid.mean() == pytest.approx(law.gap_ns, rel=0.1)
    assert inside.mean() < 0.97 * laid.mean()
    assert distance(laid, law) < distance_by_chance(len(laid), 0.01)


def test_the_law_itself_is_rejected_as_often_as_was_said():
    law, rng = SendLaw(1e5, "exponential"), np.random.default_rng(5)
    samples = [np.diff(np.floor(np.cumsum(rng.exponential(1e4, 401)))) for _ in range(1500)]
    by_distance = np.mean([distance(s, law) > distance_by_chance(400, 0.05) for s in samples])
    p_values = np.array([anderson_darling_p(anderson_darling(s)) for s in samples])

    assert by_distance == pytest.approx(0.05, abs=0.02)
    for chance in (0.01, 0.05, 0.15, 0.5):
        assert (p_values < chance).mean() == pytest.approx(chance, abs=0.01 + chance / 5)


def test_counts_of_the_law_itself_are_rejected_no_more_often_than_was_said():
    record, law = level_record(Truth(offered_per_s=2_000, control_s=4)), SendLaw(2e3, "exponential")
    rng, rejected = np.random.default_rng(6), {1: 0, 10: 0, 100: 0}
    for _ in range(400):
        seconds = activity(record, poisson(rng, 2_000, 5))
        for length_ms in rejected:
            found = dispersion(binned(seconds, length_ms, law), law, 0.05)
            rejected[length_ms] += found.moved_ns > 0

    assert all(count < 0.09 * 400 for count in rejected.values())


def test_by_how_much_gaps_were_moved_is_a_time():
    law, rng = SendLaw(1e4, "constant"), np.random.default_rng(7)
    lag = rng.uniform(0, 10_000, 5_001)
    gaps = np.diff(np.arange(5_001) * law.gap_ns + lag)

    assert moved_ns(np.full(50, law.gap_ns), law, 0.02) == 0
    assert 7_000 < moved_ns(gaps, law, 0.02) < 10_000


def test_a_tail_of_critical_values_is_that_of_the_table():
    for statistic, chance in ((0.922, 0.15), (1.078, 0.10), (1.341, 0.05), (1.957, 0.01)):
        assert anderson_darling_p(statistic) == pytest.approx(chance, rel=0.08)
    assert anderson_darling_p(50) < 1e-6


def test_holm_s_values_rise_and_multiply():
    assert holm([0.04, 0.01, 0.9]) == pytest.approx([0.08, 0.03, 0.9])


def test_the_dispersion_of_self_exciting_counts_rises_to_that_of_long_windows():
    law = send_law(replace(RECORD.level, arrivals="hawkes", law=Hawkes()), 1_000)

    assert law.dispersion(1) == pytest.approx(1, abs=0.01)
    assert law.dispersion(100 * NS_PER_S) == pytest.approx(25, rel=0.01)
