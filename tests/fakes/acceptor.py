"""A small orderwire engine in a thread, for tests that need one of known behaviour."""

import selectors
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Self

HEADER = struct.Struct("<HBBI")
ID = struct.Struct("<Q")
REPLY = struct.Struct("<HBBIQQQ")
ACCEPTED = 0x81


class AcceptingEngine:
    """Accepts every order. Subclasses change what `answer` gives."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._pending: dict[socket.socket, bytes] = {}
        self.requests = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(5)
        self._listener.close()

    def answer(self, request: bytes) -> bytes | None:
        """The bytes that answer a whole request; None closes the connection."""
        symbol = HEADER.unpack_from(request)[3]
        (order_id,) = ID.unpack_from(request, HEADER.size)
        now_ns = time.monotonic_ns()
        return REPLY.pack(REPLY.size, ACCEPTED, 0, symbol, order_id, now_ns, now_ns)

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while not self._stop.is_set():
                for key, _ in selector.select(0.05):
                    if key.fileobj is self._listener:
                        connection, _ = self._listener.accept()
                        selector.register(connection, selectors.EVENT_READ)
                        self._pending[connection] = b""
                    else:
                        self._read(selector, key.fileobj)  # type: ignore[arg-type]  # a socket
            for connection in self._pending:
                connection.close()

    def _read(self, selector: selectors.BaseSelector, connection: socket.socket) -> None:
        try:
            data = connection.recv(65536)
            replies = self._answers(connection, data) if data else None
            if replies is not None:
                connection.sendall(replies)
                return
        except OSError:
            pass
        selector.unregister(connection)
        del self._pending[connection]
        connection.close()

    def _answers(self, connection: socket.socket, data: bytes) -> bytes | None:
        pending = self._pending[connection] + data
        replies = b""
        while len(pending) >= HEADER.size + ID.size:
            (length, *_) = HEADER.unpack_from(pending)
            if len(pending) < length:
                break
            reply = self.answer(pending[:length])
            if reply is None:
                return None
            self.requests += 1
            replies += reply
            pending = pending[length:]
        self._pending[connection] = pending
        return replies
