"""Wireshark's dissectors, which others wrote after the same specifications, read our vectors.

That what loadcluster sends is what the vectors say is tested beside the compiler.
"""

import json
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fakes.vectors import Vector, vectors

PORT = 9001
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        shutil.which("tshark") is None,
        reason="tshark is not on this machine; deploy/system_packages.sh develop installs it",
    ),
]


@pytest.fixture(scope="module")
def dissected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Vector, Any]]]:
    """By schema: each vector, and the layers that Wireshark saw in it."""
    directory = tmp_path_factory.mktemp("wireshark")
    protocols = {"ouch42": "soupbintcp", "fix42": "fix", "fix44": "fix"}
    return {schema: dissect(directory, schema, as_) for schema, as_ in protocols.items()}


def test_wireshark_reads_our_ouch_orders_as_we_mean_them(
    dissected: dict[str, list[tuple[Vector, Any]]],
) -> None:
    read = {}
    meant = {}
    for vector, layers in dissected["ouch42"]:
        if vector.said.get("send", {}).get("action") == "new":
            ouch, values = layers["ouch"], vector.said["values"]
            names = ("order_token", "shares", "stock", "buy_sell_indicator", "tif")
            read[vector.name] = [ouch[f"ouch.{name}"] for name in names]
            meant[vector.name] = [
                base_36(values["id"]),
                str(values["size"]),
                f"S{values['symbol']:05d}  ",
                {"buy": "'B'", "sell": "'S'"}[vector.said["send"]["side"]],
                "99999" if vector.said["send"]["kind"] == "limit" else "0",
            ]

    assert len(read) == 4
    assert meant == read


def test_wireshark_reads_ouch_replies_as_we_do(
    dissected: dict[str, list[tuple[Vector, Any]]],
) -> None:
    read = {}
    meant = {}
    for vector, layers in dissected["ouch42"]:
        if "id" in vector.said.get("reads", {}):
            ouch, reads = layers["ouch"], vector.said["reads"]
            token = ouch.get("ouch.order_token") or ouch["ouch.replacement_order_token"]
            reason = ouch.get("ouch.reject_reason", "").strip("'") or None
            size = ouch.get("ouch.executed_shares")
            read[vector.name] = (token, size and int(size), reason)
            meant[vector.name] = (
                base_36(reads["id"]),
                reads.get("executed_size"),
                reads.get("reason"),
            )

    assert len(read) == 11
    assert meant == read


def test_wireshark_finds_nothing_wrong_with_ouch_or_soupbintcp(
    dissected: dict[str, list[tuple[Vector, Any]]],
) -> None:
    for vector, layers in dissected["ouch42"]:
        soup = layers["soupbintcp"]
        of_orders = soup["soupbintcp.packet_type"] in ("'U'", "'S'")
        assert int(soup["soupbintcp.packet_length"]) == len(vector.content) - 2, vector.name
        assert ("ouch" in layers) == of_orders, vector.name
        assert "_ws.malformed" not in layers, vector.name
        assert "ouch.unknown_message" not in layers.get("ouch", {}), vector.name


@pytest.mark.parametrize("schema", ["fix42", "fix44"])
def test_wireshark_finds_length_checksum_and_ids_right_in_fix(
    schema: str, dissected: dict[str, list[tuple[Vector, Any]]]
) -> None:
    for vector, layers in dissected[schema]:
        fix = layers["fix"]
        said = {**vector.said.get("values", {}), **vector.said.get("reads", {})}
        assert fix["fix.CheckSum_tree"]["fix.checksum_good"] == "1", vector.name
        assert int(fix["fix.BodyLength"]) == body_length(vector.content), vector.name
        assert "_ws.malformed" not in layers, vector.name
        if "id" in said:
            assert int(fix["fix.ClOrdID"]) == said["id"], vector.name
        if "sequence" in said:
            assert int(fix["fix.MsgSeqNum"]) == said["sequence"], vector.name


def dissect(directory: Path, schema: str, protocol: str) -> list[tuple[Vector, Any]]:
    """Every vector as a segment of one TCP connection, and what tshark says of it."""
    sent, came = vectors("requests", schema), vectors("replies", schema)
    capture = directory / f"{schema}.pcap"
    capture.write_bytes(
        pcap([(40_000, PORT, one.content) for one in sent])
        + b"".join(packets([(PORT, 40_000, one.content) for one in came]))
    )
    as_ = f"tcp.port=={PORT},{protocol}"
    done = subprocess.run(
        ["tshark", "-r", str(capture), "-d", as_, "-T", "json", "--no-duplicate-keys"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    layers = [packet["_source"]["layers"] for packet in json.loads(done.stdout)]
    return list(zip([*sent, *came], layers, strict=True))


def pcap(segments: list[tuple[int, int, bytes]]) -> bytes:
    """A capture file of raw IP packets (link type 101)."""
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101)
    return header + b"".join(packets(segments))


def packets(segments: list[tuple[int, int, bytes]]) -> list[bytes]:
    """The segments of one direction, one after another."""
    found, sequence = [], 1
    for source, to, content in segments:
        ports = struct.pack(">HHIIBB", source, to, sequence, 1, 0x50, 0x18)
        tcp = ports + struct.pack(">HHH", 65_535, 0, 0) + content
        loopback = b"\x7f\x00\x00\x01"
        length = 20 + len(tcp)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, 0, 0, 64, 6, 0, loopback, loopback)
        found.append(struct.pack("<IIII", 0, 0, length, length) + ip + tcp)
        sequence += len(content)
    return found


def body_length(content: bytes) -> int:
    """Bytes from MsgType to before CheckSum, counted here."""
    return content.rindex(b"10=") - content.index(b"35=")


def base_36(number: int) -> str:
    """14 digits and letters."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return digits.rjust(14, "0")
