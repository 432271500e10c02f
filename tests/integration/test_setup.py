"""The set-up scripts on a machine that lacks things: a PATH with only what a test puts there."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import cluster

pytestmark = pytest.mark.integration

ROOT = Path(cluster.__file__).parents[1]
PLAIN_TOOLS = ("bash", "cat", "dirname", "env", "grep", "id", "mktemp", "readlink", "rm", "uname")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A directory for PATH with plain tools alone: no Python, no compiler, no apt-get."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for tool in PLAIN_TOOLS:
        add(directory, tool, shutil.which(tool))
    return directory


def add(directory: Path, name: str, program: str | None) -> None:
    assert program is not None, f"{name} is not on this machine"
    (directory / name).symlink_to(program)


def add_compiler_and_python(directory: Path) -> None:
    for tool in ("g++", "as", "ld"):
        add(directory, tool, shutil.which(tool))
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    add(directory, "python3", str(base))


def look(path: Path, mode: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the script that looks for system packages, with nothing but `path` on PATH."""
    return subprocess.run(
        ["bash", str(ROOT / "deploy" / "system_packages.sh"), mode],
        env={"PATH": str(path), "HOME": os.environ.get("HOME", "/"), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_a_compiler_the_set_up_stops_and_names_the_line_to_type(bare: Path) -> None:
    done = look(bare, "run", SYSTEM_PACKAGES="no")

    assert done.returncode == 1
    assert "(SYSTEM_PACKAGES=no forbids installing)" in done.stderr
    assert "sudo apt-get install python3 python3-venv python3-dev g++" in done.stderr
    assert "a C++20 compiler and Python >= 3.11" in done.stderr
    assert done.stdout == ""


def test_without_perf_the_set_up_names_the_line_and_goes_on(bare: Path) -> None:
    add_compiler_and_python(bare)

    done = look(bare, "run", SYSTEM_PACKAGES="no")

    assert done.returncode == 0
    assert "missing: linux-" in done.stderr
    assert "going on without" in done.stderr
    assert Path(done.stdout.strip()).name.startswith("python3")


def test_where_there_is_no_apt_the_set_up_says_so(bare: Path) -> None:
    add_compiler_and_python(bare)

    done = look(bare, "develop")

    assert done.returncode == 0
    assert "(there is no apt-get here)" in done.stderr
    assert " valgrind " in done.stderr


def test_a_python_that_is_too_old_is_passed_over(bare: Path, tmp_path: Path) -> None:
    add_compiler_and_python(bare)
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)

    done = look(bare, "run", SYSTEM_PACKAGES="no", PYTHON=str(old))

    assert done.returncode == 0
    assert done.stdout.strip() != str(old)


@pytest.mark.parametrize("mode", ["run", "develop", "hosts"])
def test_python_packages_are_installed_in_their_pinned_versions(mode: str) -> None:
    done = subprocess.run(
        [sys.executable, "deploy/requirements.py", mode],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    wanted = set(done.stdout.splitlines())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pins = set(project["dependency-groups"]["dev"])

    assert wanted <= pins
    assert "ray==2.60.0" in wanted
    assert ("pytest==9.2.0" in wanted) == (mode == "develop")
    assert ("ninja==1.13.2" in wanted) == (mode != "hosts")
