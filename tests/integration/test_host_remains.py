"""What is still on a host is found, here and over SSH, and nothing else is."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from cluster.host.connect import open_host
from cluster.host.protocol import Host
from cluster.host.remains import remains_on
from cluster.host.supervised import Supervised
from integration.sshd import Sshd

pytestmark = pytest.mark.integration


def test_what_runs_and_what_lies_there_is_found_until_the_host_is_closed(sshd: Sshd) -> None:
    for spec in ("local", sshd.spec()):
        with closing(open_host(spec)) as looking:
            with closing(open_host(spec)) as host:
                sleeper = Supervised.start(host, ["sleep", "60"], label="a sleeper", max_s=60)
                found = remains_on(looking, [host.mark], patience_s=0)
                assert [line for line in found if line.startswith(f"pid {sleeper.pid}: sleep 60")]
                assert [line for line in found if "supervisor.sh" in line]
                directories = [line for line in found if line.startswith("/")]
                assert directories == [str(Path(sleeper.directory).parent)]
                sleeper.stop()

            assert remains_on(looking, [host.mark]) == []


def test_a_child_that_has_left_its_parent_is_found(local_host: Host) -> None:
    """It is a session of its own and a child of init: only its environment tells whose it is."""
    with closing(open_host("local")) as host:
        script = "setsid sleep 45 >/dev/null 2>&1 </dev/null & echo $!"
        running = host.start(["sh", "-c", script])
        pid = int(running.read_line(10) or 0)

    try:
        found = remains_on(local_host, [host.mark], patience_s=0)
        assert [line for line in found if line == f"pid {pid}: sleep 45"]
    finally:
        os.kill(pid, 9)
    assert remains_on(local_host, [host.mark]) == []


def test_another_mark_finds_nothing(host: Host) -> None:
    assert remains_on(host, ["loadcluster-nobodys"], patience_s=0) == []
