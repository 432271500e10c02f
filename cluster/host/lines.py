"""Bytes that arrive in pieces, taken line by line."""

LONGEST_LINE_BYTES = 65_536


class Lines:
    """Collects bytes and gives back whole lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Add what has arrived. What is no line after 64 KiB is dropped: nobody waits for it."""
        self._rest += data
        if len(self._rest) > LONGEST_LINE_BYTES and b"\n" not in self._rest:
            self._rest = b""

    def take(self) -> str | None:
        """The next whole line without its newline, or None."""
        line, newline, rest = self._rest.partition(b"\n")
        if not newline:
            return None
        self._rest = rest
        return line.decode(errors="replace")
