"""Causes planted on purpose: the verdict names them, and nothing of them is left behind.

A few rows of the confusion matrix, once each; `make confusion-matrix` has all of them.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import confusion.trial
from confusion.cpu_group import PREFIX, CpuGroup, hierarchy
from confusion.outcome import DISTURBED
from confusion.plant import Plant
from confusion.plants import PLANTS
from confusion.trial import Planter, why_not
from fakes.command_line import wait_for

pytestmark = pytest.mark.integration

MATRIX = Path(confusion.trial.__file__).parents[1] / "confusion_matrix.py"
ROWS = (
    "client: CPU quota, 10% of a CPU",
    "client: one of four, CPU quota, 3% of a CPU",
    "network: delay, closed-loop, 5 ms each way",
    "network: loss, closed-loop, 5% lost",
    "engine: one thread busy, 200 µs an order",
)


@pytest.fixture
def group() -> Iterator[CpuGroup | None]:
    """This process before all others, where that is allowed."""
    with ExitStack() as held:
        try:
            first = held.enter_context(CpuGroup.first())
            first.put_first()
            first.enter()
        except OSError:
            yield None
            return
        yield first


@pytest.mark.parametrize("plant", [p for p in PLANTS if p.name in ROWS], ids=lambda p: p.name)
def test_a_planted_cause_is_named(plant: Plant, group: CpuGroup | None, tmp_path: Path) -> None:
    if why := why_not(plant, group):
        pytest.skip(why)

    # Nineteen of twenty are to be right: what is wrong may be so once.
    planter = Planter(tmp_path, group, control_s=2, tries_max=2)
    outcome = planter.run(plant, 0)
    if outcome.answer not in (plant.truth, DISTURBED):
        outcome = planter.run(plant, 1)

    if outcome.answer == DISTURBED:
        pytest.skip(f"others take this machine's CPUs: {outcome.notes[-1]}")
    assert outcome.answer == plant.truth, outcome
    assert outcome.confidence >= 0.6


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_no_process_and_no_group_is_left(
    end: signal.Signals, tmp_path: Path
) -> None:
    (plant,) = (p for p in PLANTS if p.clients.hogs == 6)
    if why := why_not(plant, None):
        pytest.skip(why)
    argv = [sys.executable, str(MATRIX), "--only", plant.name, "--repeats", "1"]
    matrix = subprocess.Popen(
        [*argv, "--folder", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(lambda: len(of_session(matrix.pid)) > plant.clients.hogs + 1, "hogs and a run")
        matrix.send_signal(end)
        matrix.wait(30)

        wait_for(lambda: not of_session(matrix.pid), "the end of all that it started")
        if end != signal.SIGKILL:
            assert not groups_of(matrix.pid)
    finally:
        matrix.kill()
        matrix.wait()


def of_session(session: int) -> list[int]:
    """Living processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, sid = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(sid) == session and state != "Z":
            found.append(int(stat.parent.name))
    return found


def groups_of(pid: int) -> list[Path]:
    """Control groups that a run of the matrix made."""
    where = hierarchy(Path("/proc/mounts").read_text())
    return list(where[0].glob(f"{PREFIX}{pid}")) if where and os.geteuid() == 0 else []
