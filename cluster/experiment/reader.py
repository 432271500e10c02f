"""From a file and its `--set`s to an Experiment, or to every mistake at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cluster.document.reader import Kind, read_file, read_text
from cluster.experiment.model import Experiment
from cluster.protocol.builtin import is_path

EXPERIMENT: Final = Kind(
    model=Experiment,
    noun="an experiment",
    needs="`name` and `load`",
    example="`name: first-try`",
    hint="docs/configuration.md explains every key; `loadcluster init` writes an example.",
)


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read an experiment file. The path of a wire schema becomes an absolute one.

    Args:
        path: The YAML file.
        overrides: Changes such as `agents.count=2`, in their order, as `--set` gives them.

    Raises:
        ConfigError: the file can't be read, or something in it or in an override is wrong.
            `problems` has every mistake that could be told, in the order of the file.
    """
    document = read_file(EXPERIMENT, path, overrides)
    experiment = document.content
    if not is_path(experiment.protocol):
        return experiment
    # From where it was written: beside the file, or, with --set, where the user is.
    written_in = path.parent if document.places.is_in_file(("protocol",)) else Path()
    schema = (written_in / experiment.protocol).absolute()
    return experiment.model_copy(update={"protocol": str(schema)})


def parse_experiment(text: str, file: str, overrides: Sequence[str] = ()) -> Experiment:
    """As load_experiment, from text; `file` is how messages name it."""
    return read_text(EXPERIMENT, text, file, overrides).content
