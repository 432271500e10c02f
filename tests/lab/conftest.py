import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.lab import Lab, why_not

JOIN_S = 60


@pytest.fixture(scope="session")
def whole_lab() -> Iterator[Lab]:
    """A head, an engine's host and two load hosts, for all tests of the session."""
    if reason := why_not():
        pytest.skip(reason)
    # Not pytest's own directory: Ray's socket paths must stay short.
    with tempfile.TemporaryDirectory(prefix="lct-") as place:
        with Lab(Path(place) / "lab", load_hosts=2) as lab:
            yield lab
        assert not lab.directory.exists()


@pytest.fixture
def lab(whole_lab: Lab) -> Iterator[Lab]:
    """The lab with every link up and Ray on every load host, whatever the test before did."""
    hosts = ("head", "engine", "load-1", "load-2")
    for host in hosts:
        whole_lab.do("link", host, "up")
    deadline = time.monotonic() + JOIN_S
    for host in hosts[2:]:
        if not whole_lab.pids(host, "raylet/raylet"):
            whole_lab.do("join", host)
    assert time.monotonic() < deadline
    yield whole_lab
    for host in hosts:
        whole_lab.do("link", host, "up")
