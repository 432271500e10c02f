"""YAML with the line of every value. Says what is wrong with the text, not with its meaning.

YAML 1.1, as PyYAML reads it, has traps: `off` is false, 01750 is 1000, 1:30 is 90, 1e5 is text.
Here `on`, `off`, `yes` and `no` are words and 1e5 is a number, as in YAML 1.2; numbers that the
two versions read differently are refused.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from cluster.document.path import Path, format_path, show_text
from cluster.errors import Problem

DEPTH_MAX: Final = 16
NODES_MAX: Final = 100_000

_TAG: Final = "tag:yaml.org,2002:"
_FLOAT: Final = re.compile(
    r"""[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)[eE][-+]?[0-9]+
    |[-+]?(?:[0-9][0-9_]*)\.[0-9_]*|[-+]?\.[0-9][0-9_]*
    |[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*
    |[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)""",
    re.VERBOSE,
)
# Up to here each whole number has a float of its own, so 1e5 and 100000 are the same.
_EXACT_MAX: Final = 2**53


class Loader(yaml.SafeLoader):
    """PyYAML's loader with the words and numbers of YAML 1.2, and without dates and merging."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in (_TAG + "int", _TAG + "null")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(
    _TAG + "bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
Loader.add_implicit_resolver(
    _TAG + "float", re.compile(f"^(?:{_FLOAT.pattern})$", re.VERBOSE), list("-+0123456789.")
)


@dataclass
class Source:
    """What a text holds. Values are dict, list, str, int, float, bool or None."""

    file: str
    value: Any = None
    is_empty: bool = False
    lines: dict[Path, int] = field(default_factory=dict)  # of each key or list item
    problems: list[Problem] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)  # their problem is told; `value` is a stand-in


def read_source(text: str, file: str, noun: str = "this") -> Source:
    """Read one YAML document, which should be `noun`; what is wrong with it is in `problems`."""
    source = Source(file)
    try:
        _check_depth(text, noun)
        root = yaml.compose(text, Loader)
        if root is None:
            source.is_empty = True
        else:
            source.value = _Builder(source, noun).build(root, ())
    except _TooMuchError as error:
        source.problems.append(Problem(file, error.line, "", str(error)))
    except yaml.YAMLError as error:
        source.problems.append(_syntax_problem(error, file))
    except (ValueError, OverflowError) as error:
        # PyYAML lets these through, for instance from "\UFFFFFFFF" and `%YAML 1.99…9`.
        source.problems.append(Problem(file, None, "", f"is not YAML: {show_text(str(error))}"))
    return source


class _TooMuchError(Exception):
    """The document is too deep or too large for people to have written it."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _check_depth(text: str, noun: str) -> None:
    """Refuse deep documents before PyYAML composes them, which it does by recursion."""
    depth = 0
    for event in yaml.parse(text, Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_MAX:
            raise _TooMuchError(
                f"is nested more than {DEPTH_MAX} deep; {noun} never is", _line(event)
            )


class _Builder:
    """Turns PyYAML's nodes into values and notes the line of each."""

    def __init__(self, source: Source, noun: str) -> None:
        self._source = source
        self._noun = noun
        self._nodes = 0

    def build(self, node: yaml.Node, path: Path) -> Any:  # noqa: ANN401 - the values of YAML
        # Aliases are expanded: nine lines of them can stand for a thousand million values.
        self._nodes += 1
        if self._nodes > NODES_MAX or len(path) > DEPTH_MAX:
            raise _TooMuchError(
                f"holds more than {NODES_MAX:_} values or {DEPTH_MAX} levels once its aliases "
                f"(`*name`) are expanded; {self._noun} never does",
                _line(node),
            )
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, path)
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        if node.tag != _TAG + "map":
            self._refuse(node, path, _tag_sentence(node))
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, path, "holds a key that is not a word; write `key: value`")
                continue
            key = (*path, key_node.value)
            if key_node.value in values:
                self._problem(
                    key_node,
                    key,
                    f"is given twice: here and on line {self._source.lines[key]}; keep one",
                )
                continue
            self._source.lines[key] = _line(key_node)
            values[key_node.value] = self.build(value_node, key)
        return values

    def _sequence(self, node: yaml.SequenceNode, path: Path) -> list[Any]:
        if node.tag != _TAG + "seq":
            self._refuse(node, path, _tag_sentence(node))
        values = []
        for index, item in enumerate(node.value):
            self._source.lines[(*path, index)] = _line(item)
            values.append(self.build(item, (*path, index)))
        return values

    def _scalar(self, node: yaml.Node, path: Path) -> Any:  # noqa: ANN401 - the values of YAML
        raw: str = node.value
        try:
            match node.tag.removeprefix(_TAG):
                case "str":
                    return raw
                case "null":
                    return None
                case "bool":
                    return yaml.SafeLoader.bool_values[raw.lower()]
                case "int":
                    return _whole_number(raw)
                case "float":
                    return _number(raw)
            self._refuse(node, path, _tag_sentence(node))
        except _AmbiguousError as error:
            self._refuse(node, path, str(error))
        except (ValueError, KeyError):
            self._refuse(node, path, f"`{show_text(raw)}` is not a value that can be read")
        return None

    def _refuse(self, node: yaml.Node, path: Path, sentence: str) -> None:
        self._problem(node, path, sentence)
        self._source.broken.add(path)

    def _problem(self, node: yaml.Node, path: Path, sentence: str) -> None:
        place = Problem(self._source.file, _line(node), format_path(path), sentence)
        self._source.problems.append(place)


class _AmbiguousError(Exception):
    """A number that does not mean what it seems to."""


def _whole_number(raw: str) -> int:
    digits = raw.replace("_", "").lstrip("+-")
    sign = -1 if raw.startswith("-") else 1
    if ":" in digits:
        raise _AmbiguousError(_sexagesimal_sentence(raw))
    if digits[:2] in ("0x", "0b"):
        return sign * int(digits, 0)
    if digits.startswith("0") and digits.strip("0"):
        raise _AmbiguousError(
            f"`{show_text(raw)}` starts with 0, which YAML 1.1 reads as octal "
            f"({sign * int(digits, 8)}) and YAML 1.2 as decimal: write it without the 0"
        )
    return sign * int(digits)


def _number(raw: str) -> int | float:
    text = raw.replace("_", "").lower()
    if ":" in text:
        raise _AmbiguousError(_sexagesimal_sentence(raw))
    number = float(text.replace(".inf", "inf").replace(".nan", "nan"))
    return int(number) if number.is_integer() and abs(number) <= _EXACT_MAX else number


def _sexagesimal_sentence(raw: str) -> str:
    return (
        f"`{show_text(raw)}` is a number to base 60 in YAML 1.1 and text in YAML 1.2: "
        "write a plain number, or put text in quotes"
    )


def _tag_sentence(node: yaml.Node) -> str:
    tag = node.tag.replace(_TAG, "!!")
    return f"the tag `{show_text(tag)}` can't be used here; write the plain value"


def _syntax_problem(error: yaml.YAMLError, file: str) -> Problem:
    """PyYAML's own words, at its line."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        said = ", ".join(filter(None, (error.context, error.problem, error.note)))
        advice = "; indent with spaces" if "'\\t'" in said else ""
        column = f" (column {mark.column + 1})" if mark else ""
        line = mark.line + 1 if mark else None
        return Problem(file, line, "", f"is not YAML{column}: {_one_line(said)}{advice}")
    if isinstance(error, yaml.reader.ReaderError):
        return Problem(
            file,
            None,
            "",
            f"holds a character that no text has (U+{_code(error):04X}): is it text?",
        )
    return Problem(file, None, "", f"is not YAML: {_one_line(str(error))}")


def _one_line(said: str) -> str:
    return " ".join(show_text(word) for word in said.split())


def _code(error: yaml.reader.ReaderError) -> int:
    character = error.character
    return character if isinstance(character, int) else ord(character[:1])


def _line(at: yaml.Node | yaml.Event) -> int:
    return at.start_mark.line + 1 if at.start_mark else 1
