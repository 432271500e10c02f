"""From a file and its `--set`s to an Experiment, or to every mistake at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cluster.document.reader import Kind, read_file, read_text
from cluster.experiment.model import Experiment
from cluster.experiment.target import misplaced
from cluster.protocol.builtin import is_path

EXPERIMENT: Final = Kind(
    model=Experiment,
    noun="an experiment",
    needs="`name` and `load`",
    example="`name: first-try`",
    hint="docs/configuration.md explains every key; `loadcluster init` writes an example.",
)


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read an experiment file. Paths of a wire schema and of a file to replay become absolute.

    The engine's address, looked up here, must be one that load may go to.

    Args:
        path: The YAML file.
        overrides: Changes such as `agents.count=2`, in their order, as `--set` gives them.

    Raises:
        ConfigError: the file can't be read, or something in it or in an override is wrong.
            `problems` has every mistake that could be told, in the order of the file.
    """
    document = read_file(EXPERIMENT, path, overrides)
    experiment = document.content
    if mistakes := misplaced(experiment.engine, document.places):
        raise document.places.error(mistakes)

    def absolute(written: str, *key: str) -> str:
        # From where it was written: beside the file, or, with --set, where the user is.
        beside = path.parent if document.places.is_in_file(key) else Path()
        return str((beside / Path(written).expanduser()).absolute())

    if is_path(experiment.protocol):
        protocol = absolute(experiment.protocol, "protocol")
        experiment = experiment.model_copy(update={"protocol": protocol})
    flow = experiment.order_flow
    if isinstance(flow.replay, str):
        flow = flow.with_replay(absolute(flow.replay, "order_flow", "replay"))
    elif flow.replay is not None:
        file = absolute(flow.replay.file, "order_flow", "replay", "file")
        flow = flow.with_replay(flow.replay.model_copy(update={"file": file}))
    return experiment.model_copy(update={"order_flow": flow})


def parse_experiment(text: str, file: str, overrides: Sequence[str] = ()) -> Experiment:
    """As load_experiment, from text; `file` is how messages name it."""
    return read_text(EXPERIMENT, text, file, overrides).content
