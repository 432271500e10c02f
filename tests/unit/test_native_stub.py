"""The committed stub of the native module is the one its build gives."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cluster._native", reason="the native module is not built")
pytest.importorskip("nanobind", reason="nanobind writes the stub")

STUB = Path(__file__).parents[2] / "cluster" / "_native.pyi"


def test_the_stub_is_what_nanobind_writes(tmp_path):
    written = tmp_path / "_native.pyi"
    stubgen = [sys.executable, "-m", "nanobind.stubgen", "-q", "-m", "cluster._native"]
    subprocess.run([*stubgen, "-o", str(written)], check=True, timeout=60)

    assert written.read_text() == STUB.read_text(), "run `make stub`"
