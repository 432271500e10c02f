"""deploy/engine-host.sh on a copy of perf, with groups that are in a namespace of their own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.profile.preflight import judge
from cluster.profile.requirements import sections
from integration.deploying import ROOT, script

PERF = shutil.which("perf")
SETCAP = shutil.which("setcap", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
GETCAP = shutil.which("getcap", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or ""
NOBODY = 65534
MEMBER = 1  # the group daemon, which every Linux has; nobody is in it

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="giving rights takes root"),
    pytest.mark.skipif(PERF is None or SETCAP is None, reason="perf or setcap is not installed"),
]


@pytest.fixture
def perf(tmp_path: Path) -> Path:
    """A copy that others can reach."""
    place = tmp_path / "tools"
    place.mkdir()
    for directory in (place, *place.parents[:3]):
        directory.chmod(directory.stat().st_mode | 0o055)
    return Path(shutil.copy(str(PERF), place / "perf"))


@pytest.fixture
def engine() -> Iterator[int]:
    """A process of nobody."""
    with subprocess.Popen(["sleep", "60"], user=NOBODY, group=NOBODY) as process:
        yield process.pid
        process.kill()


def engine_host(perf: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    state = perf.parent / "state"
    return script(
        "engine-host.sh", "--perf", perf, "--state", state, "--group", "daemon", *arguments
    )


def rights(path: Path) -> tuple[int, int, str, str]:
    status = path.stat()
    said = subprocess.run([GETCAP, path], capture_output=True, text=True, check=True).stdout
    capabilities = said.removeprefix(str(path)).removeprefix(" =").strip()
    return status.st_uid, status.st_gid, f"{status.st_mode & 0o7777:o}", capabilities


def as_nobody(*command: object, groups: tuple[int, ...] = ()) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*map(str, command)],
        user=NOBODY,
        group=NOBODY,
        extra_groups=list(groups),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_being_asked_it_shows_and_changes_nothing(perf: Path) -> None:
    before = rights(perf)
    done = engine_host(perf)

    assert done.returncode == 0
    assert rights(perf) == before
    assert "would change" in done.stdout
    assert "CAP_PERFMON does not ask it" in done.stdout


def test_the_group_alone_may_run_perf_and_undo_restores_it_exactly(perf: Path) -> None:
    os.chown(perf, 2, 3)
    perf.chmod(0o2755)
    subprocess.run([str(SETCAP), "cap_net_raw=ep", perf], check=True)
    before = rights(perf)
    engine_host(perf, "--apply")
    applied = rights(perf)
    engine_host(perf, "--undo")

    assert applied == (2, MEMBER, "750", "cap_syslog,cap_perfmon=ep")
    assert rights(perf) == before == (2, 3, "2755", "cap_net_raw=ep")
    assert not (perf.parent / "state").exists()


def test_applying_twice_keeps_the_first_values(perf: Path) -> None:
    before = rights(perf)
    engine_host(perf, "--apply", "--other-users")
    engine_host(perf, "--apply")

    assert rights(perf)[3] == "cap_syslog,cap_perfmon=ep"
    engine_host(perf, "--undo")
    assert rights(perf) == before


def test_a_perf_that_was_updated_since_is_left_alone(perf: Path) -> None:
    engine_host(perf, "--apply")
    perf.chmod(0o700)
    undone = engine_host(perf, "--undo")

    assert rights(perf)[2] == "700"
    assert "left alone" in undone.stdout


def test_members_see_kernel_stacks_with_names_and_others_nothing(perf: Path, engine: int) -> None:
    """What loadcluster finds on such a host, from its own probe."""
    engine_host(perf, "--apply")
    private = perf.parent / "private"
    private.mkdir()
    os.chown(private, NOBODY, NOBODY)
    probe = (ROOT / "cluster" / "profile" / "preflight.sh").read_text()

    def found(*groups: int) -> dict[str, bool]:
        done = subprocess.run(
            ["sh", "-s", "--", str(engine), str(private), "task-clock"],
            input=probe,
            env={"PATH": f"{perf.parent}:/usr/bin:/bin"},
            user=NOBODY,
            group=NOBODY,
            extra_groups=list(groups),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        capabilities = judge(sections(done.stdout)).capabilities
        return {capability.what: capability.available for capability in capabilities}

    member = found(MEMBER)
    assert member["watching the engine's process"]
    assert member["kernel stacks"]
    assert "names of kernel functions" not in member
    with pytest.raises(PermissionError):
        as_nobody(perf, "--version")
    assert as_nobody(perf, "--version", groups=(MEMBER,)).returncode == 0


def test_the_group_and_its_member_are_made_and_removed_again(perf: Path) -> None:
    """In a mount namespace with an /etc of its own, and settings of a made-up machine."""
    machine = perf.parent / "machine"
    kernel = machine / "proc/sys/kernel"
    (kernel / "random").mkdir(parents=True)
    (kernel / "random/boot_id").write_text("one\n")
    (kernel / "cap_last_cap").write_text("40\n")
    (kernel / "perf_event_paranoid").write_text("4\n")
    (kernel / "kptr_restrict").write_text("2\n")
    run = f"{ROOT}/deploy/engine-host.sh --perf {perf} --root {machine} --user nobody"
    show = f"getent group loadcluster-perf | cut -d : -f 4; cat {kernel}/kptr_restrict"
    steps = f"""
        set -e
        cp -a /etc {perf.parent}/etc
        mount --bind {perf.parent}/etc /etc
        sha256sum /etc/group /etc/gshadow >{perf.parent}/sums
        {run} --apply >&2
        {show}
        {run} --undo >&2
        {show}
        sha256sum --quiet --check {perf.parent}/sums
    """
    before = rights(perf)
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", steps],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["nobody", "1", "2"]
    assert rights(perf) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--user", "no-such-user"), "there is no such user"),
        (("--perf", "/bin/sh.not"), "is no program of this machine"),
        (("--perf", sys.argv[0]), "is no program of this machine"),
    ],
)
def test_what_is_asked_wrongly_is_refused_in_a_sentence(
    perf: Path, arguments: tuple[str, ...], words: str
) -> None:
    before = rights(perf)
    done = engine_host(perf, "--apply", *arguments)

    assert done.returncode == 1
    assert words in done.stderr
    assert rights(perf) == before


def test_a_kernel_without_the_capability_is_named(perf: Path) -> None:
    machine = perf.parent / "machine"
    (machine / "proc/sys/kernel").mkdir(parents=True)
    (machine / "proc/sys/kernel/cap_last_cap").write_text("37\n")
    done = engine_host(perf, "--apply", "--root", machine)

    assert done.returncode == 1
    assert "this kernel has no CAP_PERFMON (Linux 5.8 has)" in done.stderr
