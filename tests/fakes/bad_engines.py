"""Engines that misbehave, each in one way."""

import time

from fakes.acceptor import AcceptingEngine


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
