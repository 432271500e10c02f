"""Waiting in M/D/1 and M/M/1 queues: theory, the very orders recomputed, and what is measured.

    .venv/bin/python benchmarks/queueing.py [--seconds 20] [--loads 0.5,0.7,0.9,0.95]

The reference engine holds a queue in virtual time (`--queue-ns`); engine and client have a CPU
each, and go ahead of everything else on it where that is allowed.
"""

import argparse
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Final

from machine import describe_machine

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from fakes.queues import Law
from integration.known_engine import ahead_of_all
from integration.known_queue import SERVICE_S, QueueLevel, queue_levels

LAWS: Final[tuple[Law, ...]] = ("constant", "exponential")


def microseconds(seconds: float) -> str:
    """As the table has it."""
    return f"{seconds * 1e6:,.0f}"


def row(level: QueueLevel) -> str:
    """A line of the table; times in µs."""
    cells = ["M/D/1" if level.law == "constant" else "M/M/1", f"{level.load:g}"]
    for name, theory, simulated, measured in (
        (
            "mean",
            level.theory_wait_s + SERVICE_S,
            level.simulated_wait_s + SERVICE_S,
            level.measured_wait_s + SERVICE_S,
        ),
        ("p99", level.theory_p99_s, level.simulated_p99_s, level.measured_p99_s),
    ):
        interval = level.interval_s(name)
        told = "none" if interval is None else " to ".join(map(microseconds, interval))
        cells += [*map(microseconds, (theory, simulated, measured)), told]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--loads", default="0.5,0.7,0.9,0.95")
    chosen = options.parse_args()
    loads = [float(load) for load in chosen.loads.split(",")]
    print(describe_machine())
    print(
        f"Response time less overhead, µs; service {SERVICE_S * 1e6:,.0f} µs in the mean, "
        f"{chosen.seconds} s each; ahead of all: {'yes' if ahead_of_all() else 'no'}"
    )
    print(
        "| queue | load | mean: theory | these orders | measured | interval "
        "| p99: theory | these orders | measured | interval |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for number, (law, load) in enumerate(product(LAWS, loads)):
            own = Path(folder) / str(number)
            quiet, level = queue_levels(own, law, (load,), chosen.seconds, ahead_of_all())
            print(row(level), flush=True)
            print(f"overhead {microseconds(quiet.overhead_s)} us", file=sys.stderr)
            for finding in level.summary.findings:
                print(f"  {finding.code}: {finding.message}", file=sys.stderr)


if __name__ == "__main__":
    main()
