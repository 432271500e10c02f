import os
import subprocess
from pathlib import Path

import pytest

from cluster.fleet.keeper import family, keep, start_ticks

pytestmark = pytest.mark.integration


def test_a_marked_process_is_found_with_its_children_and_no_other() -> None:
    script = "sleep 60 & sleep 60 & echo started; wait"
    shells = [
        subprocess.Popen(["sh", "-c", script, mark], stdout=subprocess.PIPE, text=True)
        for mark in ("marked-session", "another")
    ]
    try:
        for shell in shells:
            assert shell.stdout is not None
            shell.stdout.readline()

        found = dict(family(os.getpid(), "marked-session"))

        assert shells[0].pid in found
        assert shells[1].pid not in found
        assert len(found) == 3
        assert found[shells[0].pid] == start_ticks(shells[0].pid)
    finally:
        for pid, _ in family(os.getpid(), script):
            subprocess.run(["kill", str(pid)], check=False)
        for shell in shells:
            shell.communicate(timeout=10)


def test_what_still_runs_is_killed_and_the_directory_removed(tmp_path: Path) -> None:
    session = tmp_path / "session"
    session.mkdir()
    sleeper = subprocess.Popen(["sleep", "60"])

    keep([f"{sleeper.pid} {start_ticks(sleeper.pid)}\n"], [str(session)])

    assert sleeper.wait(10) == -9
    assert not session.exists()


def test_another_process_that_got_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        keep([f"{sleeper.pid} 1\n"], [str(tmp_path / "nothing")])

        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait(10)


def test_a_process_that_is_gone_has_no_start() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait(10)

    assert start_ticks(gone.pid) is None


def test_it_does_not_take_itself_for_one_of_them(tmp_path: Path) -> None:
    session = tmp_path / "session"
    session.mkdir()
    itself = f"{os.getpid()} {start_ticks(os.getpid())}\n"

    keep([itself], [str(session)])

    assert not session.exists()
