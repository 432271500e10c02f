"""A run whose engine's host, behind SSH, has no room left."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command_line import (
    LIMIT_S,
    Said,
    start_loadcluster,
    wait_for_event,
    write_experiment,
)
from integration.planted import PERF
from integration.running import running_engine
from integration.sshd import Sshd, why_not

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PERF is None, reason="needs perf"),
    pytest.mark.skipif(bool(why_not()), reason="needs openssh-server"),
]

TMPFS_BYTES = 1 << 20


@pytest.fixture
def small_host(own_sshd: Sshd) -> Iterator[Sshd]:
    """A host whose temporary directory is a file system of 1 MiB."""
    place = own_sshd.footprint.directory
    options = f"size={TMPFS_BYTES},mode=1777"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"can't mount a file system here: {mounted.stderr.strip()}")
    try:
        yield own_sshd
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_there_costs_the_profile_not_the_run(small_host: Sshd, tmp_path: Path) -> None:
    host = small_host.spec().model_dump(exclude_none=True)
    with running_engine() as engine:
        experiment = write_experiment(
            tmp_path,
            engine={"port": engine.port, "host": host, "process": engine.pid},
            load={"rates_per_s": [1000], "timeout_s": 1},
            measure={"warmup_s": 0, "control_s": 2, "drain_s": 1},
            profile={"window_s": 2},
        )
        process = start_loadcluster("run", str(experiment), "--json")
        wait_for_event(tmp_path, "load-started")
        filling = small_host.footprint.directory / "filling"
        left = os.statvfs(filling.parent)
        filling.write_bytes(bytes(left.f_bfree * left.f_frsize))
        stdout, stderr = process.communicate(timeout=LIMIT_S)
        filling.unlink()

    assert "Traceback" not in stderr
    summary = Said(process.returncode, stdout, stderr).summary
    assert process.returncode in {0, 3}, stderr
    (level,) = summary.levels
    assert level.ended_early == ""
    assert level.orders.balanced
    assert level.orders.answered == level.orders.sent > 0
    assert [f for f in summary.findings if f.code == "profile-lane-failed"]
    assert [record for record in summary.left_behind if record.found or record.not_looked] == []
    small_host.footprint.assert_gone(5)
