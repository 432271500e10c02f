from cluster.driver.offer import highest_rate_per_s, offer_in_words
from cluster.experiment.model import Experiment
from cluster.experiment.plan import Plan, plan


def planned(**sections: object) -> tuple[Experiment, Plan]:
    experiment = Experiment.model_validate(
        {"name": "x", "load": {"rates_per_s": [1_000, 25_000]}} | sections
    )
    return experiment, plan(experiment, frozenset({0}))


def test_the_total_of_all_agents_and_the_target_are_said() -> None:
    experiment, laid_out = planned(
        engine={"address": "engine-1", "port": 9100}, agents={"count": 3, "connections": 500}
    )

    assert offer_in_words(experiment, laid_out, ["10.0.0.5"]) == (
        "target engine-1 port 9100 (10.0.0.5): up to 25,000/s, in all, from 3 agents over 1,500 "
        "connections"
    )
    assert highest_rate_per_s(laid_out) == 25_000


def test_a_closed_loop_level_has_no_bound_and_says_so() -> None:
    experiment, laid_out = planned(load={"maximum": {"in_flight": 64}})

    said = offer_in_words(experiment, laid_out, ["127.0.0.1"])

    assert said == (
        "target 127.0.0.1 port 9001: as much as it takes with 64 in flight, in all, from 1 agent "
        "over 4 connections"
    )
    assert highest_rate_per_s(laid_out) is None


def test_authority_is_repeated() -> None:
    experiment, laid_out = planned(engine={"address": "8.8.8.8", "i_am_authorized_to_load": True})

    assert offer_in_words(experiment, laid_out, ["8.8.8.8"]).endswith(
        "; you say that you are authorized to load it"
    )
