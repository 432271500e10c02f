"""What the reader must know when a run did not go as it was laid out."""

from collections.abc import Sequence
from typing import Final

from cluster.errors import ClusterError
from cluster.experiment.plan import Level
from cluster.results.finding import Finding, Severity
from cluster.results.left_behind import LeftBehind

AGENTS_NAMED: Final = 5


def level_did_not_start(level: Level, error: ClusterError) -> Finding:
    """The rise ends below it."""
    return Finding(
        severity=Severity.INVALID,
        code="level-did-not-start",
        message=f"{level.name[0].upper()}{level.name[1:]} did not start: {error.message}",
        advice=error.hint,
        level=level.index,
    )


def trial_did_not_start(trial: int, error: ClusterError) -> Finding:
    """The engine could not be started anew."""
    return Finding(
        severity=Severity.INVALID,
        code="trial-did-not-start",
        message=f"The engine did not come up again for trial {trial + 1}: {error.message}",
        advice=error.hint,
    )


def engine_not_restarted(process: str, trials: int) -> Finding:
    """Trials are alike in what one process keeps from one to the next."""
    return Finding(
        severity=Severity.NOTE,
        code="engine-not-restarted",
        message=f"The engine ({process}) was not started by loadcluster, so all {trials} trials "
        "are of one process: how much a restart changes is not in their interval.",
        advice="Give `engine.command` to have it started anew for each trial.",
    )


def invariance_not_tested(why: str) -> Finding:
    """Whether the clients matter is not known."""
    return Finding(
        severity=Severity.NOTE,
        code="invariance-not-tested",
        message=f"No level was compared with its twin from twice as many clients: {why}.",
    )


def is_of_note(record: LeftBehind) -> bool:
    """Whether something is left on a host, or that is not known."""
    return bool(record.found or record.not_looked)


def left_behind(record: LeftBehind) -> Finding:
    """Something of the run is still on a host, or nobody could look."""
    if record.found:
        message = f"Left behind on {record.host}: {'; '.join(record.found)}"
        advice = "What is supervised ends by itself within 20 s; remove what is still there then."
    else:
        message = (
            f"Whether anything was left behind on {record.host} is not known: {record.not_looked}"
        )
        advice = "What ran there under our supervision ends by itself within seconds."
    return Finding(severity=Severity.WARNING, code="left-behind", message=message, advice=advice)


def cluster_lost(why: str) -> Finding:
    """Its agents went on by themselves, and end by themselves."""
    return Finding(
        severity=Severity.WARNING,
        code="cluster-lost",
        message=f"The head of the Ray cluster went away during the run: {why}. What the agents "
        "told until then stands.",
        advice="Start the head and all load hosts anew. Load stops within seconds where nobody "
        "asks for it, and Ray's nodes end by themselves a minute after their head.",
    )


def agents_beside_engine(agents: Sequence[str]) -> Finding:
    """They have addresses of their own, but not CPUs."""
    who = ", ".join(agents[:AGENTS_NAMED]) + (" …" if len(agents) > AGENTS_NAMED else "")
    return Finding(
        severity=Severity.NOTE,
        code="agents-beside-engine",
        message=f"{who}: on the engine's machine, in a container or network namespace of its own. "
        "Engine and clients share its CPUs.",
        advice="Give both CPUs of their own (`cpus`), or use other load hosts.",
    )
