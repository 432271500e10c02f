import ast
from pathlib import Path

import pytest

import cluster

PACKAGE = Path(cluster.__file__).parent

# import-linter sees Python modules only; the compiled one is found by reading the sources.
DOORS = {
    "ray": {"fleet/ray_fleet.py"},
    "paramiko": {"host/ssh.py"},
    "cluster._native": {"fleet/agent.py"},
    "jinja2": {"report/html.py"},
    "plotly": {"report/charts.py"},
    "hdrh": {"results/histogram.py"},
    "pyarrow": {"fleet/replay_file.py"},
}


def imported_by(path: Path) -> set[str]:
    """Every name that the file imports, with the names inside of packages."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("outside", DOORS)
def test_each_outside_world_has_one_door(outside: str) -> None:
    importers = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(name == outside or name.startswith(f"{outside}.") for name in imported_by(path))
    }

    assert importers == DOORS[outside]
