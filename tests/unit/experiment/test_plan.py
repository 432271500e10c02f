import itertools
import math
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from cluster.experiment.model import (
    Agents,
    Experiment,
    Load,
    Maximum,
    Measure,
    OrderFlow,
    Profile,
)
from cluster.experiment.plan import plan, split_count, split_rate
from cluster.experiment.wire import compile_protocol
from cluster.fleet.spec import specs_of

CPUS = frozenset({0, 1})
RATES = st.lists(st.floats(1, 1e9), min_size=1, max_size=5, unique=True).map(sorted)


def experiment(
    rates_per_s: list[float],
    *,
    agents: Agents | None = None,
    arrivals: Literal["constant", "poisson"] = "poisson",
    maximum: Maximum | None = None,
    profile: Profile | Literal["off"] | None = None,
) -> Experiment:
    return Experiment(
        name="plan",
        agents=agents or Agents(),
        load=Load(rates_per_s=rates_per_s, arrivals=arrivals, maximum=maximum),
        measure=Measure(warmup_s=1, control_s=4),
        profile=profile or Profile(window_s=3),
    )


def test_levels_follow_the_rates_and_the_maximum_comes_last() -> None:
    levels = plan(experiment([10, 20], maximum=Maximum(in_flight=64)), CPUS).levels

    assert [0, 1, 2] == [level.index for level in levels]
    assert [10, 20, None] == [level.offered_per_s for level in levels]
    assert [None, None, 64] == [level.in_flight for level in levels]
    assert ["poisson", "poisson", "closed"] == [level.arrivals for level in levels]


def test_a_maximum_alone_is_one_closed_loop_level() -> None:
    (level,) = plan(experiment([], maximum=Maximum(in_flight=7)), CPUS).levels

    assert ("closed", None, 7) == (level.arrivals, level.offered_per_s, level.in_flight)


def test_a_level_lasts_its_warm_up_control_and_profile_windows() -> None:
    (level,) = plan(experiment([10]), CPUS).levels

    assert (1, 4, 3) == (level.warmup_s, level.control_s, level.profile_s)
    assert level.duration_s == 8


def test_without_a_profile_no_time_is_spent_on_its_window() -> None:
    (level,) = plan(experiment([10], profile="off"), CPUS).levels

    assert level.profile_s == 0
    assert level.duration_s == 5


def test_every_agent_brings_the_workers_and_connections_it_was_given() -> None:
    agents = Agents(count=3, workers=2, connections=5)
    (level,) = plan(experiment([10], agents=agents), CPUS).levels

    assert ["agent-0", "agent-1", "agent-2"] == [share.agent for share in level.shares]
    assert [(0, 2, 5), (1, 2, 5), (2, 2, 5)] == [
        (share.index, share.workers, share.connections) for share in level.shares
    ]


def test_constant_schedules_of_the_agents_interleave() -> None:
    (level,) = plan(experiment([100], agents=Agents(count=4), arrivals="constant"), CPUS).levels
    interval_s = 1 / level.shares[0].rate_per_s

    due_s = sorted((share.phase + k) * interval_s for share in level.shares for k in range(3))

    assert all(math.isclose(0.01, later - earlier) for earlier, later in itertools.pairwise(due_s))


def test_random_and_closed_schedules_are_not_shifted() -> None:
    levels = plan(
        experiment([100], agents=Agents(count=4), maximum=Maximum(in_flight=4)), CPUS
    ).levels

    assert {0.0} == {share.phase for level in levels for share in level.shares}


@given(st.floats(1, 1e9), st.integers(1, 1000))
def test_the_shares_of_a_rate_sum_to_it_exactly(rate_per_s: float, agents: int) -> None:
    shares = split_rate(rate_per_s, agents)

    assert agents == len(shares)
    assert rate_per_s == math.fsum(shares)
    assert all(math.isclose(rate_per_s / agents, share, rel_tol=1e-9) for share in shares)


@given(st.integers(0, 1_000_000), st.integers(1, 1000))
def test_the_shares_of_a_count_lose_nothing_and_differ_by_one_at_most(
    count: int, agents: int
) -> None:
    shares = split_count(count, agents)

    assert agents == len(shares)
    assert count == sum(shares)
    assert max(shares) - min(shares) <= 1


@given(RATES, st.integers(1, 20), st.integers(1, 4), st.sampled_from(["constant", "poisson"]))
def test_every_plan_offers_what_the_experiment_asks_for(
    rates_per_s: list[float],
    count: int,
    workers: int,
    arrivals: Literal["constant", "poisson"],
) -> None:
    levels = plan(
        experiment(
            rates_per_s,
            agents=Agents(count=count, workers=workers),
            arrivals=arrivals,
            maximum=Maximum(in_flight=1000),
        ),
        CPUS,
    ).levels

    assert rates_per_s == [math.fsum(share.rate_per_s for share in x.shares) for x in levels[:-1]]
    assert sum(share.in_flight for share in levels[-1].shares) == 1000
    assert all(share.in_flight >= workers for share in levels[-1].shares)
    assert all(0 <= share.phase < 1 for level in levels for share in level.shares)


@given(
    st.floats(1, 1e7),
    st.integers(1, 50),
    st.integers(1, 4),
    st.sampled_from(["constant", "poisson"]),
)
def test_no_two_workers_send_the_same_times(
    rate_per_s: float, count: int, workers: int, arrivals: Literal["constant", "poisson"]
) -> None:
    asked = experiment(
        [rate_per_s],
        agents=Agents(count=count, workers=workers, connections=workers),
        arrivals=arrivals,
        maximum=Maximum(in_flight=count * workers),
    )
    planned = plan(asked, CPUS)
    protocol = compile_protocol(asked, planned)
    specs = [spec for level in planned.levels for spec in specs_of(asked, level, protocol).values()]

    # Streams are drawn by seed, agent and worker; what is not random is told apart by its phase.
    assert len(specs) == len({(spec.seed, spec.share.index) for spec in specs})
    phases = [share.phase for share in planned.levels[0].shares]
    if arrivals == "constant":
        assert [k / count for k in range(count)] == phases
        # All agents' constant schedules together: one order every 1 / rate, none together.
        due = sorted((n + phase) * count / rate_per_s for phase in phases for n in range(3))
        assert all(
            math.isclose(later - earlier, 1 / rate_per_s, rel_tol=1e-6)
            for earlier, later in itertools.pairwise(due)
        )


def test_speeds_are_levels_of_recorded_times_whose_rate_is_not_known_ahead() -> None:
    replayed = Experiment(
        name="plan",
        load=Load(speeds=[1, 2.5], maximum=Maximum(in_flight=7)),
        order_flow=OrderFlow(replay="capture.csv"),
    )
    levels = plan(replayed, CPUS).levels

    assert ["recorded", "recorded", "closed"] == [level.arrivals for level in levels]
    assert [1, 2.5, None] == [level.speed for level in levels]
    assert {None} == {level.offered_per_s for level in levels}
    assert [0, 1, 2] == [level.index for level in levels]


def test_a_file_at_rates_of_ones_own_has_levels_as_ever() -> None:
    replayed = Experiment(
        name="plan",
        load=Load(rates_per_s=[10], arrivals="constant"),
        order_flow=OrderFlow(replay="capture.csv"),
    )
    (level,) = plan(replayed, CPUS).levels

    assert ("constant", 10, None) == (level.arrivals, level.offered_per_s, level.speed)
