"""Saved runs, judged with today's analysis: no load, no privileges, a second each."""

from pathlib import Path

from cluster.analysis.run import RunFacts, summarise_run
from cluster.experiment.reader import load_experiment
from cluster.results.store import RunDirectory
from cluster.results.summary import Summary
from confusion.outcome import DISTURBED, Matrix, Outcome


def rejudge(folder: Path, matrix: Matrix) -> Matrix:
    """The same runs with their answers anew; a run without an answer stays so."""
    outcomes = [_again(folder / "runs", outcome) for outcome in matrix.outcomes]
    return matrix.model_copy(update={"outcomes": outcomes})


def _again(runs: Path, outcome: Outcome) -> Outcome:
    if not outcome.run or outcome.answer in {"no answer", DISTURBED}:
        return outcome
    verdict = summary_of(runs / outcome.run).verdict
    return outcome.model_copy(
        update={
            "answer": verdict.bottleneck,
            "confidence": verdict.confidence,
            "sentence": verdict.sentence,
        }
    )


def summary_of(run: Path) -> Summary:
    """What today's analysis says of a saved run. Raises ResultsError."""
    directory = RunDirectory.open(run)
    saved = directory.load_summary()
    facts = RunFacts(
        version=saved.version,
        started_at=saved.started_at,
        duration_s=saved.duration_s,
        source=saved.engine.source,
        process=saved.engine.process,
        protocol=saved.protocol,
        interrupted=saved.interrupted,
        engine_exit=saved.engine.exit,
    )
    experiment = load_experiment(run / "experiment.yaml")
    return summarise_run(directory.load_levels(), experiment, facts)
