"""The tables of docs/configuration.md, made from the model so that they can't disagree with it."""

import re
from typing import Final

from pydantic.fields import FieldInfo

from cluster.document.allowed import Allowed, sections
from cluster.document.path import Path, format_path
from cluster.document.section import Section
from cluster.document.sentences import default_at
from cluster.experiment.model import Experiment

_HEAD: Final = "| key | what it is | may be | default |\n| --- | --- | --- | --- |\n"
_TABLE: Final = re.compile(r"<!-- keys of (\S+) -->\n(?:\|.*\n)*")
TOP: Final = "experiment"


def fill_tables(text: str) -> str:
    """Write the table of each `<!-- keys of SECTION -->` anew; the rest stays as it is."""
    tables = key_tables()
    return _TABLE.sub(lambda found: f"<!-- keys of {found[1]} -->\n{tables[found[1]]}", text)


def key_tables() -> dict[str, str]:
    """A Markdown table of its keys for each section, by its path."""
    return {
        format_path(path) or TOP: _HEAD
        + "".join(_row((*path, name), info) for name, info in section.model_fields.items())
        for path, section in sections(Experiment)
    }


def _row(path: Path, info: FieldInfo) -> str:
    cells = (f"`{format_path(path)}`", info.description or "", _may_be(info), _default(path, info))
    return f"| {' | '.join(cells)} |\n"


def _may_be(info: FieldInfo) -> str:
    allowed = Allowed.of_field(info)
    if allowed.section is None:
        return allowed.sentence()
    plain = [member.sentence() for member in allowed.members() if member.section is None]
    return " or ".join([*plain, "a section"])


def _default(path: Path, info: FieldInfo) -> str:
    if info.is_required():
        return "**required**"
    if isinstance(info.default, Section):
        return "the section's defaults"
    if info.default_factory is not None:
        return "`[]`"
    return f"`{default_at(Experiment, path)}`" if info.default is not None else "none"
