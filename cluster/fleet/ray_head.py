"""The head of a joined Ray cluster: whether it can be reached."""

import socket
from typing import Final

REACH_TIMEOUT_S: Final = 5.0


class Head:
    """Without its head Ray waits long for what it can't do any more."""

    def __init__(self, address: str | None) -> None:
        """None: an embedded Ray, which lives and ends with this process."""
        self._address = address
        self._why_gone = ""

    def why_gone(self) -> str:
        """Why nobody answers there; empty: somebody does. Once gone it stays so."""
        if self._address is not None and not self._why_gone:
            try:
                reach(self._address)
            except OSError as error:
                self._why_gone = (
                    f"nobody answers at {self._address}: {error.strerror or 'no answer in time'}"
                )
        return self._why_gone


def reach(address: str) -> None:
    """Connect to `HOST:PORT` and leave; other forms of an address are Ray's own to judge.

    Ray itself tries for minutes before it says that nobody listens.

    Raises:
        OSError: nobody does.
    """
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_TIMEOUT_S).close()
