"""deploy/load-host.sh on a made-up machine, and on the settings of a network namespace."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from integration.deploying import ROOT, script, tree

pytestmark = pytest.mark.integration

LIMITS = "etc/security/limits.d/90-loadcluster.conf"
STATE = "var/lib/loadcluster/load-host"
PORT_RANGE = "proc/sys/net/ipv4/ip_local_port_range"
MACHINE = {
    "proc/sys/kernel/random/boot_id": "one\n",
    "proc/sys/fs/nr_open": "1048576\n",
    PORT_RANGE: "32768\t60999\n",
    "proc/sys/net/ipv4/tcp_tw_reuse": "2\n",
    "proc/sys/net/core/somaxconn": "128\n",
    "sys/devices/system/cpu/online": "0-3\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_available_governors": "performance powersave\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "powersave\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_available_governors": "powersave \n",
    "proc/irq/24/smp_affinity_list": "0-3\n",
    "proc/irq/25/smp_affinity_list": "2-3\n",
    "proc/irq/26/smp_affinity_list": "1\n",
}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A directory that stands for / of a machine with four CPUs."""
    for name, content in MACHINE.items():
        path = tmp_path / "machine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "machine"


def load_host(machine: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return script("load-host.sh", "--root", machine, *arguments)


def test_without_being_asked_it_shows_and_changes_nothing(machine: Path) -> None:
    done = load_host(machine)

    assert done.returncode == 0
    assert tree(machine) == MACHINE
    assert "would change ip_local_port_range" in done.stdout
    assert "32768 60999 -> 16384 65535" in done.stdout
    assert "nothing was changed" in done.stderr


def test_what_is_applied_is_undone_exactly(machine: Path) -> None:
    applied = load_host(machine, "--apply", "--load-cpus", "2-3")
    changed = tree(machine)
    undone = load_host(machine, "--undo")

    assert (applied.returncode, undone.returncode) == (0, 0)
    assert changed[PORT_RANGE] == "16384 65535\n"
    assert changed["proc/sys/net/ipv4/tcp_tw_reuse"] == "1\n"
    assert changed["proc/sys/net/core/somaxconn"] == "4096\n"
    assert changed["sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"] == "performance\n"
    assert "* hard nofile 1048576\n" in changed[LIMITS]
    after = tree(machine)
    assert {name: content.split() for name, content in MACHINE.items()} == {
        name: content.split() for name, content in after.items()
    }


def test_interrupts_keep_off_the_load_cpus_and_stay_where_they_already_do(machine: Path) -> None:
    load_host(machine, "--apply", "--load-cpus", "2-3")

    changed = tree(machine)
    assert changed["proc/irq/24/smp_affinity_list"] == "0-1\n"
    assert changed["proc/irq/25/smp_affinity_list"] == "0-1\n"  # it was on load CPUs alone
    assert changed["proc/irq/26/smp_affinity_list"] == "1\n"


def test_applying_again_changes_nothing_and_keeps_the_first_values(machine: Path) -> None:
    load_host(machine, "--apply")
    once = tree(machine)
    again = load_host(machine, "--apply")

    assert tree(machine) == once
    assert "changed" not in again.stdout
    load_host(machine, "--undo")
    assert tree(machine)[PORT_RANGE].split() == ["32768", "60999"]


def test_what_somebody_else_changed_since_is_left_alone(machine: Path) -> None:
    load_host(machine, "--apply")
    (machine / PORT_RANGE).write_text("20000\t40000\n")
    undone = load_host(machine, "--undo")

    assert tree(machine)[PORT_RANGE] == "20000\t40000\n"
    assert "left alone" in undone.stdout
    assert "somebody else has set it since: 20000 40000" in undone.stdout


def test_a_restart_has_undone_what_the_kernel_held(machine: Path) -> None:
    load_host(machine, "--apply")
    (machine / "proc/sys/kernel/random/boot_id").write_text("two\n")
    (machine / PORT_RANGE).write_text("1024\t60999\n")
    load_host(machine, "--undo")

    after = tree(machine)
    assert after[PORT_RANGE] == "1024\t60999\n"
    assert LIMITS not in after
    assert STATE not in after


def test_a_limits_file_of_somebody_else_is_not_touched(machine: Path) -> None:
    path = machine / LIMITS
    path.parent.mkdir(parents=True)
    path.write_text("* hard nofile 4096\n")
    done = load_host(machine, "--apply")

    assert done.returncode == 1
    assert path.read_text() == "* hard nofile 4096\n"
    assert "not of this script" in done.stdout


def test_the_limit_of_open_files_is_never_above_the_kernels(machine: Path) -> None:
    """A login with a limit above fs.nr_open fails."""
    (machine / "proc/sys/fs/nr_open").write_text("65536\n")
    load_host(machine, "--apply")

    assert "* hard nofile 65536\n" in (machine / LIMITS).read_text()


def test_what_this_machine_does_not_have_is_said(machine: Path) -> None:
    for cpu in ("cpu0", "cpu1"):
        shutil.rmtree(machine / "sys/devices/system/cpu" / cpu)
    done = load_host(machine, "--apply")

    assert done.returncode == 0
    assert "no cpufreq" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--load-cpus", "0-3"), "leaves no CPU for interrupts (online: 0-3)"),
        (("--load-cpus", "all"), "write CPUs like 2-7 or 1,3,5"),
        (("--dry-run",), "unknown argument --dry-run"),
    ],
)
def test_what_is_asked_wrongly_is_refused_in_a_sentence(
    machine: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = load_host(machine, "--apply", *arguments)

    assert done.returncode == 1
    assert words in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces of one's own take root here")
def test_the_kernel_takes_the_settings_and_has_the_old_ones_back(tmp_path: Path) -> None:
    """In namespaces of its own: neither this machine's network nor its /etc is touched."""
    show = "cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/net/ipv4/tcp_tw_reuse"
    run = f"{ROOT}/deploy/load-host.sh --state {tmp_path}/state"
    steps = f"""
        set -e
        mount -t tmpfs none /etc/security/limits.d
        {show}
        {run} --apply >&2; {show}
        {run} --undo >&2; {show}
        ls /etc/security/limits.d
    """
    if not Path("/etc/security/limits.d").is_dir():
        pytest.skip("/etc/security/limits.d is not on this machine")
    done = subprocess.run(
        ["unshare", "--net", "--mount", "bash", "-c", steps],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    before, applied, after = (done.stdout.splitlines()[n : n + 2] for n in (0, 2, 4))
    assert applied == ["16384\t65535", "1"]
    assert before == after != applied
    assert len(done.stdout.splitlines()) == 6  # no limits file is left
    assert not (tmp_path / "state").exists()
