"""An engine that was written from a specification alone, loaded by a schema that was, too."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fakes import kestrel_engine
from fakes.command_line import Said, loadcluster
from integration.wire_runs import CONNECTIONS, is_balanced, level_of, run_level

pytestmark = pytest.mark.integration

SCHEMA = str(Path(__file__).parents[2] / "configs" / "kestrel.yaml")
WORD = "swordfish"
ENVIRONMENT = {"KESTREL_SECRET": WORD}
UNTRADED = {"order_flow": {"symbols": 2 * len(kestrel_engine.INSTRUMENTS)}}


@dataclass
class Kestrel:
    """The engine; what it counted is there once it has ended."""

    port: int
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def breaches(self) -> list[str]:
        """What clients did that the specification forbids."""
        return [name for name in self.counts if name == "silent" or name.startswith("breach")]

    @property
    def requests(self) -> int:
        """The orders that it got, of all kinds."""
        return sum(self.counts.get(kind, 0) for kind in "NMC")


@contextmanager
def running_kestrel() -> Iterator[Kestrel]:
    command = [sys.executable, kestrel_engine.__file__, "0", WORD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            engine = Kestrel(int(process.stdout.readline().rpartition(" ")[2]))
            yield engine
            process.send_signal(signal.SIGTERM)
            engine.counts = json.loads(process.communicate(timeout=10)[0])
        finally:
            process.kill()


def try_out(port: int, schema: str = SCHEMA) -> Said:
    return loadcluster(
        "protocol", "check", schema, "--against", f"127.0.0.1:{port}", env=ENVIRONMENT
    )


def test_one_order_by_hand_is_answered_as_the_schema_says() -> None:
    with running_kestrel() as engine:
        said = try_out(engine.port)

    assert said.exit_status == 0, said.stdout
    assert said.stdout.endswith("ok: the engine speaks Kestrel 1.3, as far as one order shows\n")
    assert engine.breaches == []
    assert [engine.counts[kind] for kind in "LNCG"] == [1, 1, 1, 1]


def test_a_cancel_that_is_answered_under_another_id_than_the_schema_says_is_told(
    tmp_path: Path,
) -> None:
    text = Path(SCHEMA).read_text()
    (line,) = (line for line in text.splitlines(keepends=True) if "answers_name" in line)
    own = tmp_path / "own.yaml"
    own.write_text(text.replace(line, ""))
    with running_kestrel() as engine:
        said = try_out(engine.port, str(own))

    assert said.exit_status == 1
    assert "give `requests.cancel` `answers_name: target`" in said.stdout.splitlines()[-1]


def test_every_order_of_a_run_is_accounted_for_by_both_sides(tmp_path: Path) -> None:
    with running_kestrel() as engine:
        level = level_of(tmp_path, SCHEMA, engine.port, ENVIRONMENT)

    orders = level.orders
    assert engine.breaches == []
    assert is_balanced(level)
    assert "books-unbalanced" not in {finding.code for finding in level.findings}
    assert orders.timed_out == orders.lost == 0
    assert orders.sent == engine.requests
    assert orders.accepted == engine.counts["accepted"] + engine.counts["done 1"]
    assert engine.counts["executed"] > 0
    assert engine.counts["L"] == engine.counts["G"] == CONNECTIONS
    assert engine.counts["H"] >= engine.counts["pings"] > 0


def test_refused_orders_are_counted_by_the_names_that_the_schema_gives(tmp_path: Path) -> None:
    with running_kestrel() as engine:
        level = level_of(tmp_path, SCHEMA, engine.port, ENVIRONMENT, **UNTRADED)

    assert is_balanced(level)
    assert level.orders.rejected == engine.counts["rejected"] > 0
    reasons = {one.meaning: one.count for one in level.reject_reasons}
    assert reasons["unknown instrument"] == engine.counts["reason 3"]
    assert reasons["unknown order"] == engine.counts["reason 1"]


def test_a_wrong_secret_ends_the_run_before_any_load_and_is_not_shown(tmp_path: Path) -> None:
    with running_kestrel() as engine:
        said = run_level(tmp_path, SCHEMA, engine.port, {"KESTREL_SECRET": "not-it"})

    assert said.exit_status == 1
    assert "refused: 2 (wrong secret)" in said.stderr
    assert "not-it" not in said.stderr + said.stdout
    assert engine.requests == 0


def test_a_schema_of_new_orders_alone_loads_with_new_orders_alone(tmp_path: Path) -> None:
    text = Path(SCHEMA).read_text()
    without = text[: text.index("  modify:\n")] + text[text.index("orders: {") :]
    without = without.replace(
        "orders: {new: new, replace: modify, cancel: cancel}", "orders: {new: new}"
    )
    schema = tmp_path / "new-only.yaml"
    schema.write_text(without)
    flow = {"mix": {"new": 1, "replace": 0, "cancel": 0}, "ioc_ratio": 0, "market_ratio": 0}
    with running_kestrel() as engine:
        level = level_of(tmp_path, str(schema), engine.port, ENVIRONMENT, order_flow=flow)

    assert is_balanced(level)
    assert level.orders.accepted == level.orders.sent == engine.counts["N"]
    assert {"M", "C"}.isdisjoint(engine.counts)
