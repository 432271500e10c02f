"""The matrix as a page of the documentation."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from confusion.outcome import ANSWERS, CONFIDENT, DISTURBED, Matrix, Outcome

RIGHT_MIN: Final = 0.95

HEAD: Final = """\
# The confusion matrix of the verdict

<!-- Written by `make confusion-matrix`; changes made by hand are lost. -->

Causes are planted on purpose, at several strengths and repeatedly, and each run is judged as any
other. The verdict must be right in at least 95 % of the runs in which it names a cause, and never
be *confidently* wrong: name another cause with a confidence of 0.9 or more. *Inconclusive* is an
honest answer and no wrong one.
"""

HOW: Final = """
## How it is done

Each row is a short run of `loadcluster run`: a level well within the plant, then one beyond it (or
closed-loop). The engine has CPU 0 and the load clients CPU 1, before all other programs. Quotas are
control groups of the kernel, hogs are busy loops on the clients' CPU, and faults of the engine are
those of the [reference engine](engine.md). Network rows run in two network namespaces joined by
`benchmarks/confusion/path.cpp`, which delays, drops and limits packets between two TUN devices:
many kernels are built without `netem`. Where nothing was done to the clients and yet they waited
for a CPU for more than 10 % of the time, something else was planted by others: such a run is done
again, at most twice, and then left out. What is planted, and why it is the limit:
`benchmarks/confusion/plants.py`.

To make this page anew, as root and with nothing else running: `make confusion-matrix`. One row:
`make confusion-matrix ARGS="--only 'engine: lock' --repeats 5"`; to judge saved runs with today's
analysis: `ARGS=--rejudge`. Neither of the two writes this page.
"""


def render(matrix: Matrix, whys: dict[str, str]) -> str:
    """The page.

    Args:
        matrix: what was measured.
        whys: cause → why it is the limit.
    """
    facts = (
        f"\nMeasured {matrix.measured_at} with loadcluster {matrix.version} on {matrix.machine}; "
        f"{matrix.control_s} s measured at each level; {matrix.disturbed} disturbed runs were done "
        "again.\n"
    )
    parts = [HEAD, facts, _rows(matrix.outcomes), totals_text(matrix.outcomes)]
    if matrix.skipped:
        parts.append("\nNot planted:\n\n")
        parts += [f"- {row}: {why}.\n" for row, why in matrix.skipped.items()]
    wrong = [o for o in matrix.outcomes if o.named and not o.right]
    if wrong:
        parts.append("\nWrong answers, in the verdict's own words:\n\n")
        parts += [f"- {o.cause}, {o.strength}: {o.sentence}\n" for o in wrong]
    parts.append("\n## Why each is the limit\n\n| planted | why |\n|---|---|\n")
    parts += [f"| {cause} | {why} |\n" for cause, why in whys.items()]
    return "".join([*parts, HOW])


def _rows(outcomes: Sequence[Outcome]) -> str:
    lines = [
        "\n| planted | strength | truth | "
        + " | ".join(ANSWERS)
        + " | mean confidence | n |\n|---|---|---|---|---|---|---|---|---|\n"
    ]
    for (cause, strength, truth), group in groupby(
        outcomes, key=lambda o: (o.cause, o.strength, o.truth)
    ):
        runs = [outcome for outcome in group if outcome.answer != DISTURBED]
        counts = [sum(o.answer == answer for o in runs) for answer in ANSWERS]
        cells = [_count(n, name == truth) for n, name in zip(counts, ANSWERS, strict=True)]
        named = [o.confidence for o in runs if o.named]
        mean = f"{sum(named) / len(named):.2f}" if named else ""
        lines.append(
            f"| {cause} | {strength} | {truth} | {' | '.join(cells)} | {mean} | {len(runs)} |\n"
        )
    return "".join(lines)


def _count(count: int, right: bool) -> str:
    if not count:
        return ""
    return f"**{count}**" if right else str(count)


def totals_text(outcomes: Sequence[Outcome]) -> str:
    """What follows from all runs together, in sentences."""
    named = [o for o in outcomes if o.named]
    right = sum(o.right for o in named)
    failed = sum(o.answer == "no answer" for o in outcomes)
    inconclusive = [o for o in outcomes if o.answer == "inconclusive"]
    expected = sum(o.truth == "none" for o in inconclusive)
    wrong = sum(o.confidently_wrong for o in outcomes)
    sure = [o for o in named if o.confidence >= CONFIDENT]
    share = f"{right / len(named):.1%}" if named else "none"
    text = (
        f"\n**{right:,} of {len(named):,} named causes are right ({share}; at least "
        f"{RIGHT_MIN:.0%} are asked for). Confidently wrong: {wrong:,} of {len(sure):,} answers "
        f"with a confidence of {CONFIDENT} or more (0 are asked for).** "
        f"{len(inconclusive):,} of {len(outcomes):,} runs were inconclusive, {expected:,} of them "
        "with nothing planted, where that is the right answer.\n"
    )
    disturbed = sum(o.answer == DISTURBED for o in outcomes)
    if disturbed:
        text += f"{disturbed:,} runs were disturbed in every try and are not counted.\n"
    return text + (f"{failed:,} runs gave no answer.\n" if failed else "")


def kept(outcomes: Sequence[Outcome]) -> bool:
    """Whether the verdict is as right as is asked for."""
    named = [o for o in outcomes if o.named]
    return (
        bool(named)
        and sum(o.right for o in named) >= RIGHT_MIN * len(named)
        and not any(o.confidently_wrong for o in outcomes)
        and all(o.answer != "no answer" for o in outcomes)
    )
