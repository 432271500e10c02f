"""The life of an engine, finding one, and what a host is: on this machine and over SSH."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.driver.engine_clock import engine_clock
from cluster.errors import EngineError, HostError, MissingTool, ProcessNotFound
from cluster.host.clock import ClockOffset
from cluster.host.engine_process import RunningEngine, find_process, start_engine
from cluster.host.facts import facts_of
from cluster.host.protocol import Host

pytestmark = pytest.mark.integration

ENGINE = """
import signal, socket, sys, time

def stop(*_):
    print("handled 42 orders", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, stop)
time.sleep(float(sys.argv[2]))
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
while True:
    server.accept()[0].close()
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(host: Host, port: int, argv: list[str], ready_timeout_s: float = 30) -> RunningEngine:
    return start_engine(
        host, argv, address="127.0.0.1", port=port, ready_timeout_s=ready_timeout_s, max_s=120
    )


def test_an_engine_is_started_waited_for_and_stopped(host: Host, port: int) -> None:
    engine = start(host, port, [sys.executable, "-c", ENGINE, str(port), "0.3"])

    with socket.create_connection(("127.0.0.1", port), 5):
        pass
    running = engine.exit()
    ended = engine.stop()

    assert running is None
    assert (0, "stopped", "listening\nhandled 42 orders\n") == (
        ended.exit_status,
        ended.why,
        ended.stdout_tail,
    )
    assert not Path(f"/proc/{engine.pid}").exists()


def test_an_engine_that_dies_tells_how(host: Host, port: int) -> None:
    engine = start(host, port, [sys.executable, "-c", ENGINE, str(port), "0"])

    os.kill(engine.pid, 11)
    engine._supervised.wait(30)

    ended = engine.exit()
    assert ended is not None
    assert ("SIGSEGV", "exited", "listening\n") == (ended.signal, ended.why, ended.stdout_tail)


def test_an_engine_that_ends_before_it_listens_is_told_with_its_last_words(
    host: Host, port: int
) -> None:
    script = "sleep 0.8; echo no licence >&2; exit 4"

    with pytest.raises(EngineError, match=r"with status 4 before it listened .* no licence"):
        start(host, port, ["sh", "-c", script])


def test_an_engine_that_ends_at_once_is_told_with_its_last_words(host: Host, port: int) -> None:
    with pytest.raises(EngineError, match="ended at once with status 2; it said: bad option"):
        start(host, port, ["sh", "-c", "echo bad option >&2; exit 2"])


def test_an_engine_that_never_listens_is_ended(host: Host, port: int, tmp_path: Path) -> None:
    script = 'echo $$ >"$1"; exec sleep 300'

    with pytest.raises(EngineError, match=r"did not listen on .* within 0.5 s \(refused\)"):
        start(host, port, ["sh", "-c", script, "sh", str(tmp_path / "pid")], ready_timeout_s=0.5)

    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_a_taken_port_is_told_with_who_has_it(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(EngineError, match=r"listens on .* already") as caught:
            start(host, port, ["sleep", "300"])

    if shutil.which("ss"):
        assert f"pid {os.getpid()}" in caught.value.message


def test_an_address_that_does_not_resolve_is_told(host: Host) -> None:
    with pytest.raises(EngineError, match=r"no-such-host\.invalid can't be resolved"):
        start_engine(
            host, ["sleep", "300"], address="no-such-host.invalid", port=1, ready_timeout_s=1
        )


def test_a_missing_engine_is_told(host: Host, port: int) -> None:
    with pytest.raises(MissingTool, match="`/no/such/engine` can't be run"):
        start(host, port, ["/no/such/engine"])


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Path]:
    """Two processes of a program whose name is longer than the kernel remembers."""
    path = tmp_path / "an engine with a long name"
    shutil.copy(shutil.which("sleep") or "", path)
    processes = [subprocess.Popen([path, seconds]) for seconds in ("300", "301")]
    yield path
    for process in processes:
        process.kill()
        process.wait()


def test_a_process_is_found_by_its_pid(host: Host) -> None:
    found = find_process(host, os.getpid())

    stat = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    assert os.getpid() == found.pid
    assert int(stat[19]) / os.sysconf("SC_CLK_TCK") == found.start_time_s


def test_several_processes_of_a_name_are_listed(host: Host, program: Path) -> None:
    with pytest.raises(ProcessNotFound, match="2 processes are called") as caught:
        find_process(host, program.name)

    assert f"{program} 300" in caught.value.message
    assert f"{program} 301" in caught.value.message


def test_a_process_that_is_not_there_is_told_with_similar_ones(host: Host, program: Path) -> None:
    with pytest.raises(ProcessNotFound, match="no process is called `an engine`") as caught:
        find_process(host, "an engine")
    with pytest.raises(ProcessNotFound, match="no process has pid 4194305"):
        find_process(host, 4_194_305)

    assert f"{program} 300" in caught.value.message


def test_the_offset_of_a_host_that_is_this_machine_is_within_its_own_error(
    ssh_host: Host,
) -> None:
    with engine_clock(ssh_host, max_s=60) as clock:
        offset = clock.first

    assert abs(offset.offset_ns) <= offset.error_ns
    # An error as large as a second would mean that nothing was measured.
    assert 0 < offset.error_ns < 1_000_000_000
    assert [offset.offset_ns] == [reading.offset_ns for reading in clock.readings]


def test_the_facts_are_those_of_this_machine(host: Host) -> None:
    facts = facts_of(host, ClockOffset(0, 0, "test"))

    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert os.uname().nodename == facts.hostname
    assert f"Linux {os.uname().release}" == facts.kernel
    assert os.sysconf("SC_NPROCESSORS_ONLN") == facts.cpus
    assert memory == facts.memory_bytes
    assert "lo" not in {interface.name for interface in facts.interfaces}
    assert (
        Path("/proc/sys/net/core/somaxconn").read_text().strip()
        == (facts.tcp_settings["net.core.somaxconn"])
    )


def test_every_fact_that_is_not_there_has_a_reason(host: Host) -> None:
    facts = facts_of(host)

    unknown = {name for name, value in facts if value is None}
    assert unknown == unknown & set(facts.not_measured)
    assert {"clock_offset_ns", "clock_error_ns"} <= unknown


def test_a_host_without_a_clock_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    from cluster.host.supervised import Supervised  # noqa: PLC0415 - only here

    command = Supervised.start(host, ["sleep", "60"], label="it", max_s=60)
    monkeypatch.setattr(command, "clock_error_ns", -1)

    with pytest.raises(HostError, match="monotonic clock can't be read"):
        command.exchange()
    command.stop()
