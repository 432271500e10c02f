"""The program of planted.cpp, built once, and running."""

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMPILER = shutil.which("g++")
PERF = shutil.which("perf")
_FLAGS = ("-std=c++20", "-O2", "-g", "-fno-omit-frame-pointer", "-pthread")


@functools.cache
def _build() -> Path:
    # The directory lives as long as this process: its finaliser removes it.
    directory = tempfile.TemporaryDirectory(prefix="planted-", ignore_cleanup_errors=True)
    _kept.append(directory)
    program = Path(directory.name) / "planted"
    source = Path(__file__).with_name("planted.cpp")
    subprocess.run([str(COMPILER), *_FLAGS, str(source), "-o", str(program)], check=True)
    return program


_kept: list[tempfile.TemporaryDirectory[str]] = []


@contextmanager
def running_planted(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The program at work; killed at the end."""
    process = subprocess.Popen([_build(), *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()
