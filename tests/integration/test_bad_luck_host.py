"""Whole runs of the command line on a host that lacks something: a process, perf, rights, room."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from cluster.results.summary import Summary
from fakes.acceptor import AcceptingEngine
from fakes.command_line import (
    LIMIT_S,
    Said,
    loadcluster,
    only_run,
    start_loadcluster,
    wait_for_event,
    write_experiment,
)
from fakes.left_behind import Footprint
from integration.planted import PERF
from integration.running import running_engine

pytestmark = pytest.mark.integration
needs_perf = pytest.mark.skipif(PERF is None, reason="needs perf")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

NOBODY = 65_534
# Whoever has no rights must still be able to read this checkout, wherever it is.
WITHOUT_RIGHTS = (
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=-all,+dac_read_search",
    "--bounding-set=-all,+dac_read_search",
)
TMPFS_BYTES = 1 << 20


def assert_completed(said: Said, footprint: Footprint) -> Summary:
    """The run went on without what it lacked, and its load is whole."""
    # Whether a busy machine lets the client keep its schedule is not this file's question.
    assert said.exit_status in {0, 3}, said.stderr
    assert "Traceback" not in said.stderr
    summary = said.summary
    (level,) = summary.levels
    assert level.ended_early == ""
    assert level.orders.balanced
    assert level.orders.answered == level.orders.sent > 0
    footprint.assert_gone(5)
    return summary


def assert_failed(said: Said, footprint: Footprint) -> None:
    assert said.exit_status == 1
    assert said.stderr.count("error: ") == 1
    assert "Traceback" not in said.stderr
    footprint.assert_gone(5)


@contextmanager
def two_of_a_name(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """Two processes of one program that nobody else has; its name and their pids."""
    program = folder / f"twin-{os.getpid()}"
    shutil.copy(str(shutil.which("sleep")), program)
    with ExitStack() as stack:
        twins = [stack.enter_context(subprocess.Popen([program, "60"])) for _ in range(2)]
        for twin in twins:
            stack.callback(twin.kill)
        yield program.name, [twin.pid for twin in twins]


def test_two_processes_that_match_are_both_named(tmp_path: Path, footprint: Footprint) -> None:
    with two_of_a_name(tmp_path) as (name, pids):
        experiment = write_experiment(tmp_path, engine={"process": name}, profile={"window_s": 1})
        said = loadcluster("run", str(experiment), env=footprint.env)

    assert_failed(said, footprint)
    assert f"2 processes are called `{name}`" in said.stderr
    assert all(f"pid {pid}:" in said.stderr for pid in pids)
    assert "give the pid of the engine as `engine.process`" in said.stderr


def test_without_perf_the_load_is_measured_and_the_way_to_perf_is_told(
    tmp_path: Path, footprint: Footprint
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for directory in os.get_exec_path():
        for program in Path(directory).glob("*"):
            if not program.name.startswith("perf") and not (programs / program.name).exists():
                (programs / program.name).symlink_to(program)
    with running_engine() as engine:
        experiment = write_experiment(
            tmp_path,
            engine={"port": engine.port, "process": engine.pid},
            profile={"window_s": 1},
        )
        env = footprint.env | {"PATH": str(programs)}
        said = loadcluster("run", str(experiment), "--json", env=env)

    summary = assert_completed(said, footprint)
    (finding,) = [found for found in summary.findings if found.code == "no-profile"]
    assert "perf" in finding.message
    assert "install" in finding.advice
    assert summary.profile.samples == 0
    assert summary.profile.not_measured == "perf is not installed"
    assert summary.engine.threads  # procfs needs no perf


@needs_perf
@needs_root
def test_without_the_right_to_profile_the_run_says_what_it_could_not_measure(
    tmp_path: Path, footprint: Footprint
) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    runs.chmod(0o777)
    with running_engine() as engine:
        experiment = write_experiment(
            tmp_path,
            engine={"port": engine.port, "process": engine.pid},
            profile={"window_s": 1},
        )
        said = loadcluster(
            "run", str(experiment), "--json", env=footprint.env, wrapper=WITHOUT_RIGHTS
        )

    summary = assert_completed(said, footprint)
    assert only_run(tmp_path).stat().st_uid == NOBODY
    (finding,) = [found for found in summary.findings if found.code == "no-profile"]
    assert finding.advice != ""
    assert summary.profile.samples == 0
    assert "does not let this user watch" in summary.profile.not_measured
    assert "perf_event_paranoid" in summary.profile.not_measured
    refused = [found for found in summary.profile.capabilities if not found.available]
    assert refused
    assert all(found.why for found in refused)


def has_hardware_counters() -> bool:
    asked = subprocess.run(
        ["perf", "stat", "-x,", "-e", "cycles,instructions", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "<not" not in asked.stderr


@needs_perf
def test_without_hardware_counters_every_ratio_is_null_with_a_reason(
    tmp_path: Path, footprint: Footprint
) -> None:
    if has_hardware_counters():
        pytest.skip("this machine has hardware counters")
    with running_engine() as engine:
        experiment = write_experiment(
            tmp_path,
            engine={"port": engine.port, "process": engine.pid},
            profile={"window_s": 1},
        )
        said = loadcluster("run", str(experiment), "--json", env=footprint.env)

    engine_side = assert_completed(said, footprint).engine
    for ratio in ("ipc", "cache_miss_ratio", "branch_mispredict_ratio", "cycles_per_order"):
        assert engine_side.ratios[ratio] is None
        assert engine_side.ratios_not_measured[ratio] != ""
    assert {r for r, value in engine_side.ratios.items() if value is None} == set(
        engine_side.ratios_not_measured
    )
    assert [
        counter for counter in engine_side.counters if counter.value is None and not counter.why
    ] == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    place = tmp_path / "small-disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"can't mount a file system here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def fill(disk: Path) -> None:
    with (disk / "filling").open("wb", buffering=0) as filling:
        left = os.statvfs(disk)
        assert left.f_bfree
        filling.write(bytes(left.f_bfree * left.f_frsize))
    assert os.statvfs(disk).f_bfree == 0


@pytest.mark.parametrize("when", ["at the start", "during the load", "in the profile window"])
def test_a_full_disk_is_said_with_the_path(
    when: str, small_disk: Path, tmp_path: Path, footprint: Footprint
) -> None:
    (tmp_path / "runs").symlink_to(small_disk)
    with AcceptingEngine() as engine:
        experiment = write_experiment(
            tmp_path,
            engine={"port": engine.port, "process": os.getpid()},
            profile={"window_s": 1},
        )
        if when == "at the start":
            fill(small_disk)
        process = start_loadcluster("run", str(experiment), "--json", env=footprint.env)
        if when == "during the load":
            wait_for_event(tmp_path, "load-started")
            fill(small_disk)
        elif when == "in the profile window":
            wait_for_event(tmp_path, "profile-window-opened")
            fill(small_disk)
        stdout, stderr = process.communicate(timeout=LIMIT_S)

    said = Said(process.returncode, stdout, stderr)
    assert_failed(said, footprint)
    assert f"{tmp_path / 'runs'}" in stderr
    assert "no space is left" in stderr
    assert "free some space, or choose another --out" in stderr
    assert list(small_disk.glob("*/summary.json")) == []
