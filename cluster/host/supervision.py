"""The conversation with one supervisor: questions, answers and the heartbeat."""

import itertools
import threading
import time
from dataclasses import dataclass

from cluster.errors import ConnectionFailed, HostError
from cluster.host.protocol import RunningCommand

_LOOK_S = 0.5


@dataclass(frozen=True)
class Words:
    """A line of the supervisor and when it was heard, in the driver's CLOCK_MONOTONIC."""

    words: tuple[str, ...]
    heard_ns: int


class Supervision:
    """One thread listens to the supervisor and sends it the heartbeat; anybody may ask."""

    def __init__(self, host: str, label: str, running: RunningCommand, beat_s: float) -> None:
        self._host = host
        self._label = label
        self._running = running
        self._beat_s = beat_s
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._ready: Words | None = None
        self._answers: dict[str, Words] = {}
        self._awaited: set[str] = set()
        self._ended: Words | None = None
        self._lost: ConnectionFailed | None = None
        self._silent = False  # it has closed its stdout: nothing more will come
        self._closing = threading.Event()
        self._thread = threading.Thread(
            target=self._listen, name=f"supervise {label} on {host}", daemon=True
        )
        self._thread.start()

    def ready(self, timeout_s: float) -> Words:
        """Its first line. Raises HostError, ConnectionFailed."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._over, timeout_s)
            if self._ready is not None:
                return self._ready
            self._raise_if_lost()
        if self._running.poll() == 127:  # noqa: PLR2004 - the shell's "not found"
            return Words(("missing", "bash"), time.monotonic_ns())
        raise HostError(self._host, f"the supervisor of {self._label} did not come up")

    def ask(
        self, question: str, *details: str, timeout_s: float, end_is_an_answer: bool = False
    ) -> Words:
        """Send a question and wait for its answer.

        With `end_is_an_answer`, the line that tells the end will do.

        Raises:
            HostError: no answer in time, or the command has ended.
            ConnectionFailed: the connection was lost.
        """
        number = str(next(self._numbers))
        with self._changed:
            self._awaited.add(number)
        self._tell(" ".join([question, number, *details]))
        with self._changed:
            self._changed.wait_for(lambda: number in self._answers or self._over, timeout_s)
            self._awaited.discard(number)
            if (answer := self._answers.pop(number, None)) is not None:
                return answer
            self._raise_if_lost()
            if self._ended is not None and end_is_an_answer:
                return self._ended
            if self._over:
                raise HostError(self._host, f"{self._label} has ended")
        raise HostError(
            self._host, f"the supervisor of {self._label} did not answer in {timeout_s:g} s"
        )

    def wait(self, timeout_s: float) -> None:
        """Wait until there is nothing more to hear, at most `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._over, timeout_s)

    def alive(self) -> bool:
        """Whether the command runs, as far as was heard. Raises ConnectionFailed."""
        with self._changed:
            self._raise_if_lost()
            return not self._over

    def end(self, timeout_s: float) -> Words | None:
        """Have it end its command; what it says then, or None when it was killed itself.

        Raises:
            ConnectionFailed: the connection was lost.
            HostError: the command did not end.
        """
        if self.alive():
            self._tell(f"stop {max(1, round(timeout_s))}")
        with self._changed:
            # SIGKILL comes after `timeout_s`; the rest is for the way and a busy host.
            self._changed.wait_for(lambda: self._over, timeout_s + 10)
            if self._ended is not None:
                return self._ended
            self._raise_if_lost()
            if self._silent:
                return None
        raise HostError(self._host, f"{self._label} did not end")

    def close(self) -> None:
        """Let the supervisor go; it ends its command if that still runs. Idempotent."""
        self._closing.set()
        self._running.close_stdin()
        if self._thread is not threading.current_thread():
            self._thread.join(2 * _LOOK_S)
        self._running.close()

    @property
    def _over(self) -> bool:
        return self._ended is not None or self._lost is not None or self._silent

    def _raise_if_lost(self) -> None:
        if self._lost is not None:
            raise ConnectionFailed(
                self._host,
                f"the connection was lost while {self._label} ran",
                "its supervisor has ended it on the host",
            ) from self._lost

    def _tell(self, line: str) -> None:
        try:
            self._running.write(f"{line}\n".encode())
        except ConnectionFailed:
            # The end of its output says more: it ended, was killed, or the connection is gone.
            with self._changed:
                self._changed.wait_for(lambda: self._over, 5)

    def _listen(self) -> None:
        next_beat = time.monotonic() + self._beat_s
        while not self._closing.is_set():
            try:
                line = self._running.read_line(min(_LOOK_S, self._beat_s))
            except EOFError:
                self._note(silent=True)
                return
            except ConnectionFailed as error:
                self._note(lost=error)
                return
            if line is not None:
                self._hear(Words(tuple(line.split()), time.monotonic_ns()))
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + self._beat_s
                self._beat()

    def _beat(self) -> None:
        try:
            self._running.write(b"hb\n")
        except ConnectionFailed:
            return  # reading tells what has happened

    def _hear(self, answer: Words) -> None:
        if not answer.words:
            return
        with self._changed:
            match answer.words[0]:
                case "ready" | "missing" | "nodirectory" | "failed":
                    self._ready = answer
                case "ended":
                    self._ended = answer
                case "ack" | "noack" | "clock" if answer.words[1] in self._awaited:
                    self._answers[answer.words[1]] = answer
            self._changed.notify_all()

    def _note(self, *, silent: bool = False, lost: ConnectionFailed | None = None) -> None:
        with self._changed:
            self._silent = self._silent or silent
            self._lost = lost
            self._changed.notify_all()
