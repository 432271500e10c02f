"""The reference engine's OUCH and FIX, judged by what others wrote: Wireshark and QuickFIX."""

import json
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from integration.running import running_engine

pytestmark = pytest.mark.integration

PATIENCE_S = 20
PORT = 9001

needs_tshark = pytest.mark.skipif(
    shutil.which("tshark") is None, reason="tshark is not on this machine"
)
needs_quickfix = pytest.mark.skipif(
    shutil.which("g++") is None or not Path("/usr/include/quickfix/Application.h").exists(),
    reason="g++ or libquickfix-dev is not on this machine",
)


@needs_tshark
def test_wireshark_reads_the_engines_ouch_as_it_is_meant(tmp_path: Path) -> None:
    login = b"L" + b" " * 6 + b" " * 10 + b" " * 10 + b"1".rjust(20)
    messages = [
        enter(b"BUY", b"B", 100, 10_0500, 99_999),
        enter(b"SELL", b"S", 30, 10_0500, 0),
        b"U" + b"BUY".ljust(14) + b"BUY2".ljust(14) + struct.pack(">III", 90, 10_0600, 99_998)
        + b"YN" + struct.pack(">I", 0),
        b"X" + b"BUY2".ljust(14) + struct.pack(">I", 50),
    ]  # fmt: skip
    with running_engine("--protocol", "ouch42", "--threads", "2") as engine:
        address = ("127.0.0.1", engine.port)
        with socket.create_connection(address, PATIENCE_S) as connection:
            connection.sendall(soup(login) + b"".join(soup(b"U" + one) for one in messages))
            replies = receive_packets(connection, 8)
            connection.sendall(soup(b"U" + enter(b"BAD", b"B", 0, 10_0500, 99_999)))
            replies += receive_packets(connection, 1)

    layers = dissect(tmp_path, replies)

    assert not [layer for layer in layers if "_ws.malformed" in layer]
    soups = [layer["soupbintcp"]["soupbintcp.packet_type"] for layer in layers]
    assert ["'A'", *["'S'"] * 8] == soups
    assert [
        {"packet_type": "'S'", "event_code": "'S'"},
        {"packet_type": "'A'", "order_token": "BUY", "shares": "100", "stock": "S00001"},
        {"packet_type": "'A'", "order_token": "SELL", "shares": "30", "stock": "S00001"},
        {"packet_type": "'E'", "order_token": "SELL", "executed_shares": "30"},
        {"packet_type": "'E'", "order_token": "BUY", "executed_shares": "30"},
        {
            "packet_type": "'U'",
            "replacement_order_token": "BUY2",
            "shares": "60",
            "stock": "S00001",
        },
        {"packet_type": "'C'", "order_token": "BUY2", "decrement_shares": "40"},
        {"packet_type": "'J'", "order_token": "BAD", "reject_reason": "'O'"},
    ] == [picked(layer["ouch"]) for layer in layers[1:]]


@needs_quickfix
def test_quickfix_trades_with_the_engine_over_fix(quickfix_initiator: Path) -> None:
    options = ["--protocol=fix44", "--threads=2", "--user=trader", "--password-env=SECRET"]
    with running_engine(*options, SECRET="s3cret") as engine:  # noqa: S106  (a test's own)
        with quickfix(quickfix_initiator, engine.port, "s3cret") as client:
            logon = client.take(until="logon")
            client.send("35=D 11=a 55=S00001 54=1 38=100 40=2 44=10.25 59=0")
            client.send("35=D 11=b 55=S00001 54=2 38=30 40=2 44=10.20 59=3")
            client.send("35=G 11=c 41=a 55=S00001 54=1 38=90 40=2 44=10.30")
            client.send("35=F 11=d 41=c 55=S00001 54=1")
            client.send("35=F 11=e 41=c 55=S00001 54=1")
            told = client.take(until=" 11=e ")
            client.send("35=D 11=f 55=MSFT 54=1 38=1 40=2 44=1 59=0")
            told += client.take(until=" 11=f ")
            client.send("ask")
            asked = client.take(until="112=are-you-there")
            beats = client.take(until=" 35=0 ")
            ended = client.finish()
        with quickfix(quickfix_initiator, engine.port, "wrong") as client:
            refused = client.take(until="logout")

    assert [" 141=Y " in line for line in logon] == [True, False]
    assert [
        "11=a 150=0 39=0 151=100 14=0 6=0",
        "11=b 150=0 39=0 151=30 14=0 6=0",
        "11=b 150=F 39=2 151=0 14=30 6=10.25",
        "11=a 150=F 39=1 151=70 14=30 6=10.25",
        "11=c 150=5 39=1 151=60 14=30 6=10.25",
        "11=d 150=4 39=4 151=0 14=30 6=10.25",
        "11=e 150= 39=8 151= 14= 6=",
        "11=f 150=8 39=8 151=0 14=0 6=0",
    ] == [fields(line, 11, 150, 39, 151, 14, 6) for line in told]
    # It took the gap fill: no message was missing or came twice, or it would have said so.
    everything = [*logon, *told, *asked, *beats, *ended, *refused]
    assert {"A", "8", "9", "0", "5"} == {value(line, 35) for line in everything} - {""}
    assert [" 58=Username or Password is wrong " in line for line in refused] == [True, False]


def soup(payload: bytes) -> bytes:
    return struct.pack(">H", len(payload)) + payload


def enter(token: bytes, side: bytes, shares: int, price: int, time_in_force: int) -> bytes:
    stock = b"S00001".ljust(8)
    numbers = struct.pack(">I8sII", shares, stock, price, time_in_force)
    return b"O" + token.ljust(14) + side + numbers + b"FIRMYPN" + struct.pack(">I", 0) + b"N "


def receive_packets(connection: socket.socket, count: int) -> list[bytes]:
    """So many whole packets; heartbeats between them are left out."""
    received, packets = b"", []
    while len(packets) < count:
        more = connection.recv(65_536)
        assert more, f"closed after {packets}"
        received += more
        while len(received) >= 2 and len(received) >= 2 + int.from_bytes(received[:2]):
            end = 2 + int.from_bytes(received[:2])
            if received[2:3] != b"H":
                packets.append(received[:end])
            received = received[end:]
    return packets


def dissect(directory: Path, contents: list[bytes]) -> list[dict[str, Any]]:
    """What tshark sees in the segments of one connection, each a packet of the engine's."""
    capture = directory / "engine.pcap"
    segments, sequence = [], 1
    for content in contents:
        tcp = struct.pack(">HHIIBBHHH", PORT, 40_000, sequence, 1, 0x50, 0x18, 65_535, 0, 0)
        sequence += len(content)
        length = 20 + len(tcp) + len(content)
        loopback = bytes([127, 0, 0, 1])
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, 1, 0, 64, 6, 0, loopback, loopback)
        segments.append(struct.pack("<IIII", 0, 0, length, length) + ip + tcp + content)
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101)
    capture.write_bytes(header + b"".join(segments))
    as_ = f"tcp.port=={PORT},soupbintcp"
    done = subprocess.run(
        ["tshark", "-r", str(capture), "-d", as_, "-T", "json", "--no-duplicate-keys"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [packet["_source"]["layers"] for packet in json.loads(done.stdout)]


def picked(ouch: dict[str, str]) -> dict[str, str]:
    names = (
        "packet_type", "event_code", "order_token", "replacement_order_token", "shares", "stock",
        "executed_shares", "decrement_shares", "reject_reason",
    )  # fmt: skip
    return {name: ouch[f"ouch.{name}"].strip() for name in names if f"ouch.{name}" in ouch}


class QuickFix:
    """A running quickfix_initiator.cpp."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def take(self, until: str) -> list[str]:
        """Its lines up to the first in which the words of `until` stand, with `.*` between."""
        assert self._process.stdout is not None
        lines: list[str] = []
        while not lines or not all(word in lines[-1] for word in until.split(".*")):
            line = self._process.stdout.readline()
            assert line, f"it ended before {until}, after {lines}"
            lines.append(line)
        return lines

    def finish(self) -> list[str]:
        """Log out; what it said."""
        output, _ = self._process.communicate(timeout=PATIENCE_S)
        return output.splitlines()


@contextmanager
def quickfix(program: Path, port: int, password: str) -> Iterator[QuickFix]:
    command = [str(program), str(port), "1", "trader", password]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        too_late = threading.Timer(PATIENCE_S, process.kill)
        too_late.start()
        try:
            yield QuickFix(process)
        finally:
            too_late.cancel()
            process.kill()


@pytest.fixture(scope="module")
def quickfix_initiator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("quickfix") / "quickfix_initiator"
    source = Path(__file__).with_name("quickfix_initiator.cpp")
    # QuickFIX's headers have exception specifications, which C++17 took out of the language.
    flags = ("-std=c++14", "-O1", "-w", "-pthread")
    subprocess.run(["g++", *flags, str(source), "-o", str(program), "-lquickfix"], check=True)
    return program


def value(line: str, tag: int) -> str:
    start = f" {tag}="
    return line.partition(start)[2].partition(" ")[0] if start in line else ""


def fields(line: str, *tags: int) -> str:
    return " ".join(f"{tag}={value(line, tag)}" for tag in tags)
