from cluster.report.cells import DASH
from cluster.report.clock_tables import (
    NAMES,
    ROWS_IN_TEXT,
    clocks_grid,
    clocks_result,
    clocks_table,
)
from cluster.report.text import render_summary
from fakes.belief import clocks
from fakes.summary import sample_summary


def test_every_clock_has_its_row_and_what_is_missing_its_reason() -> None:
    table = clocks_table(clocks())

    rows = [[cell.text for cell in row] for row in table.rows]
    assert ["agent-0", "load-0", "the driver's own clock", "0", "0", "+3.2 µs"] == rows[0]
    assert ["agent-1", "load-1", "−7.2 s", "± 41 µs", "−12.3 ± 0.81 ppm", "−28 µs"] == rows[1]  # noqa: RUF001 (a minus sign)
    assert ["engine", "engine-host", "−7.2 s", "± 41 µs", DASH, DASH] == rows[2]  # noqa: RUF001 (a minus sign)
    assert ("its clock was read once only", "no orders") == table.reasons


def test_the_result_tells_the_worst() -> None:
    assert (
        "Clocks are known within 41 µs; the agent that was furthest off began 28 µs before the "
        "common start" == clocks_result(clocks())
    )
    assert (
        "Every host reads the driver's own clock; the agent that was furthest off began 3.2 µs "
        "after the common start" == clocks_result(clocks()[:1])
    )
    assert "" == clocks_result([])


def test_a_terminal_shows_the_worst_of_many_and_none_of_an_old_run() -> None:
    far = clocks()[1]
    many = [far.model_copy(update={"who": f"agent-{k}", "error_ns": k}) for k in range(30)]

    grid = clocks_grid(many)

    assert [name.lower() for name in NAMES] == grid[0]
    assert [f"agent-{k}" for k in range(30 - ROWS_IN_TEXT, 30)] == [row[0] for row in grid[1:]]
    old = sample_summary().model_copy(update={"clocks": []})
    assert "CLOCKS" not in render_summary(old, None)
    assert "CLOCKS" in render_summary(sample_summary(), None)
