"""From a file and its `--set`s to a typed document, or to every mistake at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Final, Generic, TypeVar

from pydantic import ValidationError

from cluster.document.overrides import Override, apply_override, read_override
from cluster.document.path import Path, format_path
from cluster.document.section import Section
from cluster.document.sentences import Mistake, mistakes_of
from cluster.document.source import Source, read_source
from cluster.errors import ConfigError, Problem

BYTES_MAX: Final = 256 * 1024

M = TypeVar("M", bound=Section)


@dataclass(frozen=True)
class Kind(Generic[M]):
    """A kind of document: its model, and how messages speak of it."""

    model: type[M]
    noun: str  # an experiment
    needs: str  # what it can't do without: `name` and `load`
    example: str  # a first line: `name: first-try`
    hint: str  # where to look things up


@dataclass(frozen=True)
class Document(Generic[M]):
    """A document that is right by itself, and the place of each of its values."""

    content: M
    places: "Places"


def read_file(kind: Kind[M], path: FilePath, overrides: Sequence[str] = ()) -> Document[M]:
    """Read a document from a file.

    Args:
        kind: What it should be.
        path: The YAML file.
        overrides: Changes such as `agents.count=2`, in their order, as `--set` gives them.

    Raises:
        ConfigError: the file can't be read, or something in it or in an override is wrong.
            `problems` has every mistake that could be told, in the order of the file.
    """
    return read_text(kind, _read_bytes(kind, path), str(path), overrides)


def read_text(kind: Kind[M], text: str, file: str, overrides: Sequence[str] = ()) -> Document[M]:
    """As read_file, from text; `file` is how messages name it."""
    source = read_source(text, file, kind.noun)
    _require_mapping(kind, source)
    changes, problems = _apply(source, overrides)
    places = Places(source, changes, kind.hint)
    try:
        content = kind.model.model_validate(source.value)
    except ValidationError as error:
        found = [
            places.problem(mistake)
            for mistake in mistakes_of(error, source.value, kind.model, kind.noun)
            if not places.is_told(mistake.path)
        ]
        raise config_error([*source.problems, *problems, *found], kind.hint) from None
    if source.problems or problems:
        raise config_error([*source.problems, *problems], kind.hint)
    return Document(content, places)


def _read_bytes(kind: Kind[M], path: FilePath) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        problem = Problem(str(path), None, "", _cannot_read(error))
        raise config_error([problem], kind.hint) from None
    if len(content) > BYTES_MAX:
        sentence = f"is larger than {BYTES_MAX // 1024} KiB; {kind.noun} never is"
        raise config_error([Problem(str(path), None, "", sentence)], kind.hint)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        sentence = f"is not text in UTF-8 (byte {error.start + 1}); is it {kind.noun}?"
        raise config_error([Problem(str(path), line, "", sentence)], kind.hint) from None


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


def _require_mapping(kind: Kind[M], source: Source) -> None:
    """Raise when there is nothing in which keys could be looked up."""
    if source.is_empty:
        sentence = f"is empty; it needs at least {kind.needs}"
    elif source.value is None and source.problems:
        raise config_error(source.problems, kind.hint)
    elif not isinstance(source.value, dict):
        what = "a list" if isinstance(source.value, list) else "a single value"
        sentence = f"must hold keys with their values, such as {kind.example}, not {what}"
    else:
        return
    problem = Problem(source.file, None, "", sentence)
    raise config_error([*source.problems, problem], kind.hint)


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


class Places:
    """Says where the value at a path was written: in the file, or by the last `--set` of it."""

    def __init__(self, source: Source, changes: Sequence[Override], hint: str) -> None:
        self._source = source
        self._hint = hint
        self._changes: Mapping[Path, Override] = {change.path: change for change in changes}

    def place(self, path: Path) -> str:
        """Where the value at `path` is written: x.yaml:7, or --set …."""
        problem = self.problem(Mistake(path, ""))
        return f"{problem.file}:{problem.line}" if problem.line else problem.file

    def is_in_file(self, path: Path) -> bool:
        """Whether the value at `path` is as the file has it: no `--set` gave it."""
        return self._change_of(path) is None

    def is_told(self, path: Path) -> bool:
        """Whether the value is a stand-in for one whose problem is told already."""
        broken = any(path[:end] in self._source.broken for end in range(len(path) + 1))
        return broken and self._change_of(path) is None

    def error(self, mistakes: Sequence[Mistake]) -> ConfigError:
        """All of them, at their places, in the order of the file."""
        return config_error([self.problem(mistake) for mistake in mistakes], self._hint)

    def problem(self, mistake: Mistake) -> Problem:
        """The mistake at its place: a line of the file, or a `--set`."""
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


def config_error(problems: Sequence[Problem], hint: str) -> ConfigError:
    """In the order of the file, what has no line first, and nothing twice."""
    once = dict.fromkeys(problems)
    return ConfigError(sorted(once, key=lambda problem: problem.line or 0), hint)
