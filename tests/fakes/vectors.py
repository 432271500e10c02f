"""Messages of the shipped schemas with what is said in them: tests/data/vectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_DIRECTORY = Path(__file__).parents[1] / "data" / "vectors"


@dataclass(frozen=True)
class Vector:
    """A message and what is said in it."""

    schema: str
    name: str
    said: Mapping[str, Any]

    @property
    def content(self) -> bytes:
        """The bytes: hex with remarks after `#`, lines, or text with `|` for SOH."""
        if "lines" in self.said:
            head: str = self.said["lines"].replace("\n", "\r\n")
            return (head + self.said.get("body", "")).encode()
        if "text" in self.said:
            text: str = self.said["text"]
            return text.replace("| ", "|").replace("|", "\x01").encode()
        lines = self.said["hex"].splitlines()
        return bytes.fromhex(" ".join(line.partition("#")[0] for line in lines))


def vectors(direction: str, schema: str = "*") -> list[Vector]:
    """The requests or replies of one schema, or of all."""
    found = []
    for path in sorted(_DIRECTORY.glob(f"{schema}.yaml")):
        file = yaml.safe_load(path.read_text())
        for index, said in enumerate(file[direction]):
            name = said.get("message") or said.get("reply") or "-".join(said["send"].values())
            found.append(Vector(file["schema"], f"{path.stem}-{index}-{name}", said))
    return found


def schemas_with_vectors() -> list[str]:
    """The names of all files."""
    return sorted(path.stem for path in _DIRECTORY.glob("*.yaml"))
