"""How often the verdict names the cause that was planted.

.venv/bin/python benchmarks/confusion_matrix.py [--only ROW] [--repeats N] [--quick] [--rejudge]

Writes docs/confusion-matrix.md when all rows ran at least three times. Every run is kept below
build/confusion-matrix/. Namespaces and control groups are made and removed for each row; they need
root.
"""

import argparse
import signal
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from cluster import __version__
from confusion.cpu_group import CpuGroup
from confusion.outcome import Matrix, Outcome
from confusion.plant import Plant
from confusion.plants import PLANTS, chosen
from confusion.priority import SHORT_SLICE_NS, prefer
from confusion.rejudge import rejudge
from confusion.table import kept, render, totals_text
from confusion.trial import Planter, why_not
from machine import describe_machine

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "confusion-matrix.md"
BUILD = ROOT / "build" / "confusion-matrix"
OUTCOMES = "outcomes.json"
PUBLISHED_REPEATS = 3


def main() -> None:
    """Plant, measure, judge, write; exit 1 when the verdict is not as right as is asked for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", metavar="ROW", help="rows whose name contains this")
    options.add_argument("--repeats", type=int, default=3, help="runs of each row (3)")
    options.add_argument("--control-s", type=int, default=3, help="measured at each level (3)")
    options.add_argument("--seed", type=int, default=1, help="of the first repeat (1)")
    options.add_argument("--quick", action="store_true", help="one row of each truth, once")
    options.add_argument("--rejudge", action="store_true", help="judge the saved runs again")
    options.add_argument("--folder", type=Path, help="of the runs; default: a new one")
    given = options.parse_args()
    for stop in (signal.SIGTERM, signal.SIGINT):  # a shell's background jobs ignore the latter
        signal.signal(stop, signal.default_int_handler)
    if given.rejudge:
        folder = given.folder or newest()
        matrix = rejudge(folder, Matrix.model_validate_json((folder / OUTCOMES).read_text()))
        for outcome in matrix.outcomes:
            tell(outcome)
    else:
        folder = given.folder or BUILD / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}"
        rows = chosen(given.only, "quick" if given.quick else "all")
        repeats = 1 if given.quick else given.repeats
        matrix = measure(folder, rows, repeats, given)
        if rows == list(PLANTS) and repeats >= PUBLISHED_REPEATS:
            PAGE.write_text(render(matrix, {plant.cause: plant.why for plant in PLANTS}))
            print(f"written: {PAGE.relative_to(ROOT)}")
    print(totals_text(matrix.outcomes).strip())
    sys.exit(not kept(matrix.outcomes))


def measure(folder: Path, rows: list[Plant], repeats: int, given: argparse.Namespace) -> Matrix:
    """Every row `repeats` times, in turns, so that what comes and goes meets all rows alike."""
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    skipped: dict[str, str] = {}
    with ExitStack() as held:
        group = first_group(held)
        prefer(0, slice_ns=SHORT_SLICE_NS)
        planter = Planter(folder, group, control_s=given.control_s, seed=given.seed)
        for repeat in range(repeats):
            for plant in rows:
                if why := why_not(plant, group):
                    skipped[plant.name] = why
                    continue
                outcomes.append(planter.run(plant, repeat))
                tell(outcomes[-1])
                matrix = matrix_of(outcomes, skipped, planter, rows)
                (folder / OUTCOMES).write_text(matrix.model_dump_json(indent=1) + "\n")
    for name, why in skipped.items():
        print(f"not planted: {name}: {why}")
    return matrix_of(outcomes, skipped, planter, rows)


def first_group(held: ExitStack) -> CpuGroup | None:
    """A control group before all others for this program; None where that is forbidden."""
    try:
        group = held.enter_context(CpuGroup.first())
        group.put_first()
        group.enter()
    except OSError as error:
        print(f"no control group ({error}): what else runs here can disturb every row")
        return None
    return group


def matrix_of(
    outcomes: list[Outcome], skipped: dict[str, str], planter: Planter, rows: list[Plant]
) -> Matrix:
    """The outcomes in the order of the rows."""
    order = {plant.name: i for i, plant in enumerate(rows)}
    return Matrix(
        version=__version__,
        measured_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        machine=describe_machine(),
        control_s=planter.control_s,
        disturbed=planter.disturbed,
        outcomes=sorted(outcomes, key=lambda o: (order[f"{o.cause}, {o.strength}"], o.repeat)),
        skipped=skipped,
    )


def newest() -> Path:
    """The folder of the latest run of this benchmark."""
    found = sorted(path.parent for path in BUILD.glob(f"*/{OUTCOMES}"))
    if not found:
        raise SystemExit(f"nothing was measured yet: {BUILD} has no {OUTCOMES}")
    return found[-1]


def tell(outcome: Outcome) -> None:
    """A line for whoever watches."""
    how = "right" if outcome.right else "WRONG" if outcome.named else "-"
    print(
        f"{outcome.cause}, {outcome.strength}: {outcome.answer} {outcome.confidence:.2f} {how} "
        f"({outcome.took_s:.0f} s; {'; '.join(outcome.notes)}) {outcome.run}",
        flush=True,
    )


if __name__ == "__main__":
    main()
