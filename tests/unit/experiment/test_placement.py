from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import ConfigError
from cluster.experiment.model import (
    Agents,
    Cpus,
    Engine,
    Experiment,
    Load,
    Ray,
    ReferenceEngine,
    SshHost,
)
from cluster.experiment.placement import place

REFERENCE = Engine(reference=ReferenceEngine(threads=2))


def experiment(
    cpus: Literal["unpinned", "apart"] | Cpus,
    *,
    engine: Engine = REFERENCE,
    count: int = 2,
    workers: int = 1,
    ray: Ray | None = None,
) -> Experiment:
    return Experiment(
        name="place",
        engine=engine,
        agents=Agents(count=count, workers=workers),
        ray=ray or Ray(),
        cpus=cpus,
        load=Load(rates_per_s=[1]),
    )


def test_nothing_is_pinned_unless_asked() -> None:
    placement = place(experiment("unpinned"), frozenset(range(8)))

    assert placement.engine_cpus == ()
    assert placement.agent_cpus == ((), ())
    assert placement.notes == ()


def test_apart_gives_the_engine_a_cpu_per_thread_and_the_workers_the_others() -> None:
    placement = place(experiment("apart", workers=2), frozenset({2, 3, 5, 7, 11, 13}))

    assert placement.engine_cpus == (2, 3)
    assert placement.agent_cpus == ((5, 7), (11, 13))
    assert placement.notes == ()


def test_apart_on_two_cpus_shares_each_side_and_says_so() -> None:
    placement = place(experiment("apart"), frozenset({0, 1}))

    assert placement.engine_cpus == (0,)
    assert placement.agent_cpus == ((1,), (1,))
    assert placement.notes == (
        "2 engine threads share CPU 0: the engine could do more with a CPU for each",
        "2 load workers share CPU 1: orders may go out late; the send lag says how late",
    )


def test_apart_on_one_cpu_goes_on_unpinned_and_says_so() -> None:
    placement = place(experiment("apart"), frozenset({0}))

    assert placement.engine_cpus == ()
    assert placement.agent_cpus == ((), ())
    assert len(placement.notes) == 1
    assert "one CPU only" in placement.notes[0]


def test_an_engine_of_unknown_needs_gets_what_the_workers_leave() -> None:
    placement = place(experiment("apart", engine=Engine(command=["./engine"])), frozenset(range(8)))

    assert placement.engine_cpus == (0, 1, 2, 3, 4, 5)
    assert placement.agent_cpus == ((6,), (7,))


def test_an_engine_elsewhere_leaves_every_cpu_to_the_workers() -> None:
    away = Engine(host=SshHost(ssh="engine-1"), process="engine")

    placement = place(experiment("apart", engine=away), frozenset({0, 1}))

    assert placement.engine_cpus == ()
    assert placement.agent_cpus == ((0,), (1,))


def test_listed_cpus_are_taken_as_they_are() -> None:
    placement = place(experiment(Cpus(engine=[3], agents=[[1], []])), frozenset({1, 3}))

    assert placement.engine_cpus == (3,)
    assert placement.agent_cpus == ((1,), ())


def test_without_lists_for_the_agents_they_are_not_pinned() -> None:
    placement = place(experiment(Cpus(engine=[0])), frozenset({0}))

    assert placement.agent_cpus == ((), ())


def test_cpus_that_this_machine_does_not_have_are_named() -> None:
    with pytest.raises(ConfigError) as raised:
        place(experiment(Cpus(engine=[0, 9, 8], agents=[[1], [7]])), frozenset({0, 1}))

    assert [str(problem) for problem in raised.value.problems] == [
        "place: cpus.engine: CPUs 8, 9 can't be used on this machine; it lets us use CPUs 0, 1",
        "place: cpus.agents[1]: CPU 7 can't be used on this machine; it lets us use CPUs 0, 1",
    ]


def test_cpus_of_other_machines_are_not_judged_here() -> None:
    placement = place(
        experiment(
            Cpus(engine=[63], agents=[[40], [41]]),
            engine=Engine(host=SshHost(ssh="engine-1"), command=["./engine"]),
            ray=Ray(address="10.0.0.5:6379"),
        ),
        frozenset({0}),
    )

    assert placement.engine_cpus == (63,)
    assert placement.agent_cpus == ((40,), (41,))


@given(
    st.frozensets(st.integers(0, 200), min_size=2, max_size=64),
    st.integers(1, 20),
    st.integers(1, 8),
    st.integers(1, 70),
)
def test_apart_never_shares_a_cpu_between_engine_and_workers(
    cpus: frozenset[int], count: int, workers: int, threads: int
) -> None:
    engine = Engine(reference=ReferenceEngine(threads=threads))
    asked = Experiment(
        name="place",
        engine=engine,
        agents=Agents(count=count, workers=workers, connections=workers),
        cpus="apart",
        load=Load(rates_per_s=[1]),
    )

    placement = place(asked, cpus)

    used = {cpu for listed in placement.agent_cpus for cpu in listed}
    assert placement.engine_cpus
    assert used
    assert set(placement.engine_cpus).isdisjoint(used)
    assert set(placement.engine_cpus) | used <= cpus
    assert {workers} == {len(listed) for listed in placement.agent_cpus}
