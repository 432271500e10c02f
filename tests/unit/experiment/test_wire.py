"""An experiment's protocol, compiled and held against what the experiment asks of it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cluster.errors import ConfigError
from cluster.experiment.model import Experiment
from cluster.experiment.plan import Plan, plan
from cluster.experiment.reader import load_experiment, parse_experiment
from cluster.experiment.wire import compile_protocol, needs_of
from cluster.protocol.fit import IdBlock
from fakes.schemas import SMALL, bent

TEXT = """\
name: small
agents: {count: 2, connections: 10}
load: {rates_per_s: [1000, 2000]}
measure: {warmup_s: 1, warmup_at_most_s: 1, control_s: 4}
profile: {window_s: 5}
"""
AT_NIGHT = datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC)


def experiment(more: str = "") -> tuple[Experiment, Plan]:
    """An experiment and its plan."""
    read = parse_experiment(TEXT + more, "x.yaml")
    return read, plan(read, frozenset({0}))


def test_what_is_needed_follows_from_the_plan() -> None:
    needs = needs_of(*experiment(), AT_NIGHT, {})

    # Half of 1,000/s on ten connections for ten seconds, twice over, and some.
    assert needs.orders_per_connection == (11_000, 12_000)
    assert (needs.connections, needs.duration_s, needs.started_tenths) == (20, 20, 10)
    assert needs.prices == (0, 100_025)
    assert needs.actions == {"replace", "cancel"}


def test_levels_that_may_last_longer_need_ids_for_the_longest() -> None:
    longer = "control_s: 4, until: {at_most_s: 14}, trials: 2, client_invariance: true}"
    read = parse_experiment(TEXT.replace("control_s: 4}", longer), "x.yaml")

    needs = needs_of(read, plan(read, frozenset({0})), AT_NIGHT, {})

    # Twenty seconds instead of ten, twice; then the most of any level, and of a twin (no profile).
    assert needs.orders_per_connection == (12_000, 14_000, 12_000, 14_000, 14_000, 13_000)
    # Only what surely passes sets this run's ids apart from those of the next.
    assert needs.duration_s == 4 * 10


def test_the_closed_loop_level_is_counted_by_what_a_worker_could_send() -> None:
    closed, planned = experiment("order_flow: {market_ratio: 0}\n")
    closed = closed.model_copy(
        update={
            "load": parse_experiment(
                TEXT.replace("[1000, 2000]}", "[1000], maximum: {in_flight: 64}}"), "x"
            ).load
        }
    )

    needs = needs_of(closed, plan(closed, frozenset({0})), AT_NIGHT, {})

    assert needs.orders_per_connection == (11_000, 3_010_000)
    assert needs.kinds == {"limit", "immediate_or_cancel"}
    assert needs.prices == (100_000 - 25, 100_000 + 25)
    assert planned.levels


def test_the_builtin_protocol_is_compiled() -> None:
    compiled = compile_protocol(*experiment(), AT_NIGHT, {})

    assert compiled.title == "orderwire"
    assert compiled.plan_text.startswith("loadcluster-plan 1\n")
    assert compiled.ids == (IdBlock(1, 0), IdBlock(1, 0))
    assert compiled.reasons["7"] == "book full"


def test_a_wire_schema_of_ones_own_is_compiled_from_beside_the_experiment(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(SMALL)
    (tmp_path / "x.yaml").write_text(
        TEXT + "protocol: own.yaml\norder_flow: {mix: {new: 0.5, replace: 0, cancel: 0.5}}\n"
    )
    read = load_experiment(tmp_path / "x.yaml")

    assert compile_protocol(read, plan(read, frozenset({0})), AT_NIGHT, {}).title == "small"


def test_what_does_not_fit_names_the_experiment_and_its_key(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(SMALL)
    read, planned = experiment(f"protocol: {path}\n")

    with pytest.raises(ConfigError) as raised:
        compile_protocol(read, planned, AT_NIGHT, {})

    assert str(raised.value) == (
        "small: order_flow.mix.replace: must be 0: `orders` of small has no `replace`"
    )


def test_credentials_are_beside_the_plan_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    fields = (
        "a: {type: alpha, width: 9, environment: MINE}\n"
        "      b: {type: alpha, width: 9, environment: THEIRS, default: guest}"
    )
    path.write_text(bent("price: {type: i64, value: price}", fields))
    read, planned = experiment(
        f"protocol: {path}\norder_flow: {{mix: {{new: 0.5, replace: 0, cancel: 0.5}}}}\n"
    )

    compiled = compile_protocol(read, planned, AT_NIGHT, {"MINE": "sesame"})

    assert compiled.secrets == {"MINE": "sesame", "THEIRS": "guest"}
    assert "sesame" not in compiled.plan_text
    assert "sesame" not in repr(compiled)
