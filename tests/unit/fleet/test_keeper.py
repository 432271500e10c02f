import subprocess
from pathlib import Path

from cluster.fleet.keeper import descendants, keep, start_ticks


def test_children_and_grandchildren_are_found_with_their_identity() -> None:
    shell = subprocess.Popen(
        ["sh", "-c", "sleep 60 & echo started; wait"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert shell.stdout is not None
        shell.stdout.readline()
        found = dict(descendants(shell.pid))
        (sleeper,) = found

        assert found[sleeper] == start_ticks(sleeper)
    finally:
        for pid, _ in descendants(shell.pid):
            subprocess.run(["kill", str(pid)], check=True)
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
