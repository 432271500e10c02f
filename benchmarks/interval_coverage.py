"""How often the 95 % intervals hold the truth, for orders that depend on each other.

    .venv/bin/python benchmarks/interval_coverage.py [--runs 2000]

Each cell: of the runs that gave an interval, the share whose interval holds the truth; in brackets
the share of runs that gave one. Windows are in correlation times, the time in which the process
forgets: the table shows from where on an interval can be had.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor

from dependent_times import (
    FIGURES,
    Coverage,
    Process,
    coverage,
    independent,
    modulated,
    single_server,
)

SEED = 20_261


def cases() -> list[tuple[Process, int]]:
    """Processes and windows, s."""
    return [
        (independent(200), 5),
        (independent(1_000), 10),
        (independent(5_000), 30),
        *((single_server(1_000, 0.7), seconds) for seconds in (10, 20, 60)),
        *((single_server(1_000, 0.9), seconds) for seconds in (10, 20, 60, 200, 400)),
        (modulated(1_000, 0.1), 20),
        *((modulated(1_000, 0.5), seconds) for seconds in (5, 10, 20, 30, 60, 120)),
        *((modulated(1_000, 5), seconds) for seconds in (10, 20, 60)),
    ]


def line(process: Process, seconds: int, told: dict[str, Coverage]) -> str:
    """A row of the table."""
    cells = (
        f"{one.held_ratio:6.1%} ({one.given_ratio:4.0%})" if one.given else "     - (  0%)"
        for one in told.values()
    )
    forgets = f"{seconds / process.correlation_s:,.0f}" if process.correlation_s else "∞"
    return f"| {process.name} | {seconds} | {forgets} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000)
    runs = parser.parse_args().runs
    print(f"| process | window, s | in correlation times | {' | '.join(FIGURES)} |")
    print("|---" * (3 + len(FIGURES)) + "|")
    with ProcessPoolExecutor() as pool:
        jobs = [
            (case, pool.submit(coverage_of, number, runs)) for number, case in enumerate(cases())
        ]
        for (process, seconds), job in jobs:
            print(line(process, seconds, job.result()), flush=True)


def coverage_of(number: int, runs: int) -> dict[str, Coverage]:
    """Of the case with this number: processes can't be sent to another process."""
    process, seconds = cases()[number]
    return coverage(process, seconds, runs, SEED + number)


if __name__ == "__main__":
    main()
