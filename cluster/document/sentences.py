"""pydantic's findings as sentences: what is wrong and what is allowed, in plain words."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticUndefined

from cluster.document.allowed import KEY_STEP, Allowed, find, keys_of, nearest, sections
from cluster.document.path import Path, format_path, parse_path, show_text
from cluster.document.section import MisfitError, Section

WORDS_SHOWN_MAX: Final = 8  # beside the one that was meant
KEYS_SHOWN_MAX: Final = 16


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong, and where."""

    path: Path
    sentence: str


def mistakes_of(
    error: ValidationError, root: object, model: type[Section], noun: str
) -> list[Mistake]:
    """What `error` says of `root`; several findings about one value are one mistake.

    Args:
        error: What pydantic found.
        root: The values as they were read.
        model: What they should have been.
        noun: What messages call the whole document: an experiment.
    """
    mistakes: dict[Path, Mistake] = {}
    for details in error.errors(include_url=False):
        mistake = _mistake(details, root, model, noun)
        mistakes.setdefault(mistake.path, mistake)
    return list(mistakes.values())


def _mistake(details: ErrorDetails, root: object, model: type[Section], noun: str) -> Mistake:
    path, allowed = find(model, details["loc"])
    reason = details.get("ctx", {}).get("error")
    if isinstance(reason, MisfitError):
        return Mistake((*path, *(parse_path(reason.key) or ())), reason.sentence)
    if details["type"] == "missing":
        return Mistake(path, f"is missing; it must be {allowed.sentence()}")
    if details["type"] == "extra_forbidden":
        return Mistake(path, _unknown_key(path, allowed, model, noun))
    if details["loc"][-1:] == (KEY_STEP,):
        return Mistake(path, f"can't be a name here; a name must be {allowed.sentence()}")
    value = _value_at(root, path)
    if isinstance(value, str) and len(allowed.words) > WORDS_SHOWN_MAX:
        meant = nearest(value, allowed.words)
        if meant:  # the one that was meant would be lost among them
            return Mistake(path, f"must not be {_shown(value)}; did you mean `{meant}`?")
    advice = "".join(f"; {text}" for text in _advice(model, path, allowed, value))
    sentence = f"must be {allowed.sentence()}, not {_shown(value)}{advice}"
    return Mistake(path, sentence)


def _unknown_key(path: Path, allowed: Allowed, model: type[Section], noun: str) -> str:
    """The key that was meant, the section it belongs to, or all keys of this section."""
    key = str(path[-1])
    section = allowed.section or model
    here = f"`{format_path(path[:-1])}`" if len(path) > 1 else noun
    meant = nearest(key, list(keys_of(section)))
    elsewhere = [
        format_path((*place, key)) for place, other in sections(model) if key in keys_of(other)
    ]
    advice = ""
    if meant:
        advice = f"; did you mean `{meant}`?"
    elif elsewhere:
        advice = f"; it belongs elsewhere: {' or '.join(f'`{place}`' for place in elsewhere)}."
    if meant and len(keys_of(section)) > KEYS_SHOWN_MAX:
        return f"is not a key of {here}{advice}"
    keys = ", ".join(f"`{name}`" for name in keys_of(section))
    return f"is not a key of {here}{advice or '.'} Its keys: {keys}"


def _advice(model: type[Section], path: Path, allowed: Allowed, value: object) -> Iterator[str]:
    """What to write instead, where that can be told."""
    default = default_at(model, path)
    if value is None and default is not None:
        yield f"leave the key out for the default ({default})"
    if allowed.item is not None and not isinstance(value, list | dict | None):
        items = value.split() if isinstance(value, str) else [value]
        yield f"write a list: {show_text(json.dumps(items))}"
    if isinstance(value, str):
        meant = nearest(value, allowed.words)
        if meant:
            yield f"did you mean `{meant}`?"
        if (allowed.takes(int) or allowed.takes(float)) and _is_number(value):
            yield "write the number plainly: no quotes, no 0 in front, no separators but _"
    elif allowed.takes(str) and isinstance(value, bool | int | float):
        yield f'write text in quotes: "{_plain(value)}"'


def default_at(model: type[Section], path: Path) -> str | None:
    """The default as one would write it, or None when there is none that fits on a line."""
    allowed = Allowed(model)
    default: object = None
    for step in path:
        if allowed.mapping is not None:
            default, allowed = None, allowed.mapping[1]
            continue
        if allowed.section is None or step not in keys_of(allowed.section):
            return None
        info = keys_of(allowed.section)[str(step)]
        default = info.get_default(call_default_factory=False)
        allowed = Allowed.of_field(info)
    if (
        default is None
        or default is PydanticUndefined
        or isinstance(default, Section | list | dict)
    ):
        return None
    return _plain(default)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "").replace(" ", ""))
    except ValueError:
        return False
    return True


def _shown(value: object) -> str:
    match value:
        case None:
            return "empty"
        case dict():
            return "a section"
        case list():
            return f"a list of {len(value)}"
        case "":
            return "empty text"
        case str():
            return f"the text `{show_text(value)}`"
    return f"`{show_text(_plain(value))}`"


def _plain(value: object) -> str:
    """A value as YAML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.12g}"
    return hex(value) if isinstance(value, int) and abs(value) >= 10**100 else str(value)


def _value_at(root: Any, path: Path) -> object:  # noqa: ANN401 - the values of YAML
    for step in path:
        root = root[step]
    return root
