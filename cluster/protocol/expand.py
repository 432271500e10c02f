"""Fields as they follow each other on the wire: parts put in, groups repeated."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from cluster.document.allowed import nearest
from cluster.document.path import Path
from cluster.protocol.field import WireField
from cluster.protocol.mistakes import Mistakes

LEAVES_MAX: Final = 2_000


@dataclass(frozen=True)
class Leaf:
    """One field of a message, where nothing stands for several any more."""

    name: str  # as reports show it: legs[0].price
    path: Path  # where it is written in the file
    field: WireField
    within: tuple[str, ...] = ()  # groups and uses around it, by name
    mapped: str = ""  # the name of the side or kind whose constant of `map` it is
    repeated: bool = False  # stands in a group that is there more than once


class Expander:
    """Puts the parts of a schema in and repeats its groups."""

    def __init__(self, parts: Mapping[str, Mapping[str, WireField]], mistakes: Mistakes) -> None:
        self._parts = parts
        self._mistakes = mistakes

    def leaves(self, fields: Mapping[str, WireField], path: Path) -> list[Leaf]:
        """The fields of the message or part at `path`; what can't be used is told, left out."""
        found = self._expand(fields, (*path, "fields") if path[0] != "parts" else path, ())
        if len(found) > LEAVES_MAX:
            self._mistakes.add(
                path, f"has more than {LEAVES_MAX:_} fields once groups are repeated"
            )
            del found[LEAVES_MAX:]
        first: dict[str, Leaf] = {}
        for leaf in found:
            earlier = first.setdefault(leaf.name, leaf)
            if earlier is not leaf:
                self._mistakes.add(
                    leaf.path,
                    f"the name `{leaf.name}` is given twice in `{path[-1]}`: "
                    "give one of them another name",
                )
        return found

    def _expand(
        self, fields: Mapping[str, WireField], path: Path, using: tuple[str, ...]
    ) -> list[Leaf]:
        found: list[Leaf] = []
        for name, field in fields.items():
            if len(found) > LEAVES_MAX:
                break
            here = (*path, name)
            if field.use is not None:
                found += self._used(name, field, here, using)
            elif field.type == "group":
                found += self._repeated(name, field, here, using)
            else:
                found.append(Leaf(name, here, field))
        return found

    def _used(self, name: str, field: WireField, path: Path, using: tuple[str, ...]) -> list[Leaf]:
        part = field.use or ""
        others = field.model_fields_set - {"use"}
        if others:
            self._mistakes.add(
                path, "`use` stands alone: the part says everything about its fields"
            )
        if part not in self._parts:
            meant = nearest(part, list(self._parts))
            advice = f"; did you mean `{meant}`?" if meant else ""
            self._mistakes.add((*path, "use"), f"there is no part `{part}` in `parts`{advice}")
            return []
        if part in using:
            circle = " → ".join([*using[using.index(part) :], part])
            self._mistakes.add((*path, "use"), f"a part can't use itself: {circle}")
            return []
        leaves = self._expand(self._parts[part], ("parts", part), (*using, part))
        return [replace(leaf, within=(name, *leaf.within)) for leaf in leaves]

    def _repeated(
        self, name: str, field: WireField, path: Path, using: tuple[str, ...]
    ) -> list[Leaf]:
        if not field.fields:
            self._mistakes.add(path, "a group needs `fields`")
            return []
        for other in field.model_fields_set - {"type", "count", "fields"}:
            self._mistakes.add(
                (*path, other.removesuffix("_")),
                "means nothing with type group: its fields have it",
            )
        inner = self._expand(field.fields, (*path, "fields"), using)
        count = field.count or 1
        if len(inner) * count > LEAVES_MAX:
            self._mistakes.add(
                path, f"stands for more than {LEAVES_MAX:_} fields: {len(inner)} times {count}"
            )
            count = 1
        return [
            replace(
                leaf,
                name=f"{name}[{index}].{leaf.name}",
                within=(name, f"{name}[{index}]", *leaf.within),
                repeated=leaf.repeated or count > 1,
            )
            for index in range(count)
            for leaf in inner
        ]
