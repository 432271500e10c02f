"""From a file and its `--set`s to an Experiment, or to every mistake at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cluster.document.reader import Kind, read_file, read_text
from cluster.experiment.model import Experiment

EXPERIMENT: Final = Kind(
    model=Experiment,
    noun="an experiment",
    needs="`name` and `load`",
    example="`name: first-try`",
    hint="docs/configuration.md explains every key; `loadcluster init` writes an example.",
)


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read an experiment file.

    Args:
        path: The YAML file.
        overrides: Changes such as `agents.count=2`, in their order, as `--set` gives them.

    Raises:
        ConfigError: the file can't be read, or something in it or in an override is wrong.
            `problems` has every mistake that could be told, in the order of the file.
    """
    return read_file(EXPERIMENT, path, overrides).content


def parse_experiment(text: str, file: str, overrides: Sequence[str] = ()) -> Experiment:
    """As load_experiment, from text; `file` is how messages name it."""
    return read_text(EXPERIMENT, text, file, overrides).content
