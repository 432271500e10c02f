"""The schemas that come with loadcluster, by name, and those of a user, by path."""

from pathlib import Path as FilePath
from typing import Final

from cluster.document.allowed import nearest
from cluster.document.path import show_text
from cluster.document.reader import Document, read_file
from cluster.protocol.model import SCHEMA, Schema

DIRECTORY: Final = FilePath(__file__).parent / "builtin"
SUFFIXES: Final = (".yaml", ".yml")


def builtin_names() -> list[str]:
    """The names of all builtin schemas, sorted."""
    return sorted(path.stem for path in DIRECTORY.glob("*.yaml"))


def builtin_path(name: str) -> FilePath:
    """Where a builtin schema is."""
    return DIRECTORY / f"{name}.yaml"


def is_path(protocol: str) -> bool:
    """Whether `protocol: …` is the path of a file, rather than the name of a builtin schema."""
    return "/" in protocol or protocol.endswith(SUFFIXES)


def unknown_protocol(protocol: str) -> str:
    """What is wrong with a name that no builtin schema has, or nothing."""
    if is_path(protocol) or protocol in builtin_names():
        return ""
    known = ", ".join(f"`{name}`" for name in builtin_names())
    meant = nearest(protocol, builtin_names())
    advice = f"; did you mean `{meant}`?" if meant else ""
    return (
        f"must be {known} or the path of a wire schema (.yaml), not `{show_text(protocol)}`{advice}"
    )


def schema_path(protocol: str) -> FilePath:
    """The file of `protocol: NAME | path.yaml`; a path as it is, a name's builtin file."""
    return FilePath(protocol) if is_path(protocol) else builtin_path(protocol)


def read_schema(path: FilePath) -> Document[Schema]:
    """Read a wire schema.

    Raises:
        ConfigError: the file can't be read, or something in it is wrong.
    """
    return read_file(SCHEMA, path)
