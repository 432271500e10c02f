"""From a file and its `--set`s to an Experiment, or to every mistake at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import Final

from pydantic import ValidationError

from cluster.errors import ConfigError, Problem
from cluster.experiment.model import Experiment
from cluster.experiment.overrides import Override, apply_override, read_override
from cluster.experiment.path import Path, format_path
from cluster.experiment.sentences import Mistake, mistakes_of
from cluster.experiment.source import Source, read_source

BYTES_MAX: Final = 256 * 1024

_HINT: Final = "docs/configuration.md explains every key; `loadcluster init` writes an example."


def load_experiment(path: FilePath, overrides: Sequence[str] = ()) -> Experiment:
    """Read an experiment file.

    Args:
        path: The YAML file.
        overrides: Changes such as `agents.count=2`, in their order, as `--set` gives them.

    Raises:
        ConfigError: the file can't be read, or something in it or in an override is wrong.
            `problems` has every mistake that could be told, in the order of the file.
    """
    return parse_experiment(_read_text(path), str(path), overrides)


def parse_experiment(text: str, file: str, overrides: Sequence[str] = ()) -> Experiment:
    """As load_experiment, from text; `file` is how messages name it."""
    source = read_source(text, file)
    _require_mapping(source)
    changes, problems = _apply(source, overrides)
    try:
        experiment = Experiment.model_validate(source.value)
    except ValidationError as error:
        places = _Places(source, changes)
        found = [
            places.problem(mistake)
            for mistake in mistakes_of(error, source.value)
            if not places.is_told(mistake.path)
        ]
        raise _config_error([*source.problems, *problems, *found]) from None
    if source.problems or problems:
        raise _config_error([*source.problems, *problems])
    return experiment


def _read_text(path: FilePath) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        raise _config_error([Problem(str(path), None, "", _cannot_read(error))]) from None
    if len(content) > BYTES_MAX:
        sentence = f"is larger than {BYTES_MAX // 1024} KiB; an experiment never is"
        raise _config_error([Problem(str(path), None, "", sentence)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        sentence = f"is not text in UTF-8 (byte {error.start + 1}); is it an experiment file?"
        raise _config_error([Problem(str(path), line, "", sentence)]) from None


def _cannot_read(error: OSError | ValueError) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "is a directory; name the file in it"
        case PermissionError():
            return "may not be read by you: its permissions forbid it"
        case OSError(strerror=str(said)):
            return f"can't be read: {said}"
    return "is not the name of a file"


def _require_mapping(source: Source) -> None:
    """Raise when there is nothing in which keys could be looked up."""
    if source.is_empty:
        sentence = "is empty; it needs at least `name` and `load`"
    elif source.value is None and source.problems:
        raise _config_error(source.problems)
    elif not isinstance(source.value, dict):
        what = "a list" if isinstance(source.value, list) else "a single value"
        sentence = f"must hold keys with their values, such as `name: first-try`, not {what}"
    else:
        return
    raise _config_error([*source.problems, Problem(source.file, None, "", sentence)])


def _apply(source: Source, overrides: Sequence[str]) -> tuple[list[Override], list[Problem]]:
    changes: list[Override] = []
    problems: list[Problem] = []
    for text in overrides:
        change = read_override(text)
        if isinstance(change, list):
            problems += change
            continue
        problem = apply_override(source.value, change)
        if problem is None:
            changes.append(change)
        else:
            problems.append(problem)
    return changes, problems


class _Places:
    """Says where the value at a path was written: in the file, or by the last `--set` of it."""

    def __init__(self, source: Source, changes: Sequence[Override]) -> None:
        self._source = source
        self._changes: Mapping[Path, Override] = {change.path: change for change in changes}

    def is_told(self, path: Path) -> bool:
        """Whether the value is a stand-in for one whose problem is told already."""
        broken = any(path[:end] in self._source.broken for end in range(len(path) + 1))
        return broken and self._change_of(path) is None

    def problem(self, mistake: Mistake) -> Problem:
        key = format_path(mistake.path)
        change = self._change_of(mistake.path)
        if change is not None:
            return Problem(change.place, None, key, mistake.sentence)
        return Problem(self._source.file, self._line_of(mistake.path), key, mistake.sentence)

    def _change_of(self, path: Path) -> Override | None:
        for end in range(len(path), 0, -1):
            if path[:end] in self._changes:
                return self._changes[path[:end]]
        return None

    def _line_of(self, path: Path) -> int | None:
        for end in range(len(path), 0, -1):
            if path[:end] in self._source.lines:
                return self._source.lines[path[:end]]
        return None


def _config_error(problems: Sequence[Problem]) -> ConfigError:
    """In the order of the file, what has no line first, and nothing twice."""
    once = dict.fromkeys(problems)
    return ConfigError(sorted(once, key=lambda problem: problem.line or 0), _HINT)
