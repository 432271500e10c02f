"""The files of configs/: experiments, and the wire schemas that some of them name."""

from pathlib import Path

import cluster

ROOT = Path(cluster.__file__).parents[1]


def schemas() -> list[Path]:
    """The wire schemas: what says how messages are framed."""
    return [path for path in _files() if _is_schema(path)]


def experiments() -> list[Path]:
    """All the others."""
    return [path for path in _files() if not _is_schema(path)]


def _files() -> list[Path]:
    return sorted((ROOT / "configs").glob("*.yaml"))


def _is_schema(path: Path) -> bool:
    return "\nframing:" in path.read_text()
