"""The scripts of deploy/ as tests run them."""

import subprocess
from pathlib import Path

import cluster

ROOT = Path(cluster.__file__).parents[1]


def script(
    name: str, *arguments: object, environment: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run deploy/NAME to its end."""
    return subprocess.run(
        ["bash", str(ROOT / "deploy" / name), *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def tree(root: Path) -> dict[str, str]:
    """Every file below `root` with its content."""
    return {
        str(path.relative_to(root)): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
