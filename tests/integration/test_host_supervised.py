"""A supervised command ends whatever happens to us, to the way there, or to its supervisor."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cluster.errors import CommandFailed, ConnectionFailed, HostError, MissingTool
from cluster.host.connect import open_host
from cluster.host.protocol import Host
from cluster.host.supervised import Supervised
from integration.sshd import Sshd

pytestmark = pytest.mark.integration

SLEEP = ["sleep", "300"]
HEARTBEAT_S = 1.5
# Generous: a busy machine must not fail a test that is about whether, not about when.
PATIENCE_S = 30

DRIVER = """
import json, sys, time
from cluster.experiment.model import SshHost
from cluster.host.connect import open_host
from cluster.host.supervised import Supervised

spec, heartbeat_s = json.loads(sys.argv[1]), float(sys.argv[2])
host = open_host("local" if spec == "local" else SshHost.model_validate(spec))
command = Supervised.start(host, ["sleep", "300"], label="a command", max_s=200,
                           heartbeat_s=heartbeat_s)
print(command.pid, command.directory, flush=True)
time.sleep(200)
"""

COUNT_SIGTERMS = """
import signal, time

got = []
signal.signal(signal.SIGTERM, lambda *_: got.append(1))
print("ready", flush=True)
while not got:
    time.sleep(0.05)
time.sleep(0.5)
print(len(got))
"""

TELL_TOTAL = """
import signal, sys, time

def stop(*_):
    print("total 7")
    sys.exit(5)

signal.signal(signal.SIGTERM, stop)
print("ready", file=sys.stderr, flush=True)
time.sleep(300)
"""


def wait_until(happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def started(host: Host, **options: object) -> Supervised:
    settings: dict[str, object] = {"label": "a command", "max_s": 60} | options
    return Supervised.start(host, SLEEP, **settings)  # type: ignore[arg-type]


def supervisor_of(command: Supervised) -> int:
    """The bash of supervisor.sh: the parent of `timeout`, which is the parent of the command."""
    pid = command.pid
    for _ in range(2):
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid


@pytest.fixture(params=["local", "ssh"])
def driver(
    request: pytest.FixtureRequest,
) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """Another process that supervises a command; with the command's pid and directory."""
    spec = "local"
    if request.param == "ssh":
        spec = request.getfixturevalue("sshd").spec().model_dump()
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, json.dumps(spec), str(HEARTBEAT_S)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        pid, directory = process.stdout.readline().split()
        yield process, int(pid), Path(directory)
        process.kill()


def test_a_command_runs_under_its_own_pid(host: Host) -> None:
    command = started(host)

    assert "sleep" == Path(f"/proc/{command.pid}/comm").read_text().strip()
    assert command.alive()
    assert "SIGINT" == command.stop().signal


def test_a_stopped_command_tells_how_it_ended_and_what_it_said(host: Host) -> None:
    command = Supervised.start(
        host,
        [sys.executable, "-c", TELL_TOTAL],
        label="an engine",
        max_s=60,
        stop_signal="TERM",
    )
    assert wait_until(lambda: "ready" in command.output()[1])

    ended = command.stop()

    assert (5, None, "stopped") == (ended.exit_status, ended.signal, ended.why)
    assert ("total 7\n", "ready\n") == (ended.stdout_tail, ended.stderr_tail)
    assert ended is command.stop()
    assert not command.alive()


def test_a_command_that_ignores_the_stop_signal_is_killed(host: Host) -> None:
    script = 'trap "" INT; echo ready; while :; do sleep 0.1; done'
    command = Supervised.start(host, ["bash", "-c", script], label="it", max_s=60)
    assert wait_until(lambda: "ready" in command.output()[0])

    ended = command.stop(timeout_s=1)

    assert "SIGKILL" == ended.signal
    assert wait_until(lambda: gone(command.pid))


def test_children_of_the_command_end_with_it(host: Host) -> None:
    script = "sleep 300 & echo $!; wait"
    command = Supervised.start(host, ["bash", "-c", script], label="a wrapper", max_s=60)
    assert wait_until(lambda: command.output()[0].endswith("\n"))
    child = int(command.output()[0])

    command.stop()

    assert wait_until(lambda: gone(child))


def test_the_stop_signal_arrives_once(host: Host) -> None:
    command = Supervised.start(
        host, [sys.executable, "-c", COUNT_SIGTERMS], label="it", max_s=60, stop_signal="TERM"
    )
    assert wait_until(lambda: "ready" in command.output()[0])

    assert "ready\n1\n" == command.stop().stdout_tail


def test_a_wrapped_program_gets_the_stop_signal_too(host: Host) -> None:
    program = "trap 'echo total 7; exit' TERM; echo ready; while :; do sleep 0.05; done"
    wrapper = 'trap : TERM; bash -c "$1" & wait; wait'
    command = Supervised.start(
        host,
        ["bash", "-c", wrapper, "bash", program],
        label="it",
        max_s=60,
        stop_signal="TERM",
    )

    assert wait_until(lambda: "ready" in command.output()[0])

    assert "ready\ntotal 7\n" == command.stop().stdout_tail


def test_a_command_that_ends_by_itself_is_told(host: Host) -> None:
    command = Supervised.start(
        host, ["sh", "-c", "sleep 0.7; echo done; exit 4"], label="it", max_s=60
    )

    assert wait_until(lambda: not command.alive())
    ended = command.stop()
    assert (4, "exited", "done\n") == (ended.exit_status, ended.why, ended.stdout_tail)


def test_a_command_that_crashes_tells_its_signal(host: Host) -> None:
    command = Supervised.start(host, ["sh", "-c", "sleep 0.7; kill -SEGV $$"], label="it", max_s=60)

    assert wait_until(lambda: not command.alive())
    assert (None, "SIGSEGV") == (command.stop().exit_status, command.stop().signal)


def test_a_command_is_ended_at_its_time_limit(host: Host) -> None:
    command = started(host, max_s=1)

    assert wait_until(lambda: not command.alive())
    assert "time-limit" == command.stop().why
    assert gone(command.pid)


def ignored_signals(pid: int) -> set[int]:
    """What a process ignores, but for 32 and 33: glibc's own, which its posix_spawn ignores."""
    (line,) = re.findall(r"(?m)^SigIgn:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text())
    numbers = {bit + 1 for bit in range(64) if int(line, 16) >> bit & 1}
    return numbers - {32, 33}


def test_a_command_starts_with_default_signals_and_no_descriptors_of_ours(host: Host) -> None:
    command = started(host)

    ignored = ignored_signals(command.pid)
    descriptors = sorted(entry.name for entry in Path(f"/proc/{command.pid}/fd").iterdir())
    stdin = Path(f"/proc/{command.pid}/fd/0").readlink()

    command.stop()
    assert set() == ignored
    assert (["0", "1", "2"], Path("/dev/null")) == (descriptors, stdin)


@pytest.fixture
def ignored_interrupts() -> Iterator[None]:
    """As in a job that a script started with `&`."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ignored_interrupts")
def test_signals_that_we_ignore_are_not_ignored_by_a_command(local_host: Host) -> None:
    command = started(local_host)

    ignored = ignored_signals(command.pid)
    assert "SIGINT" == command.stop().signal
    assert set() == ignored


def test_environment_directory_and_cpus_are_the_commands_own(host: Host, tmp_path: Path) -> None:
    cpu = min(os.sched_getaffinity(0))
    command = Supervised.start(
        host,
        ["sh", "-c", 'echo "$FLAG|$PWD"; exec sleep 300'],
        label="it",
        max_s=60,
        env={"FLAG": "it's a $(flag)\n"},
        cwd=str(tmp_path),
        cpus=[cpu],
    )

    affinity = os.sched_getaffinity(command.pid)

    assert f"it's a $(flag)\n|{tmp_path}\n" == command.stop().stdout_tail
    assert {cpu} == affinity


def test_a_missing_program_is_a_missing_tool(host: Host) -> None:
    with pytest.raises(MissingTool, match="`no-such-engine` can't be run"):
        Supervised.start(host, ["no-such-engine"], label="it", max_s=60)


def test_a_command_that_fails_at_once_is_an_error_with_its_last_words(host: Host) -> None:
    with pytest.raises(CommandFailed, match="ended with 3: bad option"):
        Supervised.start(host, ["sh", "-c", "echo bad option >&2; exit 3"], label="it", max_s=60)


def test_a_missing_working_directory_is_said(host: Host) -> None:
    with pytest.raises(HostError, match="the working directory of it is not there"):
        Supervised.start(host, SLEEP, label="it", max_s=60, cwd="/no/such/directory")


def test_a_cpu_that_is_not_there_is_an_error(host: Host) -> None:
    with pytest.raises(CommandFailed, match="affinity"):
        started(host, cpus=[4000])


def test_an_ended_command_takes_no_more_commands(host: Host) -> None:
    command = started(host)
    command.stop()

    with pytest.raises(HostError, match="a command has ended"):
        command.command("enable")


def test_a_closed_host_leaves_no_command_and_no_directory(sshd: Sshd) -> None:
    for spec in ("local", sshd.spec()):
        with closing(open_host(spec)) as host:
            command = started(host)

        assert wait_until(lambda command=command: gone(command.pid))
        assert not Path(command.directory).parent.exists()


def test_a_killed_driver_takes_the_command_and_the_directory_with_it(
    driver: tuple[subprocess.Popen[str], int, Path],
) -> None:
    process, pid, directory = driver

    process.kill()

    assert wait_until(lambda: gone(pid))
    assert wait_until(lambda: not directory.parent.exists())


def test_a_frozen_driver_loses_its_command(
    driver: tuple[subprocess.Popen[str], int, Path],
) -> None:
    process, pid, _ = driver

    process.send_signal(signal.SIGSTOP)

    # sshd may cut off a client that is silent, but only after minutes: the heartbeat does it.
    assert wait_until(lambda: gone(pid))


def test_a_command_outlives_many_heartbeats_while_the_driver_lives(host: Host) -> None:
    command = started(host, heartbeat_s=0.6)

    time.sleep(2)

    assert command.alive()
    command.stop()


def test_a_killed_supervisor_takes_the_command_with_it(host: Host) -> None:
    command = started(host)

    os.kill(supervisor_of(command), signal.SIGKILL)

    assert wait_until(lambda: gone(command.pid))
    assert wait_until(lambda: not command.alive())
    ended = command.stop()
    assert (None, None, "supervisor-killed") == (ended.exit_status, ended.signal, ended.why)


def test_a_terminated_supervisor_ends_the_command_and_says_so(host: Host) -> None:
    command = started(host)

    os.kill(supervisor_of(command), signal.SIGTERM)

    assert wait_until(lambda: not command.alive())
    assert "supervisor-signal" == command.stop().why


def test_the_end_of_stdin_ends_the_command(host: Host) -> None:
    command = started(host)

    command._supervision._running.close_stdin()

    assert wait_until(lambda: gone(command.pid))
    assert "stdin-eof" == command.stop().why


def test_a_cut_connection_ends_the_command_and_is_told(own_sshd: Sshd) -> None:
    with closing(open_host(own_sshd.spec())) as host:
        command = started(host)

        own_sshd.cut_connections()

        assert wait_until(lambda: gone(command.pid))
        with pytest.raises(ConnectionFailed, match="the connection was lost while a command ran"):
            wait_until(lambda: not command.alive())
        with pytest.raises(ConnectionFailed, match="lost"):
            command.stop()
        with pytest.raises(ConnectionFailed, match="lost"):
            host.run(["true"])
        with pytest.raises(ConnectionFailed, match="lost"):
            host.read("/proc/version")
    assert wait_until(lambda: not Path(command.directory).parent.exists())


@pytest.fixture
def fifo_answerer() -> list[str]:
    """A command that acknowledges on control fifos as perf does."""
    script = 'exec 3<>"$1" 4<>"$2"; while read -r word <&3; do echo "$word"; echo ack >&4; done'
    return ["bash", "-c", script, "bash", "{ctl}", "{ack}"]


def test_control_commands_are_acknowledged_with_both_times_of_the_host(
    host: Host, fifo_answerer: list[str]
) -> None:
    command = Supervised.start(host, fifo_answerer, label="perf", max_s=60, control=True)
    before_ns = time.monotonic_ns()

    enabled = command.command("enable")
    disabled = command.command("disable")

    after_ns = time.monotonic_ns()
    # The hosts of these tests are this machine: its clock is ours, but for the stated error.
    error_ns = enabled.error_ns
    assert 0 < error_ns < 1_000_000
    assert before_ns - error_ns <= enabled.sent_ns <= enabled.acked_ns
    assert enabled.acked_ns <= disabled.sent_ns <= disabled.acked_ns <= after_ns + error_ns
    assert "ping\nenable\ndisable\n" == command.stop().stdout_tail


def test_a_command_that_does_not_answer_on_its_fifo_does_not_start(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.host.supervised._PING_PATIENCE_S", 1)

    with pytest.raises(HostError, match="does not answer on its control fifo"):
        started(host, control=True)


def test_a_command_that_stops_answering_is_an_error_not_a_wrong_ack(host: Host) -> None:
    script = 'exec 3<>"$1" 4<>"$2"; read -r word <&3; echo ack >&4; exec sleep 300'
    command = Supervised.start(
        host,
        ["bash", "-c", script, "bash", "{ctl}", "{ack}"],
        label="perf",
        max_s=60,
        control=True,
    )

    with pytest.raises(HostError, match="perf did not acknowledge `enable`"):
        command.command("enable", timeout_s=1)
    command.stop()


def test_the_exception_that_interrupts_a_start_leaves_nothing(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids: list[int] = []

    def interrupted(self: Supervised, *, control: bool) -> None:  # noqa: ARG001 - as the original
        words = self._supervision.ready(20).words
        pids.append(int(words[1]))
        raise KeyboardInterrupt

    monkeypatch.setattr(Supervised, "_come_up", interrupted)
    with contextlib.suppress(KeyboardInterrupt):
        started(host)

    assert 1 == len(pids)
    assert wait_until(lambda: gone(pids[0]))
