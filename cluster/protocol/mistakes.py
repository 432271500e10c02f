"""Mistakes are gathered while a schema is compiled, so that all of them are told at once."""

from cluster.document.path import Path
from cluster.document.sentences import Mistake


class Mistakes:
    """What was found to be wrong so far, each value once."""

    def __init__(self) -> None:
        self._found: dict[Path, Mistake] = {}

    def add(self, path: Path, sentence: str) -> None:
        """Note what is wrong at `path`; the first sentence about a value is kept."""
        self._found.setdefault(path, Mistake(path, sentence))

    def within(self, path: Path) -> bool:
        """Whether something at `path` or inside it is wrong."""
        return any(found[: len(path)] == path for found in self._found)

    @property
    def found(self) -> list[Mistake]:
        """All of them, in the order in which they were found."""
        return list(self._found.values())


class WrongValueError(ValueError):
    """A value can't be written as its field says; the text is the sentence."""
