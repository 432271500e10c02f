"""The lab itself: its hosts, its links, and that nothing is left of it."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fakes.command_line import wait_for
from fakes.lab import Lab, why_not

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(why_not()), reason=why_not())]

# Sends to the other for a second, and prints how much it received itself.
DATAGRAMS = """
import socket, sys, time
own, other = sys.argv[1:]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as both:
    both.bind((own, 7000))
    both.settimeout(0.02)
    heard, end = 0, time.monotonic() + 1
    while time.monotonic() < end:
        for step in (lambda: both.sendto(b"x", (other, 7000)), lambda: both.recv(1)):
            try:
                heard += step() == b"x"
            except OSError:
                time.sleep(0.01)
print(heard)
"""
LOAD_1, ENGINE = "10.77.0.101", "10.77.0.20"


def test_every_host_has_its_own_name_address_processes_and_clock(lab: Lab) -> None:
    script = "uname -n; hostname -I; pgrep -c . ; python -c 'import time; print(time.monotonic())'"

    said = {host: lab.on(host, "sh", "-c", script).stdout.split() for host in ("head", "load-1")}

    assert [said["head"][0], said["load-1"][0]] == ["head", "load-1"]
    assert [said["head"][1], said["load-1"][1]] == ["10.77.0.1", LOAD_1]
    ahead_s = float(said["load-1"][3]) - float(said["head"][3])
    assert ahead_s == pytest.approx(1000, abs=10)


@pytest.mark.parametrize(
    ("link", "load_host_hears", "engine_hears"),
    [("up", True, True), ("down", False, False), ("deaf", False, True), ("mute", True, False)],
)
def test_a_link_can_be_cut_in_both_directions_or_in_one(
    link: str, load_host_hears: bool, engine_hears: bool, lab: Lab
) -> None:
    lab.do("link", "load-1", link)

    here = lab.start("load-1", sys.executable, "-c", DATAGRAMS, LOAD_1, ENGINE)
    there = lab.on("engine", sys.executable, "-c", DATAGRAMS, ENGINE, LOAD_1)
    heard_here, said_here = here.communicate(timeout=30)

    assert (int(heard_here) > 0) == load_host_hears, said_here
    assert (int(there.stdout) > 0) == engine_hears, there.stderr


def test_a_command_ends_as_it_would_without_the_lab(lab: Lab) -> None:
    assert lab.on("load-1", "sh", "-c", "exit 7").exit_status == 7
    assert lab.on("load-1", "sh", "-c", "kill -KILL $$").exit_status == 128 + signal.SIGKILL
    assert lab.on("load-1", "no-such-program").exit_status == 127


def test_a_host_that_is_not_there_is_one_sentence(lab: Lab) -> None:
    said = lab.on("load-9", "true")

    assert said.exit_status == 1
    assert said.stderr == "lab: the lab has no host `load-9`; it has head, engine, load-1, load-2\n"


def test_a_second_lab_in_the_same_place_is_refused(lab: Lab) -> None:
    said = subprocess.run(
        lab.command("up"), capture_output=True, text=True, timeout=30, check=False
    )

    assert said.returncode == 1
    assert f"{lab.directory} is there already" in said.stderr
    assert lab.on("load-1", "true").exit_status == 0


def test_nothing_is_left_of_a_lab_whose_starter_was_killed() -> None:
    with tempfile.TemporaryDirectory(prefix="lct-") as place:
        lab = Lab(Path(place) / "lab", load_hosts=1)
        start = (
            "import subprocess, sys\n"
            "keeper = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)\n"
            "keeper.wait()"
        )
        starter = subprocess.Popen(
            [sys.executable, "-c", start, *lab.command("keep", "--load-hosts=1")],
            stdout=subprocess.PIPE,
            text=True,
        )
        with starter:
            assert starter.stdout is not None
            assert starter.stdout.readline() == "the lab is up\n"
            networks = {network_of(init) for init in inits(lab)}
            starter.kill()

        wait_for(lambda: not lab.directory.exists(), "the lab's directory to be gone", 20)
        assert len(networks) == 3
        assert [pid for pid in pids() if network_of(pid) in networks] == []
        assert [pid for pid in pids() if str(lab.directory) in command_line(pid)] == []
        assert lab.do("down") == "no lab was up\n"


def test_a_lab_whose_keeper_was_killed_can_be_taken_down() -> None:
    with tempfile.TemporaryDirectory(prefix="lct-") as place:
        lab = Lab(Path(place) / "lab", load_hosts=1)
        command = lab.command("keep", "--until-signal", "--load-hosts=1")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as keeper:
            wait_for((lab.directory / "engine" / "sshd.pid").exists, "sshd", 30)
            keeper.kill()

        assert lab.do("down") == "the lab is down\n"
        assert not lab.directory.exists()
        assert [pid for pid in pids() if str(lab.directory) in command_line(pid)] == []


def inits(lab: Lab) -> list[int]:
    """The inits of the lab's hosts, as this machine counts pids."""
    return [int(line.split()[-1]) for line in lab.do("status").splitlines()]


def pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def network_of(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return ""


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
