"""Small engines of FIX 4.4 and OUCH 4.2 that accept everything and keep what they were sent."""

import re
import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Final

from fakes.acceptor import AcceptingEngine

FIX_MESSAGE: Final = re.compile(rb"8=FIX\.4\.4\x019=(\d+)\x01")
TRAILER_BYTES: Final = len("10=000|")
EXEC_TYPES: Final = {b"D": b"0", b"G": b"5", b"F": b"4"}  # new, replaced, canceled
TOKEN_BYTES: Final = 14


class RecordingEngine(AcceptingEngine, ABC):
    """Takes whole messages off the stream; subclasses say where one ends and what answers it."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list[bytes] = []  # requests of orders, each as it came

    @abstractmethod
    def messages(self, pending: bytes) -> Iterator[bytes]:
        """The whole messages at the beginning of `pending`."""

    @abstractmethod
    def answered(self, connection: socket.socket, message: bytes) -> bytes:
        """What answers a message."""

    def _answers(self, connection: socket.socket, data: bytes) -> bytes | None:
        pending = self._pending[connection] + data
        replies = b""
        for message in self.messages(pending):
            replies += self.answered(connection, message)
            pending = pending[len(message) :]
        self._pending[connection] = pending
        return replies


class RecordingFix(RecordingEngine):
    """FIX 4.4: every order is new, replaced or canceled as asked."""

    def __init__(self) -> None:
        super().__init__()
        self._sent: dict[socket.socket, int] = {}

    def messages(self, pending: bytes) -> Iterator[bytes]:
        """As the BodyLength says."""
        while found := FIX_MESSAGE.match(pending):
            end = found.end() + int(found[1]) + TRAILER_BYTES
            if len(pending) < end:
                return
            yield pending[:end]
            pending = pending[end:]

    def answered(self, connection: socket.socket, message: bytes) -> bytes:
        """Logon, an execution report, or the last word."""
        fields = fix_fields(message)
        match fields[35]:
            case b"A":
                return self._said(connection, b"A", b"98=0\x01108=1\x01")
            case b"5":
                return self._said(connection, b"5", b"")
            case b"D" | b"G" | b"F" as kind:
                self.received.append(message)
                body = b"11=%s\x01150=%s\x01" % (fields[11], EXEC_TYPES[kind])
                return self._said(connection, b"8", body)
        return b""

    def _said(self, connection: socket.socket, kind: bytes, body: bytes) -> bytes:
        number = self._sent[connection] = self._sent.get(connection, 0) + 1
        inner = b"35=%s\x0149=ENGINE\x0156=CLIENT\x0134=%d\x01%s" % (kind, number, body)
        message = b"8=FIX.4.4\x019=%d\x01%s" % (len(inner), inner)
        return message + b"10=%03d\x01" % (sum(message) % 256)


class RecordingOuch(RecordingEngine):
    """OUCH 4.2 over SoupBinTCP: every order is accepted, replaced or canceled as asked."""

    def messages(self, pending: bytes) -> Iterator[bytes]:
        """As the packet length says."""
        while len(pending) >= 2 + 1:
            end = 2 + int.from_bytes(pending[:2])
            if len(pending) < end:
                return
            yield pending[:end]
            pending = pending[end:]

    def answered(self, connection: socket.socket, message: bytes) -> bytes:  # noqa: ARG002 - as FIX
        """Log-in, or what OUCH says of an order."""
        kind, body = message[2:3], message[3:]
        if kind == b"L":
            return _packet(b"A" + b"SESSION".rjust(10) + b"1".rjust(20))
        if kind != b"U":
            return b""
        self.received.append(body)
        token = body[1 : 1 + TOKEN_BYTES]
        match body[:1]:
            case b"O":
                return _packet(b"SA" + bytes(8) + token + bytes(41) + b"L" + b" ")
            case b"X":
                return _packet(b"SC" + bytes(8) + token + struct.pack(">I", 1) + b"U")
        new = body[1 + TOKEN_BYTES : 1 + 2 * TOKEN_BYTES]
        return _packet(b"SU" + bytes(8) + new + bytes(41) + b"L" + token + b" ")


def fix_fields(message: bytes) -> dict[int, bytes]:
    """The fields of a message by tag."""
    pairs = (field.partition(b"=") for field in message.split(b"\x01") if field)
    return {int(tag): value for tag, _, value in pairs}


def _packet(content: bytes) -> bytes:
    return len(content).to_bytes(2) + content
