"""What may stand at each place of a document, in words: read from the model itself.

Every message about a wrong value is made from this, so a message can't disagree with the model.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import Discriminator
from pydantic.fields import FieldInfo

from cluster.document.path import Path
from cluster.document.section import LIST_TAG, SECTION_TAG, WORD_TAG, Section, Words

KEY_STEP: Final = "[key]"  # how pydantic says that it is the key of a mapping that is wrong

_TAGS: Final = (SECTION_TAG, WORD_TAG, LIST_TAG)
_KEYS_SHOWN: Final = 8
_GROUPED_FROM: Final = 100_000  # smaller numbers are read at a glance


@dataclass(frozen=True)
class Allowed:
    """A type with its limits, as the model gives them."""

    annotation: Any
    metadata: tuple[Any, ...] = ()

    @classmethod
    def of_field(cls, info: FieldInfo) -> "Allowed":
        """What a field of a section takes."""
        return _flatten(info.annotation, tuple(info.metadata))

    def members(self) -> "list[Allowed]":
        """The alternatives of a union, or itself."""
        if get_origin(self.annotation) in (Union, UnionType):
            return [_flatten(member) for member in _members(self.annotation)]
        return [self]

    @property
    def section(self) -> type[Section] | None:
        """The section that may stand here, if one may."""
        for member in self.members():
            if isinstance(member.annotation, type) and issubclass(member.annotation, Section):
                return member.annotation
        return None

    @property
    def item(self) -> "Allowed | None":
        """What the list that may stand here holds, if one may."""
        for member in self.members():
            if get_origin(member.annotation) is list:
                return _flatten(get_args(member.annotation)[0])
        return None

    @property
    def mapping(self) -> "tuple[Allowed, Allowed] | None":
        """What the names and the values of the mapping that may stand here are, if one may."""
        for member in self.members():
            if get_origin(member.annotation) is dict:
                name, value = get_args(member.annotation)
                return _flatten(name), _flatten(value)
        return None

    @property
    def words(self) -> list[str]:
        """The fixed words that may stand here."""
        return [
            str(word)
            for member in self.members()
            if get_origin(member.annotation) is Literal
            for word in get_args(member.annotation)
        ]

    def takes(self, kind: type) -> bool:
        """Whether values of this plain type may stand here."""
        return any(member.annotation is kind for member in self.members())

    def sentence(self) -> str:
        """In words: a whole number from 1 to 65535."""
        return " or ".join(_in_words(member) for member in self.members())


def find(section: type[Section], location: Sequence[str | int]) -> tuple[Path, Allowed]:
    """Follow one of pydantic's locations down the model.

    Args:
        section: Where it begins.
        location: Keys and indices, and the branch names that pydantic puts between them.

    Returns:
        The path as the user wrote it, and what may stand there; beyond the model, of its end.
    """
    path: Path = ()
    here = Allowed(section)
    for index, step in enumerate(location):
        if step in _TAGS and len(here.members()) > 1:
            continue
        if isinstance(step, int) and here.item is not None:
            here = here.item
        elif here.section is not None and step in keys_of(here.section):
            here = Allowed.of_field(keys_of(here.section)[str(step)])
        elif here.mapping is not None:
            named, here = here.mapping
            if index + 1 < len(location) and location[index + 1] == KEY_STEP:
                return (*path, step), named
        elif here.section is None and len(here.members()) > 1:
            continue
        path = (*path, step)
    return path, here


def nearest(word: str, candidates: Sequence[str]) -> str | None:
    """The candidate that was probably meant."""
    return next(iter(difflib.get_close_matches(word.lower(), candidates, n=1, cutoff=0.6)), None)


def keys_of(section: type[Section]) -> dict[str, FieldInfo]:
    """The fields of a section by the keys that people write."""
    return {info.alias or name: info for name, info in section.model_fields.items()}


def sections(
    section: type[Section], path: Path = (), within: tuple[type[Section], ...] = ()
) -> Iterator[tuple[Path, type[Section]]]:
    """Every section of the model with its path, the given one first; lists are entered.

    Mappings are entered as NAME. A section is not entered again within itself.
    """
    yield path, section
    for key, info in keys_of(section).items():
        place: Path = (*path, key)
        allowed = Allowed.of_field(info)
        inner = allowed.section or (allowed.item.section if allowed.item else None)
        while inner is None and allowed.mapping is not None:
            allowed, place = allowed.mapping[1], (*place, "NAME")
            inner = allowed.section
        if inner is not None and inner not in (*within, section):
            yield from sections(inner, place, (*within, section))


def _flatten(annotation: Any, metadata: tuple[Any, ...] = ()) -> Allowed:  # noqa: ANN401 - a type
    """The type without `Annotated` and `| None`, with the limits that were wrapped around it."""
    if get_origin(annotation) is Annotated:
        inner, *around = get_args(annotation)
        return _flatten(inner, metadata + tuple(_spread(around)))
    if len(_members(annotation)) == 1 and annotation is not _members(annotation)[0]:
        return _flatten(_members(annotation)[0], metadata)
    return Allowed(annotation, metadata)


def _members(annotation: Any) -> list[Any]:  # noqa: ANN401 - a type
    if get_origin(annotation) in (Union, UnionType):
        return [member for member in get_args(annotation) if member is not NoneType]
    return [annotation]


def _spread(metadata: Sequence[Any]) -> Iterator[Any]:
    """Limits stand in `Field(…)` objects inside `Annotated`."""
    for part in metadata:
        if isinstance(part, FieldInfo):
            yield from part.metadata
        elif not isinstance(part, Discriminator):
            yield part


def _in_words(allowed: Allowed) -> str:
    sentences = [part.sentence for part in allowed.metadata if isinstance(part, Words)]
    if allowed.section is not None:
        keys = [f"`{name}`" for name in keys_of(allowed.section)]
        shown = ", ".join(keys[:_KEYS_SHOWN]) + (", …" if len(keys) > _KEYS_SHOWN else "")
        sentences.append(f"a section (keys: {shown})")
    elif allowed.words:
        sentences += [f"`{word}`" for word in allowed.words]
    elif allowed.item is not None:
        sentences.append(f"a list{_lengths(allowed)}, each {allowed.item.sentence()}")
    elif allowed.mapping is not None:
        sentences.append(f"names, each with {allowed.mapping[1].sentence()}")
    elif not sentences:
        plain = {int: "a whole number", float: "a number", bool: "true or false"}
        sentences.append(plain.get(allowed.annotation, "text") + _limits(allowed))
    return " or ".join(sentences)


def _limits(allowed: Allowed) -> str:
    low = high = ""
    for part in allowed.metadata:
        match part:
            case annotated_types.Ge(ge=limit):
                low = f" from {_plain(limit)}"
            case annotated_types.Gt(gt=limit):
                low = f" above {_plain(limit)}"
            case annotated_types.Le(le=limit):
                high = f" to {_plain(limit)}" if "from" in low else f" up to {_plain(limit)}"
    return low + high


def _lengths(allowed: Allowed) -> str:
    least, most = 0, 0
    for part in allowed.metadata:
        if isinstance(part, annotated_types.MinLen):
            least = part.min_length
        elif isinstance(part, annotated_types.MaxLen):
            most = part.max_length
    if not most:
        return ""
    return f" of {least} to {_plain(most)}" if least else f" of up to {_plain(most)}"


def _plain(limit: object) -> str:
    """As one would write it in YAML: 65535, 1_000_000."""
    if not isinstance(limit, int | float):
        return str(limit)
    if isinstance(limit, float) and not limit.is_integer():
        return f"{limit:g}"
    return f"{int(limit):_}" if abs(limit) >= _GROUPED_FROM else str(int(limit))
