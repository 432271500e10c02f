"""The profile over SSH: the same, and what is left when the connection is lost."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from cluster.experiment.model import Profile
from cluster.host.clock import ClockOffset
from cluster.host.connect import open_host
from cluster.profile.session import ProfileSession
from integration.planted import COMPILER, PERF, running_planted
from integration.sshd import Sshd, why_not

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(COMPILER is None or PERF is None, reason="needs a C++ compiler and perf"),
    pytest.mark.skipif(bool(why_not()), reason="needs openssh-server"),
]

SAME_CLOCK = ClockOffset(0, 0, "this machine")
SETTINGS = Profile(frequency_hz=997)


def test_an_engine_behind_ssh_is_profiled_like_a_local_one(tmp_path: Path, sshd: Sshd) -> None:
    with (
        running_planted() as engine,
        closing(open_host(sshd.spec())) as host,
        ProfileSession(host, engine.pid, 9, SETTINGS, SAME_CLOCK, max_s=60) as session,
    ):
        start_ns = time.monotonic_ns()
        session.open_window(0)
        time.sleep(1.5)
        session.close_window()
        seen = session.engine_window(start_ns, time.monotonic_ns())
        (window,) = session.finish({0: 10}, tmp_path)

    assert seen is not None
    assert {"planted", "sleeper", "half"} == {thread.name for thread in seen.threads}
    assert "planted::Book<int>::match" in {f.name for f in window.hot_functions}
    assert [f for f in session.findings if f.code == "profile-lane-failed"] == []
    assert {"perf-report.txt", "samples.txt.gz", "counters.json", "procfs.json"} == {
        path.name for path in tmp_path.iterdir()
    }


def test_a_connection_lost_in_the_profile_costs_the_profile_and_leaves_no_perf(
    tmp_path: Path,
) -> None:
    (tmp_path / "sshd").mkdir()
    with (
        Sshd(tmp_path / "sshd") as sshd,
        running_planted() as engine,
        closing(open_host(sshd.spec())) as host,
        ProfileSession(host, engine.pid, 9, SETTINGS, SAME_CLOCK, max_s=60) as session,
    ):
        session.open_window(0)
        time.sleep(1)
        before = session.engine_window(0, time.monotonic_ns())
        pids = [lane.supervised.pid for lane in session._lanes()]
        sshd.cut_connections()
        session.close_window()
        after = session.engine_window(0, time.monotonic_ns())
        windows = session.finish({0: 10}, tmp_path / "profile")

        failed = {f.message.split(" failed")[0] for f in session.findings}
        gone = [pid for pid in pids if ended_within(pid, 20)]

    assert before is not None
    assert after is not None
    assert {"Perf stat", "Perf record", "Procfs"} <= failed
    assert gone == pids
    assert len(gone) == 2
    assert all(window.samples == 0 for window in windows)
    assert (tmp_path / "profile" / "procfs.json").stat().st_size > 100


def ended_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.1)
    return False
