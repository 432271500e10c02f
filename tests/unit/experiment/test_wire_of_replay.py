from datetime import UTC, datetime

from cluster.experiment.model import Agents, Experiment, Load, Maximum, OrderFlow
from cluster.experiment.plan import plan
from cluster.experiment.wire import needs_of

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def needs(load: Load, *, replay: str | None):
    experiment = Experiment(
        name="x",
        agents=Agents(count=2, connections=5),
        load=load,
        order_flow=OrderFlow(replay=replay),
    )
    return needs_of(experiment, plan(experiment, frozenset({0, 1})), NOON, {})


def test_nothing_is_asked_of_a_protocol_ahead_for_orders_that_are_seen_row_by_row() -> None:
    asked = needs(Load(rates_per_s=[10]), replay="a.csv")

    assert asked.kinds == asked.actions == frozenset()
    assert asked.prices == asked.sizes == (1, 1)
    assert asked.symbols == 1


def test_ids_suffice_when_all_orders_go_over_one_connection() -> None:
    load = Load(rates_per_s=[100_000], maximum=Maximum(in_flight=10))
    made = needs(load, replay=None)
    replayed = needs(load, replay="a.csv")

    assert all(
        of_file > of_flow
        for of_file, of_flow in zip(
            replayed.orders_per_connection, made.orders_per_connection, strict=True
        )
    )
    assert replayed.orders_per_connection[0] >= 2 * 100_000 * 22
