"""A program with planted behaviour, and the profile that must find it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Literal

import pytest

from cluster.errors import ProcessNotFound
from cluster.experiment.model import Profile
from cluster.host.clock import ClockOffset
from cluster.host.local import LocalHost
from cluster.profile.session import ProfileSession
from cluster.results.engine import EngineWindow, ThreadUse
from integration.planted import COMPILER, PERF, running_planted

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler"),
]
needs_perf = pytest.mark.skipif(PERF is None, reason="needs perf")

SAME_CLOCK = ClockOffset(0, 0, "this machine")
PORT = 9
SETTINGS = Profile(frequency_hz=997)
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as running:
        yield lambda *arguments: running.enter_context(running_planted(*arguments))


@pytest.fixture
def host() -> Iterator[LocalHost]:
    local = LocalHost()
    yield local
    local.close()


def session_on(
    host: LocalHost, pid: int, settings: Profile | Literal["off"] = SETTINGS
) -> ProfileSession:
    return ProfileSession(host, pid, PORT, settings, SAME_CLOCK, max_s=60)


def cpu_time_s(pid: int) -> float:
    """CPU time of a process by its own clock (see clock_getcpuclockid), not by procfs or perf."""
    return time.clock_gettime(~pid << 3 | 2)


def watch(session: ProfileSession, seconds: float, level: int = 0) -> EngineWindow:
    start_ns = time.monotonic_ns()
    session.open_window(level)
    time.sleep(seconds)
    session.close_window()
    window = session.engine_window(start_ns, time.monotonic_ns())
    assert window is not None
    return window


def threads(window: EngineWindow) -> dict[str, ThreadUse]:
    return {thread.name: thread for thread in window.threads}


def thread_total_ns(folded: dict[str, int], name: str) -> int:
    return sum(ns for stack, ns in folded.items() if stack.split(";")[0] == name)


@needs_perf
def test_a_planted_split_of_the_work_is_found_with_its_names(
    host: LocalHost, start: Start, tmp_path: Path
) -> None:
    engine = start()
    with session_on(host, engine.pid) as session:
        watch(session, 2)
        (window,) = session.finish({}, tmp_path)

    # Of the planted thread only: other threads and the interrupts they bring are not its work.
    stacks = {
        stack: count
        for stack, count in window.folded.items()
        if stack.startswith("planted;") and "planted::Book<int>::" in stack
    }
    total = sum(stacks.values())
    matching = sum(n for stack, n in stacks.items() if "planted::Book<int>::match" in stack)
    by_name = {function.name: function for function in window.hot_functions}
    assert matching / total == pytest.approx(0.70, abs=0.05)
    assert by_name["planted::Book<int>::match"].module == "planted"
    assert by_name["planted::Book<int>::match"].self_ratio > 0.3
    assert "planted::Book<int>::match" in (tmp_path / "perf-report.txt").read_text()


@needs_perf
def test_a_waiting_thread_is_found_off_the_cpu_with_where_it_waits(
    host: LocalHost, start: Start, tmp_path: Path
) -> None:
    engine = start()
    with session_on(host, engine.pid) as session:
        watch(session, 2)
        (window,) = session.finish({}, tmp_path)

    window_ns = window.end_ns - window.start_ns
    asleep_ns = thread_total_ns(window.off_cpu_folded, "sleeper")
    half_ns = thread_total_ns(window.off_cpu_folded, "half")
    assert asleep_ns / window_ns == pytest.approx(1, abs=0.05)
    assert half_ns < asleep_ns
    if any(c.what == "stacks of waiting threads" and c.available for c in session.capabilities):
        where_ns = sum(
            ns for stack, ns in window.off_cpu_folded.items() if "planted::wait_for_event" in stack
        )
        assert where_ns / asleep_ns > 0.9


@needs_perf
def test_what_runs_between_two_windows_is_in_neither(
    host: LocalHost, start: Start, tmp_path: Path
) -> None:
    engine = start()
    with session_on(host, engine.pid) as session:
        watch(session, 1, level=3)
        engine.send_signal(signal.SIGUSR1)
        time.sleep(1.2)
        engine.send_signal(signal.SIGUSR2)
        time.sleep(0.1)
        watch(session, 1, level=4)
        first, second = session.finish({}, tmp_path)

    for window in (first, second):
        assert window.samples > 0
        assert not any("elsewhere" in function.name for function in window.hot_functions)
        task_clock = next(c for c in window.counters if c.event == "task-clock")
        assert task_clock.value is not None
        # At most the planted thread and the half-busy one ran, only within the window.
        assert task_clock.value / 1e3 < 1.5 * (window.end_ns - window.start_ns) / 1e9 + 0.2
    assert (first.level, second.level) == (3, 4)


@needs_perf
def test_the_counted_cpu_time_is_the_one_the_process_spent(
    host: LocalHost, start: Start, tmp_path: Path
) -> None:
    engine = start()
    with session_on(host, engine.pid) as session:
        before_s = cpu_time_s(engine.pid)
        watch(session, 2)
        spent_s = cpu_time_s(engine.pid) - before_s
        (window,) = session.finish({0: 1000}, tmp_path)

    counted_s = (window.ratios["task_clock_ns_per_order"] or 0) * 1000 / 1e9
    assert counted_s == pytest.approx(spent_s, rel=0.1)


@needs_perf
def test_nothing_is_left_of_a_profile(host: LocalHost, start: Start, tmp_path: Path) -> None:
    debug_cache = Path.home() / ".debug"
    had_cache = debug_cache.exists()
    engine = start()
    with session_on(host, engine.pid) as session:
        watch(session, 1)
        pids = [lane.supervised.pid for lane in session._lanes()]
        session.finish({}, tmp_path)

    assert len(pids) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert debug_cache.exists() == had_cache


@needs_perf
def test_a_perf_that_is_killed_costs_its_lane_and_nothing_else(
    host: LocalHost, start: Start, tmp_path: Path
) -> None:
    engine = start()
    with session_on(host, engine.pid) as session:
        assert session._record is not None
        session.open_window(0)
        time.sleep(0.6)
        os.kill(session._record.supervised.pid, signal.SIGKILL)
        time.sleep(0.6)
        session.close_window()
        (window,) = session.finish({}, tmp_path)

    failed = [finding for finding in session.findings if finding.code == "profile-lane-failed"]
    task_clock = next(c for c in window.counters if c.event == "task-clock")
    assert ["Perf record failed"] == [finding.message.split(":")[0] for finding in failed]
    assert window.samples == 0
    assert window.folded == {}
    assert task_clock.value is not None
    assert task_clock.value > 0


@needs_perf
def test_an_engine_that_dies_in_the_window_leaves_its_profile(
    host: LocalHost, start: Start, tmp_path: Path
) -> None:
    engine = start()
    with session_on(host, engine.pid) as session:
        session.open_window(0)
        time.sleep(1)
        engine.kill()
        engine.wait()
        time.sleep(0.3)
        session.close_window()
        windows = session.finish({}, tmp_path)

    assert [window.samples > 100 for window in windows] == [True]
    assert [f for f in session.findings if f.code == "profile-lane-failed"] == []


def test_a_process_that_is_not_there_is_refused_at_the_start(host: LocalHost) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()

    with pytest.raises(ProcessNotFound, match=f"no process {ended.pid}"):
        session_on(host, ended.pid).__enter__()


def test_without_perf_threads_and_memory_are_still_measured(
    host: LocalHost, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if any(Path("/usr/lib").glob("linux-tools*/*perf")):
        pytest.skip("this host has a perf outside PATH")
    monkeypatch.setenv("PATH", str(path_without_perf(tmp_path)))
    engine = start()
    with session_on(host, engine.pid) as session:
        window = watch(session, 1.5)
        profile = session.finish({0: 1}, tmp_path)

    perf = next(c for c in session.capabilities if c.what == "perf")
    (finding,) = session.findings
    assert profile == ()
    assert (perf.available, perf.why) == (False, "perf is not installed")
    assert "apt-get install" in perf.remedy
    assert finding.code == "no-profile"
    assert threads(window)["planted"].on_cpu_ns > 0
    assert window.rss_bytes is not None


@needs_perf
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up rights")
def test_without_the_right_to_watch_the_reason_and_the_remedy_are_told(
    host: LocalHost, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = tmp_path / "perf"
    wrapper.write_text(
        "#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups "
        f'--bounding-set -all {PERF} "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    engine = start()
    with session_on(host, engine.pid) as session:
        profile = session.finish({}, tmp_path)

    rights = next(c for c in session.capabilities if c.what == "watching the engine's process")
    assert profile == ()
    assert not rights.available
    assert "perf_event_paranoid" in rights.why
    assert "cap_perfmon" in rights.remedy


@needs_perf
def test_every_event_is_either_counted_or_has_a_reason(
    host: LocalHost, start: Start, tmp_path: Path
) -> None:
    engine = start()
    with session_on(host, engine.pid) as session:
        watch(session, 1)
        (window,) = session.finish({}, tmp_path)

    silent = [c.event for c in window.counters if c.value is None and not c.why]
    unexplained = window.ratios.keys() - window.ratios_not_measured.keys()
    assert silent == []
    assert all(window.ratios[name] is not None for name in unexplained)


def test_a_thread_that_is_busy_half_of_the_time_is_half_utilised(
    host: LocalHost, start: Start
) -> None:
    engine = start("half")
    with session_on(host, engine.pid, "off") as session:
        start_ns, before_s = time.monotonic_ns(), cpu_time_s(engine.pid)
        window = watch(session, 3)
        truth = (cpu_time_s(engine.pid) - before_s) / (time.monotonic_ns() - start_ns) * 1e9

    (half,) = window.threads
    assert half.utilisation_ratio == pytest.approx(truth, abs=0.05)
    if half.run_queue_ratio < 0.05:  # the CPU was free whenever the thread wanted it
        assert half.utilisation_ratio == pytest.approx(0.5, abs=0.05)


def test_two_threads_on_one_cpu_wait_for_each_other(host: LocalHost, start: Start) -> None:
    engine = start(str(min(os.sched_getaffinity(0))))
    with session_on(host, engine.pid, "off") as session:
        window = watch(session, 3)

    one, two = threads(window)["spinner 1"], threads(window)["spinner 2"]
    for thread in (one, two):
        # Whoever else wants that CPU makes them wait longer, never shorter.
        assert thread.run_queue_ratio > 0.45
        assert thread.utilisation_ratio + thread.run_queue_ratio == pytest.approx(1, abs=0.05)
    assert one.run_queue_ratio == pytest.approx(two.run_queue_ratio, abs=0.1)


def test_bytes_the_engine_has_not_read_are_seen(host: LocalHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with (
            socket.create_connection(("127.0.0.1", port)) as client,
            server.accept()[0],
            ProfileSession(host, os.getpid(), port, "off", SAME_CLOCK, max_s=60) as session,
        ):
            client.sendall(bytes(1000))
            window = watch(session, 1.5)

    assert window.receive_queue_bytes_max == 1000


def path_without_perf(tmp_path: Path) -> Path:
    """A directory with every command of PATH but perf."""
    farm = tmp_path / "bin"
    farm.mkdir()
    for directory in os.environ["PATH"].split(":"):
        for program in Path(directory).glob("*"):
            link = farm / program.name
            if program.name != "perf" and not link.exists():
                link.symlink_to(program)
    return farm


@pytest.mark.skipif(shutil.which("ss") is None, reason="needs ss of iproute2")
@pytest.mark.parametrize("reads", [True, False])
def test_a_client_that_does_not_read_is_told_from_one_that_does(
    host: LocalHost, reads: bool
) -> None:
    """This process stands in for the engine: it sends more than its client takes, or not."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client, listener.accept()[0] as end:
            end.setblocking(False)
            client.setblocking(False)
            with (
                ProfileSession(host, os.getpid(), port, "off", SAME_CLOCK, max_s=60) as session,
                ThreadPoolExecutor(1) as beside,
            ):
                talk = beside.submit(keep_sending, end, client if reads else None)
                window = watch(session, 2)
                talk.result()

    if window.rwnd_limited_ratio is None or window.send_busy_ratio is None:
        # The kernel counts in milliseconds: what a reader takes at once adds up to none.
        assert reads
        assert window.not_measured["rwnd_limited_ratio"]
        return
    held_back = window.rwnd_limited_ratio * window.send_busy_ratio
    assert held_back > 0.5 if not reads else held_back < 0.1


def keep_sending(end: socket.socket, reader: socket.socket | None, seconds: float = 2.5) -> None:
    ends_s = time.monotonic() + seconds
    while time.monotonic() < ends_s:
        with suppress(BlockingIOError):
            end.send(bytes(4096))
        with suppress(BlockingIOError):
            while reader is not None and reader.recv(65536):
                pass
        time.sleep(0.002 if reader is not None else 0)
