"""Engines that misbehave, each in one way."""

import selectors
import socket
import time

from fakes.acceptor import ACCEPTED, HEADER, ID, REPLY, AcceptingEngine

UNKNOWN_TYPE = 0x99
TCP_REPAIR = 19


class SilentEngine(AcceptingEngine):
    """Accepts connections and never answers."""

    def answer(self, request: bytes) -> bytes | None:  # noqa: ARG002  (it does not even look)
        """Nothing."""
        return b""


class ClosingEngine(AcceptingEngine):
    """Closes a connection at its first order."""

    def answer(self, request: bytes) -> bytes | None:  # noqa: ARG002  (whatever it is)
        """The end."""
        return None


class GarbageEngine(AcceptingEngine):
    """Answers with bytes that are no message."""

    def answer(self, request: bytes) -> bytes | None:  # noqa: ARG002  (whatever it is)
        """Nonsense, with an oversized length."""
        return b"\xff" * 64


class DelayingEngine(AcceptingEngine):
    """Serves one order after the other, each in a fixed time: its capacity is 1 / delay_s."""

    def __init__(self, delay_s: float) -> None:
        super().__init__()
        self._delay_s = delay_s

    def answer(self, request: bytes) -> bytes | None:
        """Accepted, after the delay."""
        end_s = time.monotonic() + self._delay_s
        while time.monotonic() < end_s:
            pass
        return super().answer(request)


class ConfusedEngine(AcceptingEngine):
    """Answers each order twice, one that was never sent, and says what nobody understands."""

    def answer(self, request: bytes) -> bytes | None:
        """Four messages, of which the first is right."""
        (order_id,) = ID.unpack_from(request, HEADER.size)
        answer = super().answer(request) or b""
        never_sent = REPLY.pack(REPLY.size, ACCEPTED, 0, 0, order_id + 10**12, 0, 0)
        unknown = REPLY.pack(REPLY.size, UNKNOWN_TYPE, 0, 0, order_id, 0, 0)
        return answer + answer + never_sent + unknown


class VanishingEngine(AcceptingEngine):
    """Is gone after so many orders as a machine without power is: its connections say nothing."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after

    def _read(self, selector: selectors.BaseSelector, connection: socket.socket) -> None:
        if connection not in self._pending:
            return  # what had come from it before it was gone
        super()._read(selector, connection)
        if self.requests < self._after:
            return
        for lost in self._pending:
            # A socket under repair is closed without a word to the other side.
            lost.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
            selector.unregister(lost)
            lost.close()
        self._pending.clear()


class RefusingFixEngine(AcceptingEngine):
    """Answers every FIX logon with a logout whose text is made for terminals."""

    text = b"\x1b[2J\x1b]0;owned\x07go away"

    def _answers(self, connection: socket.socket, data: bytes) -> bytes | None:  # noqa: ARG002
        fields = b"35=5\x0149=ENGINE\x0134=1\x0158=" + self.text + b"\x01"
        message = b"8=FIX.4.4\x019=%d\x01" % len(fields) + fields
        return message + b"10=%03d\x01" % (sum(message) % 256)


class SilentFixEngine(AcceptingEngine):
    """Takes a logon and never answers it."""

    def _answers(self, connection: socket.socket, data: bytes) -> bytes | None:  # noqa: ARG002
        return b""
