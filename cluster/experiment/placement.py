"""Who runs on which CPUs of this machine: pure arithmetic, nothing is pinned here."""

from collections.abc import Sequence
from dataclasses import dataclass

from cluster.errors import ConfigError, Problem
from cluster.experiment.model import Cpus, Experiment

UNPINNED: tuple[int, ...] = ()


@dataclass(frozen=True)
class Placement:
    """The CPUs of the engine that we start, and of each agent's workers; empty: not pinned."""

    engine_cpus: tuple[int, ...]
    agent_cpus: tuple[tuple[int, ...], ...]  # per agent one CPU per worker, or none
    notes: tuple[str, ...] = ()  # what is not as one would wish, one sentence each


def place(experiment: Experiment, usable_cpus: frozenset[int]) -> Placement:
    """Place the engine and the workers as `experiment.cpus` says.

    Raises:
        ConfigError: `cpus` names CPUs of this machine that can't be used.
    """
    if isinstance(experiment.cpus, Cpus):
        return _as_listed(experiment, experiment.cpus, usable_cpus)
    if experiment.cpus == "apart":
        return _apart(experiment, tuple(sorted(usable_cpus)))
    return _unpinned(experiment)


def _unpinned(experiment: Experiment, *notes: str) -> Placement:
    return Placement(UNPINNED, (UNPINNED,) * experiment.agents.count, notes)


def _as_listed(experiment: Experiment, cpus: Cpus, usable_cpus: frozenset[int]) -> Placement:
    """The lists of the experiment. Only those of this machine can be checked here."""
    agents = cpus.agents or [[] for _ in range(experiment.agents.count)]
    problems = []
    if experiment.engine.host == "local":
        problems += _unusable(experiment, "cpus.engine", cpus.engine, usable_cpus)
    if experiment.fleet == "in-process" or experiment.ray.address is None:
        for index, listed in enumerate(agents):
            problems += _unusable(experiment, f"cpus.agents[{index}]", listed, usable_cpus)
    if problems:
        raise ConfigError(problems)
    return Placement(tuple(cpus.engine), tuple(tuple(listed) for listed in agents))


def _unusable(
    experiment: Experiment, key: str, cpus: Sequence[int], usable_cpus: frozenset[int]
) -> list[Problem]:
    missing = sorted(set(cpus) - usable_cpus)
    if not missing:
        return []
    sentence = (
        f"{_named(missing)} can't be used on this machine; it lets us use "
        f"{_named(sorted(usable_cpus))}"
    )
    return [Problem(experiment.name, None, key, sentence)]


def _apart(experiment: Experiment, cpus: tuple[int, ...]) -> Placement:
    """The engine on the first CPUs, the workers round robin on the others.

    With a single CPU nothing can be apart: the run goes on unpinned and says so.
    """
    engine_is_here = experiment.engine.host == "local"
    if engine_is_here and len(cpus) <= 1:
        return _unpinned(
            experiment,
            "this machine lets us use one CPU only: engine and clients share it, unpinned, "
            "so the figures say little about either",
        )
    engine_cpus = cpus[: _engine_share(experiment, len(cpus))] if engine_is_here else UNPINNED
    client_cpus = cpus[len(engine_cpus) :]
    agent_cpus = spread(client_cpus, experiment.agents.count, experiment.agents.workers)
    return Placement(engine_cpus, agent_cpus, _crowding(experiment, engine_cpus, client_cpus))


def spread(cpus: Sequence[int], agents: int, workers: int) -> tuple[tuple[int, ...], ...]:
    """One CPU for each worker of each agent, round robin."""
    return tuple(
        tuple(cpus[(agent * workers + worker) % len(cpus)] for worker in range(workers))
        for agent in range(agents)
    )


def _engine_share(experiment: Experiment, cpus: int) -> int:
    """How many CPUs the engine gets: at least one, and at least one is left for the workers.

    The reference engine needs one per thread. How many another engine needs is not known: it
    gets what the workers leave, and at least half.
    """
    if experiment.engine.reference is not None:
        return min(experiment.engine.reference.threads, cpus - 1)
    workers = experiment.agents.count * experiment.agents.workers
    return cpus - min(workers, cpus // 2)


def _crowding(
    experiment: Experiment, engine_cpus: Sequence[int], client_cpus: Sequence[int]
) -> tuple[str, ...]:
    notes = []
    reference = experiment.engine.reference
    if reference is not None and engine_cpus and reference.threads > len(engine_cpus):
        notes.append(
            f"{reference.threads} engine threads share {_named(engine_cpus)}: "
            "the engine could do more with a CPU for each"
        )
    workers = experiment.agents.count * experiment.agents.workers
    if workers > len(client_cpus):
        notes.append(
            f"{workers} load workers share {_named(client_cpus)}: "
            "orders may go out late; the send lag says how late"
        )
    return tuple(notes)


def _named(cpus: Sequence[int]) -> str:
    if not cpus:
        return "no CPU"
    return ("CPU " if len(cpus) == 1 else "CPUs ") + ", ".join(str(cpu) for cpu in cpus)
