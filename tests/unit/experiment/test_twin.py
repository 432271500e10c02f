"""The twin of a level: the same load and connections from twice as many clients."""

import math

from hypothesis import given
from hypothesis import strategies as st

from cluster.experiment.model import Experiment
from cluster.experiment.plan import plan
from cluster.experiment.twin import doubled, pair_of, repeated, twin_cpus, why_no_twin
from cluster.experiment.wire import compile_protocol
from cluster.fleet.spec import specs_of


def experiment(**changes: object) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "twin",
            "agents": {"count": 2, "workers": 1, "connections": 4, "in_flight_max": 100},
            "load": {"rates_per_s": [1000], "maximum": {"in_flight": 9}},
            "measure": {"client_invariance": True},
            **changes,
        }
    )


@given(st.integers(1, 5), st.integers(1, 3), st.integers(2, 40), st.floats(1, 1e9, allow_nan=False))
def test_the_twin_has_the_same_load_connections_and_orders_in_flight(
    count: int, workers: int, per_worker: int, rate_per_s: float
) -> None:
    own = experiment(
        agents={"count": count, "workers": workers, "connections": workers * per_worker + 1},
        load={"rates_per_s": [rate_per_s], "maximum": {"in_flight": 100}},
    )
    planned = plan(own, frozenset({0}))

    for level in planned.levels:
        again, twin = pair_of(own, level, 7, twin_cpus(own, planned, frozenset({0})))

        assert (len(again.shares), len(twin.shares)) == (count, 2 * count)
        assert (again.index, twin.index) == (7, 8)
        assert math.fsum(s.rate_per_s for s in twin.shares) == (level.offered_per_s or 0)
        for sum_of in ("connections", "in_flight"):
            assert sum(getattr(s, sum_of) for s in twin.shares) == sum(
                getattr(s, sum_of) for s in level.shares
            )
        assert all(s.connections >= s.workers for s in twin.shares)


def test_uneven_connections_share_the_rate_by_their_number() -> None:
    own = experiment(agents={"count": 1, "connections": 3})
    level = plan(own, frozenset({0})).levels[0]

    twin = doubled(own, level, 1, ((), ()))

    assert [share.connections for share in twin.shares] == [2, 1]
    assert [share.rate_per_s / share.connections for share in twin.shares] == [
        1000 / 3,
        1000 - 1000 * 2 / 3,
    ]


def test_what_can_t_be_shared_is_said_and_not_tried() -> None:
    few = experiment(agents={"count": 2, "workers": 2, "connections": 3})
    enough = experiment()
    closed = plan(experiment(load={"maximum": {"in_flight": 3}}), frozenset({0})).levels[0]

    assert why_no_twin(enough) == ""
    assert why_no_twin(few) == (
        "6 connections can't be shared by 8 workers of twice as many clients: each needs its own"
    )
    assert "3 orders in flight can't be shared by 4 workers" in why_no_twin(enough, closed)


def test_neither_of_the_pair_is_profiled_and_both_say_what_they_are() -> None:
    level = plan(experiment(), frozenset({0})).levels[0]

    again, twin = pair_of(experiment(), level, 2, ((), (), (), ()))

    assert (level.profile_s, again.profile_s, twin.profile_s) == (10, 0, 0)
    assert (level.clients, again.clients, twin.clients) == ("planned", "repeated", "doubled")
    assert again.name == "level 3 (a level once more)"
    assert twin.name == "level 4 (the same from 4 clients)"
    assert repeated(level, 2) == again


def test_workers_that_are_kept_apart_from_the_engine_get_further_cpus_or_share() -> None:
    own = experiment(cpus="apart", engine={"reference": {"threads": 1}})
    wide, narrow = frozenset(range(8)), frozenset(range(3))

    assert twin_cpus(own, plan(own, wide), wide) == ((1,), (2,), (3,), (4,))
    assert twin_cpus(own, plan(own, narrow), narrow) == ((1,), (2,), (1,), (2,))


def test_listed_cpus_are_those_of_the_client_that_a_twin_stands_for() -> None:
    own = experiment(cpus={"agents": [[0], [1]]})
    usable = frozenset({0, 1})

    assert twin_cpus(own, plan(own, usable), usable) == ((0,), (0,), (1,), (1,))


def test_the_agents_of_a_twin_share_the_bound_of_orders_and_number_their_connections() -> None:
    own = experiment(agents={"count": 1, "connections": 5, "in_flight_max": 100})
    planned = plan(own, frozenset({0}))
    protocol = compile_protocol(own, planned)
    twin = doubled(own, planned.levels[0], 3, ((), ()))

    specs = specs_of(own, twin, protocol)

    assert [spec.in_flight_max for spec in specs.values()] == [50, 50]
    assert [spec.wire.first_client for spec in specs.values()] == [0, 3]
    assert [spec.share.connections for spec in specs.values()] == [3, 2]
