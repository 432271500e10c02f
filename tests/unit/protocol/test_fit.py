"""What an experiment may ask of a protocol: told where it can't be had, and not where it can."""

from dataclasses import replace

import pytest

from cluster.document.path import format_path
from cluster.protocol.fit import IdBlock, Needs, ids_for, misfits
from fakes.schemas import SMALL, bent, compiled

PRICE = "price: {type: i64, value: price}"
NEEDS = Needs(
    orders_per_connection=(1_000, 2_000),
    connections=4,
    duration_s=20,
    started_tenths=10,
    prices=(99_000, 101_000),
    sizes=(1, 1_000),
    symbols=64,
    kinds=frozenset({"limit", "market", "immediate_or_cancel"}),
    actions=frozenset({"cancel"}),
    environment={},
)


def told(text: str, needs: Needs = NEEDS) -> list[str]:
    """What does not fit."""
    return [f"{format_path(one.path)}: {one.sentence}" for one in misfits(compiled(text), needs)]


def test_what_fits_is_not_talked_about() -> None:
    assert told(SMALL) == []


def kind(names: str) -> str:
    """The schema with a kind of order in the place of the price."""
    return bent(PRICE, f"kind: {{type: u8, value: kind, map: {{{names}}}}}")


@pytest.mark.parametrize(
    ("text", "changes", "sentence"),
    [
        (SMALL, {"actions": frozenset({"replace"})}, "order_flow.mix.replace: must be 0"),
        (
            kind("limit: 0, market: 1"),
            {},
            "order_flow.ioc_ratio: asks for immediate-or-cancel orders, and small has none",
        ),
        (kind("limit: 0, immediate_or_cancel: 1"), {}, "order_flow.market_ratio: asks for market"),
        (
            bent(PRICE, "price: {type: u16, value: price}"),
            {},
            "order_flow.mid_price_ticks: leads to prices from 99,000 to 101,000, and 0 to 65,535",
        ),
        (
            bent("size: {type: u32", "size: {type: u8"),
            {},
            "order_flow.quantity_mean: leads to quantities from 1 to 1,000, and 0 to 255 fit",
        ),
        (
            bent(PRICE, "price: {type: alpha, width: 1, value: symbol}"),
            {},
            "order_flow.symbols: leads to instruments from 0 to 63, and 0 to 9 fit",
        ),
        (
            bent(PRICE, "price: {type: alpha, width: 1, value: client}"),
            {"connections": 20},
            "agents.connections: leads to connections from 0 to 19, and 0 to 9 fit",
        ),
        (
            SMALL.replace("{type: u32, value: id}", "{type: u8, value: id}", 1),
            {},
            "load: may need ids from 1 to 2,000 (each connection), and only ids up to 255 fit",
        ),
        (
            bent("title: small\n", "title: small\nids: {unique_per: run}\n"),
            {"orders_per_connection": (2**30, 1)},
            "load: may need ids from 1 to 4,294,967,300 (unique over a run)",
        ),
        (
            bent("title: small\n", "title: small\nids: {unique_per: day}\n"),
            {"orders_per_connection": (300_000,)},
            "load: may need 1,200,000 ids in 20 s, and 954,400 are this run's share of a day's ids",
        ),
        (
            bent(PRICE, "price: {type: u8, value: sequence}"),
            {},
            "load: may need 2,000 messages per connection, and numbers up to 255 fit",
        ),
        (
            bent(PRICE, "price: {type: alpha, width: 9, environment: PASSWORD}"),
            {},
            (
                "protocol: small takes a credential from the environment variable PASSWORD "
                "(x.yaml:9), which is not set"
            ),
        ),
    ],
)
def test_what_does_not_fit_is_told_at_its_key(
    text: str, changes: dict[str, object], sentence: str
) -> None:
    found = told(text, replace(NEEDS, **changes))  # type: ignore[arg-type]

    assert len(found) == 1
    assert found[0].startswith(sentence)


def test_a_credential_that_is_set_or_has_a_default_is_fine() -> None:
    secret = "price: {type: alpha, width: 9, environment: PASSWORD}"  # noqa: S105 - no password
    default = 'price: {type: alpha, width: 9, environment: PASSWORD, default: ""}'

    assert told(bent(PRICE, secret), replace(NEEDS, environment={"PASSWORD": "x"})) == []
    assert told(bent(PRICE, default)) == []


def with_ids(unique_per: str) -> str:
    """The schema with ids that are unique over that."""
    return bent("title: small\n", f"title: small\nids: {{first: 7, unique_per: {unique_per}}}\n")


def test_each_connection_counts_for_itself() -> None:
    assert ids_for(compiled(with_ids("connection")), NEEDS) == (IdBlock(7, 0), IdBlock(7, 0))


def test_connections_and_levels_of_a_run_share_no_id() -> None:
    assert ids_for(compiled(with_ids("run")), NEEDS) == (
        IdBlock(7, 1_000),
        IdBlock(7 + 4 * 1_000, 2_000),
    )


def test_runs_of_a_day_share_no_id() -> None:
    made = compiled(with_ids("day"))
    first = ids_for(made, NEEDS)
    later = ids_for(made, replace(NEEDS, started_tenths=10 + 10 * NEEDS.duration_s))

    assert first[0].first == 7 + 10 * ((2**32 - 1 - 7) // 900_000)
    assert later[0].first >= first[-1].first + 4 * first[-1].per_connection


def test_the_last_run_of_a_day_has_room() -> None:
    last = replace(NEEDS, started_tenths=863_999)

    assert told(with_ids("day"), last) == []
