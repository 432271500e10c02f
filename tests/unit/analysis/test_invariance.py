"""The same load from K and from 2K clients: what is said of it, and what is left unsaid."""

from dataclasses import replace
from typing import Literal

from cluster.analysis.clients.invariance import client_invariance, invariance_finding, is_better
from cluster.analysis.level import summarise_level
from cluster.analysis.observed import observe
from cluster.analysis.run import RunFacts, summarise_run
from cluster.analysis.verdict.case import Case
from cluster.analysis.verdict.client_evidence import twice_the_clients
from cluster.experiment.model import Experiment
from cluster.results.level import LevelRecord
from cluster.results.summary import Evidence, Invariance, Summary
from fakes.levels import Truth, constant, level_record, with_agent

PLANNED = Truth(offered_per_s=2_000, control_s=5, agents=1)
ONCE = replace(PLANNED, index=1)
TWICE = replace(ONCE, agents=2, index=2)
MUCH_FASTER = constant(10)
MUCH_SLOWER = constant(40)
A_LITTLE_FASTER = constant(19)
FACTS = RunFacts(
    version="0.1.0",
    started_at="2026-11-23T14:05:02Z",
    duration_s=20,
    source="reference",
    process="loadcluster-engine (4711)",
)


def part(truth: Truth, clients: Literal["planned", "repeated", "doubled"]) -> LevelRecord:
    record = level_record(truth)
    return replace(record, level=replace(record.level, clients=clients))


def records(once: Truth, twice: Truth) -> list[LevelRecord]:
    return [
        part(PLANNED, "planned"),
        part(once, "repeated"),
        part(twice, "doubled"),
    ]


def compared(measured: list[LevelRecord], *, one_process: bool = False) -> Invariance:
    levels = [summarise_level(record) for record in measured]
    seen = [observe(record) for record in measured]
    found = client_invariance(levels, seen, one_process=one_process)
    assert found is not None
    return found


def summary(measured: list[LevelRecord]) -> Summary:
    experiment = Experiment.model_validate({"name": "x", "load": {"rates_per_s": [2_000]}})
    return summarise_run(measured, experiment, FACTS)


def evidence(found: Invariance) -> Evidence:
    case = Case(observe(level_record(PLANNED)), [], "", invariance=found)
    row = twice_the_clients(case)
    assert row is not None
    return row


def test_a_run_without_a_twin_says_nothing() -> None:
    measured = [part(PLANNED, "planned")]

    assert client_invariance([summarise_level(measured[0])], [], one_process=False) is None
    assert summary(measured).invariance is None


def test_the_same_figures_speak_against_the_client() -> None:
    found = compared(records(ONCE, TWICE))

    assert found.differs is False
    assert (found.level, found.twin, found.clients, found.clients_twin) == (1, 2, 1, 2)
    assert found.sentence.startswith("It does not matter who sends: p50 ")
    assert invariance_finding(found) is None
    assert (evidence(found).against, evidence(found).weight) == (["client"], 1.5)


def test_a_level_that_is_better_from_twice_as_many_clients_is_held_back_by_them() -> None:
    found = compared(records(ONCE, replace(TWICE, wire=MUCH_FASTER)))

    assert found.differs is True
    assert is_better(found) is True
    assert "p50 and p99 are better from more clients" in found.sentence
    assert (evidence(found).supports, evidence(found).weight) == ("client", 2.5)
    finding = invariance_finding(found)
    assert finding is not None
    assert (finding.code, finding.level) == ("clients-matter", 2)
    assert "use more of them" in finding.advice


def test_clients_in_each_other_s_way_accuse_nobody() -> None:
    found = compared(records(ONCE, replace(TWICE, wire=MUCH_SLOWER)))

    assert found.differs is True
    assert is_better(found) is False
    assert (evidence(found).supports, evidence(found).weight) == (None, 0)
    assert (finding := invariance_finding(found)) is not None
    assert "in each other's way" in finding.advice


def test_a_difference_of_no_consequence_is_none() -> None:
    """Beyond chance, but five in a hundred: nobody would act on it."""
    found = compared(records(ONCE, replace(TWICE, wire=A_LITTLE_FASTER)))

    assert found.differs is False


def test_closed_loop_the_throughput_is_compared_too() -> None:
    closed = Truth(offered_per_s=None, answered_per_s=2_000, control_s=5, agents=1, index=1)
    more = replace(closed, answered_per_s=3_000, agents=2, index=2)

    found = compared(records(closed, more))

    assert found.differs is True
    assert "throughput 2,000/s and 3,000/s" in found.sentence


def test_a_level_that_is_not_valid_is_compared_with_nothing() -> None:
    late = replace(TWICE, timed_out_per_s=200)

    found = compared(records(ONCE, late))

    assert found.differs is None
    assert "the level from 2 clients is not valid" in found.sentence
    assert twice_the_clients(Case(observe(level_record(PLANNED)), [], "", invariance=found)) is None


def test_too_few_orders_can_t_be_compared() -> None:
    found = compared(records(replace(ONCE, offered_per_s=1), replace(TWICE, offered_per_s=2)))

    assert found.differs is None


def test_the_sentence_says_how_far_the_comparison_reaches() -> None:
    apart = records(ONCE, TWICE)  # the fake's agents have hosts of their own
    together = [*apart[:2], with_agent(apart[2], 1, host="load-0")]

    assert "2 clients on 2 hosts: this tells the clients' hosts apart" in compared(apart).sentence
    assert (
        "2 clients on 1 host: this tells the clients' processes apart, not the hosts"
        in compared(together).sentence
    )
    assert "in one process" in compared(apart, one_process=True).sentence


def test_workers_that_had_to_share_cpus_are_told() -> None:
    measured = records(ONCE, TWICE)
    twin = with_agent(measured[2], 1, host="load-0")
    shares = tuple(replace(share, cpus=(1,)) for share in twin.level.shares)
    twin = replace(twin, level=replace(twin.level, shares=shares))

    assert "On load-0, 2 workers shared 1 CPU" in compared([*measured[:2], twin]).sentence
    assert "shared" not in compared(measured).sentence


def test_the_run_tells_it_and_neither_level_counts_for_its_capacity() -> None:
    told = summary(records(replace(ONCE, offered_per_s=4_000), replace(TWICE, wire=MUCH_FASTER)))

    assert told.invariance is not None
    assert told.verdict.sustained_per_s is not None
    assert told.verdict.sustained_per_s < 2_100
    assert "clients-matter" in {finding.code for finding in told.findings}
    assert told.valid


def test_a_twin_that_failed_does_not_make_the_run_invalid() -> None:
    told = summary(records(ONCE, replace(TWICE, lost_agent="host down")))

    assert told.valid
    assert told.invariance is not None
    assert told.invariance.differs is None
