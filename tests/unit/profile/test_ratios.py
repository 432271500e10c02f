import pytest

from cluster.profile.ratios import ratios_of
from cluster.results.engine import Counter


def counters(**values: float | None) -> list[Counter]:
    return [
        Counter(
            event=name.replace("_", "-"), value=value, why="" if value is not None else "no PMU"
        )
        for name, value in values.items()
    ]


def test_ratios_are_quotients_of_their_counters() -> None:
    found = ratios_of(
        counters(
            **{"cycles": 200, "instructions": 500, "branches": 100, "branch-misses": 5},
            **{"stalled-cycles-backend": 50, "slots": 1000, "topdown-retiring": 250},
        ),
        orders=10,
    ).values

    assert found["ipc"] == 2.5
    assert found["branch_mispredict_ratio"] == 0.05
    assert found["backend_stall_ratio"] == 0.25
    assert found["topdown_retiring_ratio"] == 0.25
    assert found["instructions_per_order"] == 50
    assert found["cycles_per_order"] == 20


def test_a_ratio_without_its_inputs_is_none_and_says_which() -> None:
    found = ratios_of(counters(cycles=200, instructions=None), orders=10)

    assert found.values["ipc"] is None
    assert found.not_measured["ipc"] == "instructions: no PMU"
    assert found.not_measured["llc_miss_ratio"] == "LLC-load-misses was not counted"


def test_nothing_is_divided_by_zero() -> None:
    found = ratios_of(counters(cycles=0, instructions=0), orders=0)

    assert found.values["ipc"] is None
    assert found.not_measured["ipc"] == "cycles counted nothing in this window"
    assert found.not_measured["cycles_per_order"] == "no order was answered in this window"


def test_without_orders_nothing_is_per_order() -> None:
    found = ratios_of(counters(cycles=5), orders=None)

    assert "orders in this window is not known" in found.not_measured["cycles_per_order"]


def test_cpu_time_per_order_is_in_ns() -> None:
    clock = Counter(event="task-clock", value=1500.0, unit="msec")

    assert ratios_of([clock], 1000).values["task_clock_ns_per_order"] == pytest.approx(1.5e6)


def test_every_ratio_is_a_number_or_has_a_reason() -> None:
    found = ratios_of(counters(cycles=200, instructions=500), orders=3)

    assert {name for name, value in found.values.items() if value is None} == set(
        found.not_measured
    )
