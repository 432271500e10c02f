"""The reference engine as a process: its life, its exit status and what it prints."""

import json
import selectors
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.host.reference import reference_engine

pytestmark = pytest.mark.integration

PATIENCE_S = 20
NEW = struct.Struct("<HBBIQqIB3x")
ACCEPTED_BYTES = 32


class RunningEngine:
    """An engine on a free port of loopback."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            assert ready.select(PATIENCE_S), "the engine does not say that it is ready"
        self.first_line = process.stdout.readline()
        self.port = int(self.first_line.rpartition(":")[2])

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def end(self, signal_number: int = signal.SIGTERM) -> str:
        """What it prints when it is told to end."""
        self.process.send_signal(signal_number)
        return self.process.communicate(timeout=PATIENCE_S)[0]


@contextmanager
def engine(*options: str, wrapper: tuple[str, ...] = ()) -> Iterator[RunningEngine]:
    process = subprocess.Popen(
        [*wrapper, str(reference_engine()), "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield RunningEngine(process)
        finally:
            process.kill()


def new_order(order_id: int, *, symbol: int = 0) -> bytes:
    return NEW.pack(NEW.size, 0x01, 1, symbol, order_id, 100, 10, 1)


def receive(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count and (chunk := connection.recv(count - len(received))):
        received += chunk
    return received


def run_to_the_end(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(reference_engine()), *options],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_listens_and_what_it_handled(signal_number: int) -> None:
    with engine("--threads", "2") as running:
        assert running.first_line == f"listening on 127.0.0.1:{running.port}\n"
        with running.connect() as connection:
            connection.sendall(new_order(1, symbol=0) + new_order(2, symbol=1))
            replies = receive(connection, 2 * ACCEPTED_BYTES)
            last_words = running.end(signal_number)

    assert {replies[2], replies[ACCEPTED_BYTES + 2]} == {0x81}
    assert running.process.returncode == 0
    assert last_words.startswith("orders: 2 (new: 2 limit, ")
    handled = json.loads(last_words.splitlines()[-1])
    assert handled["total"]["accepted"] == 2
    assert [thread["orders"] for thread in handled["threads"]] == [1, 1]


def test_its_threads_have_names() -> None:
    with engine("--threads", "3") as running:
        tasks = Path(f"/proc/{running.process.pid}/task")
        names = {(task / "comm").read_text().strip() for task in tasks.iterdir()}

    assert {"match-0", "match-1", "match-2"} <= names


def test_a_wrong_option_is_one_sentence_and_status_2() -> None:
    ended = run_to_the_end("--prot", "9001")

    assert ended.returncode == 2
    assert ended.stderr == (
        "loadcluster-engine: there is no option --prot; --help lists them all\n"
    )


def test_a_port_in_use_is_one_sentence_and_status_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run_to_the_end("--port", str(port))

    assert ended.returncode == 1
    assert ended.stderr == (
        f"loadcluster-engine: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    )


def test_it_dies_of_sigabrt_on_the_order_after_the_planted_last() -> None:
    with engine("--exit-after-orders", "3") as running, running.connect() as connection:
        for order_id in (1, 2, 3):
            connection.sendall(new_order(order_id))
            assert receive(connection, ACCEPTED_BYTES)[2] == 0x81
        connection.sendall(new_order(4))
        status = running.process.wait(timeout=PATIENCE_S)

    assert status == -signal.SIGABRT


def test_it_serves_on_when_no_file_descriptor_is_left() -> None:
    with engine(wrapper=("prlimit", "--nofile=16")) as running:
        connections = [running.connect() for _ in range(30)]
        try:
            refused = connections[-1].recv(1)
            connections[0].sendall(new_order(1))
            reply = receive(connections[0], ACCEPTED_BYTES)
            last_words = running.end()
        finally:
            for connection in connections:
                connection.close()

    assert refused == b""
    assert reply[2] == 0x81
    total = json.loads(last_words.splitlines()[-1])["total"]
    assert total["connections_refused"] > 0
    assert total["connections"] + total["connections_refused"] == 30
