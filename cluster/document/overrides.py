"""`--set a.b=c`: changes to what the file says, before anything is checked."""

from dataclasses import dataclass
from typing import Any

from cluster.document.path import Path, format_path, parse_path, show_text
from cluster.document.source import read_source
from cluster.errors import Problem


@dataclass(frozen=True)
class Override:
    """One `--set`: where, and the value in YAML."""

    text: str  # as typed
    path: Path
    value: Any

    @property
    def place(self) -> str:
        """How messages name it."""
        return place_of(self.text)


def place_of(text: str) -> str:
    """How messages name the `--set` of this text."""
    return f"--set {show_text(text)}"


def read_override(text: str) -> Override | list[Problem]:
    """Read `a.b[0]=value`; the problems, when it is not written like that."""
    key, equals, value = text.partition("=")
    path = parse_path(key.strip())
    if not equals or path is None:
        return [
            Problem(
                place_of(text),
                None,
                "",
                "must be KEY=VALUE, such as agents.count=2, load.rates_per_s=[1000, 2000] "
                "or load.rates_per_s[0]=500",
            )
        ]
    source = read_source(value, place_of(text))
    if source.problems:
        return [
            Problem(found.file, None, format_path(path), found.sentence)
            for found in source.problems
        ]
    return Override(text, path, None if source.is_empty else source.value)


def apply_override(root: dict[str, Any], override: Override) -> Problem | None:
    """Put the value at its place in `root`; sections that are not there yet are made."""
    node: Any = root
    for depth, step in enumerate(override.path):
        last = depth == len(override.path) - 1
        sentence = _unfit(node, step, override.path[:depth])
        if sentence:
            return Problem(override.place, None, format_path(override.path), sentence)
        if last:
            node[step] = override.value
        elif isinstance(node, dict) and node.get(step) is None:
            node[step] = {}
        node = node[step]
    return None


def _unfit(node: object, step: str | int, path: Path) -> str:
    """Why `step` can't be taken from `node`, or nothing when it can."""
    where = f"`{format_path(path)}`"
    if isinstance(step, int):
        if not isinstance(node, list):
            return f"{where} is not a list here; set it whole: {format_path(path)}=[…]"
        if step >= len(node):
            return f"{where} has {len(node)} entries, [0] is the first; set the list whole"
        return ""
    if isinstance(node, dict):
        return ""
    what = "a list" if isinstance(node, list) else f"`{show_text(str(node))}`"
    return f"{where} is {what}, which has no keys; set it whole: {format_path(path)}={{…}}"
