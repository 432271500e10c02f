"""Prints the Python packages to install, in the versions pinned in pyproject.toml.

Usage: requirements.py run|develop|hosts. hosts: what `run` needs where nothing is built. pip reads
dependency groups itself only from 25.1 on.
"""

import re
import sys
import tomllib
from pathlib import Path

BUILD = ("cmake", "ninja")  # besides [build-system]: the build runs without isolation


def package(requirement: str) -> str:
    """The normalised name in a requirement such as `PyYAML>=6.0`."""
    name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def main(mode: str) -> None:
    """Print one requirement per line."""
    project = tomllib.loads(Path("pyproject.toml").read_text())
    pins = {package(line): line for line in project["dependency-groups"]["dev"]}
    if mode != "develop":
        needed = project["project"]["dependencies"]
        if mode == "run":
            needed = [*needed, *project["build-system"]["requires"], *BUILD]
        pins = {package(line): pins.get(package(line), line) for line in needed}
    sys.stdout.writelines(f"{line}\n" for line in pins.values())


if __name__ == "__main__":
    main(sys.argv[1])
