import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cluster.host.connect import open_host
from cluster.host.protocol import Host
from fakes.left_behind import Footprint
from integration.sshd import Sshd, why_not


@pytest.fixture(scope="session", autouse=True)
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What runs remember of this machine goes to a place of the session, not to the user's."""
    place = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(place))
        yield place


@pytest.fixture
def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.fixture
def footprint(tmp_path: Path) -> Footprint:
    """Tells what a run on this machine leaves behind."""
    return Footprint(tmp_path / "tmp")


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """An SSH server that trusts us and is known to us."""
    if reason := why_not():
        pytest.skip(reason)
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def own_sshd(tmp_path: Path) -> Iterator[Sshd]:
    """A server for one test alone, which may cut its connections."""
    if reason := why_not():
        pytest.skip(reason)
    directory = tmp_path / "sshd"
    directory.mkdir()
    with Sshd(directory) as server:
        yield server


@pytest.fixture(scope="module")
def local_host() -> Iterator[Host]:
    with closing(open_host("local")) as host:
        yield host


@pytest.fixture(scope="module")
def ssh_host(sshd: Sshd) -> Iterator[Host]:
    with closing(open_host(sshd.spec())) as host:
        yield host


@pytest.fixture(params=["local", "ssh"])
def host(request: pytest.FixtureRequest) -> Host:
    """Each test runs on this machine and over SSH."""
    return request.getfixturevalue(f"{request.param}_host")
