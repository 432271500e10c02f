"""One log-on and one order by hand, to see whether an engine speaks what a schema says.

Slow and plain on purpose: no native code, every message shown, every wait bounded.
"""

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final, Protocol

from cluster.errors import EngineError
from cluster.protocol.compile import Compiled
from cluster.protocol.dump import MASKED, Dump, bytes_dump, reply_dump, request_dump
from cluster.protocol.examples import example_values
from cluster.protocol.fit import first_id
from cluster.protocol.frames import BrokenFrameError, frame_length
from cluster.protocol.inspect import Decoded, decode, encode, found_at, mismatches
from cluster.protocol.plan import FixFrame, Reply, SendRule

CONNECT_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 5.0
FRAMES_MAX: Final = 200  # of one wait: an engine that talks without end is not waited out
RECEIVE_BYTES: Final = 65_536
ANSWERS: Final = ("accepted", "rejected", "cancelled", "filled", "executed")
NS_PER_TENTH: Final = 100_000_000


class Transport(Protocol):
    """Bytes to an engine and back."""

    def send(self, content: bytes) -> None:
        """Send all of it."""
        ...

    def receive(self, timeout_s: float) -> bytes | None:
        """What came; empty: the engine has closed; None: nothing within the time."""
        ...


class TcpTransport:
    """A blocking socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def send(self, content: bytes) -> None:
        """Send all of it."""
        self._socket.settimeout(ANSWER_TIMEOUT_S)
        self._socket.sendall(content)

    def receive(self, timeout_s: float) -> bytes | None:
        """What came; empty: the engine has closed; None: nothing within the time."""
        self._socket.settimeout(max(0.001, timeout_s))
        try:
            return self._socket.recv(RECEIVE_BYTES)
        except TimeoutError:
            return None


@contextmanager
def connected(name: str, addresses: Sequence[str], port: int) -> Iterator[TcpTransport]:
    """A connection to an engine.

    Args:
        name: how messages call it.
        addresses: in digits; the first that answers is taken.
        port: of each.

    Raises:
        EngineError: it could not be opened, or broke.
    """
    try:
        with _opened(addresses, port) as connection:
            yield TcpTransport(connection)
    except OSError as error:
        raise EngineError(
            f"{name}:{port}: {error.strerror or error}",
            "is the engine up, and does it listen at this address and port?",
        ) from None


def _opened(addresses: Sequence[str], port: int) -> socket.socket:
    *others, last = addresses
    for address in others:
        with suppress(OSError):
            return socket.create_connection((address, port), CONNECT_TIMEOUT_S)
    return socket.create_connection((last, port), CONNECT_TIMEOUT_S)


@dataclass(frozen=True)
class Verdict:
    """What came of it."""

    answered: bool  # the order was answered as the schema says
    troubles: tuple[str, ...]
    limits: tuple[str, ...]  # what could not be tried, and why

    @property
    def ok(self) -> bool:
        """Whether the engine speaks what the schema says, as far as was tried."""
        return self.answered and not self.troubles


class TryOut:
    """Carries it out over a transport; every message goes to `say` as lines of text."""

    def __init__(
        self,
        compiled: Compiled,
        transport: Transport,
        secrets: Mapping[str, str],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._compiled = compiled
        self._plan = compiled.plan
        self._transport = transport
        self._secrets = [text.encode() for text in secrets.values() if text]
        self._say = say
        self._clock = clock
        self._values = example_values(compiled)
        self._values |= {f"secret.{name}": text for name, text in secrets.items()}
        tenth = time.time_ns() // NS_PER_TENTH % 864_000
        self._values["id"] = first_id(compiled, tenth)
        self._sequence = self._plan.session.first_sequence or 1
        self._buffer = b""
        self._closed = False
        self._troubles: list[str] = []
        self._limits: list[str] = []
        self._named: int | str | None = None  # by the last answer

    def carry_out(self) -> Verdict:
        """Log on, enter an order, cancel it, log out."""
        answered = False
        if self._log_on():
            answered = self._order()
            self._log_out()
        return Verdict(answered, tuple(self._troubles), tuple(self._limits))

    def _log_on(self) -> bool:
        logon = self._plan.session.logon
        if logon is None:
            return True
        self._send(logon.message)
        came = self._wait(logon.ns / 1e9, ("logged_on", "logon_refused", "logged_out"))
        if came is None:
            self._trouble("the log-on was not answered")
        elif came.means != "logged_on":
            self._trouble(f"the log-on was refused: `{came.name}` came")
        return came is not None and came.means == "logged_on"

    def _order(self) -> bool:
        rule = self._rule("new")
        if rule is None:
            self._trouble("there is no limit order to buy that could be sent")
            return False
        self._send(rule.message)
        came = self._wait(ANSWER_TIMEOUT_S, ANSWERS)
        if came is None:
            self._trouble("the order was not answered")
            return False
        cancel = self._rule("cancel")
        if came.means == "accepted" and cancel is not None and not self._closed:
            self._values["target"] = self._values["id"]
            self._values["id"] = int(self._values["id"]) + 1
            self._send(cancel.message)
            ended = self._wait(ANSWER_TIMEOUT_S, ("accepted", "rejected", "cancelled"))
            if ended is None:
                self._trouble("the cancel was not answered; the order may be in the book still")
            else:
                self._check_answer(cancel.message, ended)
        elif came.means == "rejected":
            self._limits.append("it rejected the order, so that nothing was to be cancelled")
        return True

    def _check_answer(self, name: str, reply: Reply) -> None:
        """Whether the cancel was answered under the id under which answers to it are waited for."""
        if self._plan.correlation == "order" or self._named == self._values["id"]:
            return
        if self._plan.message(name).answers_name == "own":
            request = name.partition("/")[0]
            self._trouble(
                f"`{reply.name}` names the order, and answers to `{request}` are looked for under "
                f"its own id: give `requests.{request}` `answers_name: target`"
            )

    def _log_out(self) -> None:
        logout = self._plan.session.logout
        if logout is None or self._closed:
            return
        self._send(logout.message)
        self._wait(logout.ns / 1e9, ("logged_out",), quiet=True)

    def _rule(self, action: str) -> SendRule | None:
        """How a limit order to buy is entered or cancelled."""
        return next(
            (
                rule
                for rule in self._plan.sends
                if (rule.action, rule.side) == (action, "buy") and rule.kind in ("", "limit")
            ),
            None,
        )

    def _send(self, name: str) -> None:
        message = self._plan.message(name)
        self._values["sequence"] = self._sequence
        self._values["next_sequence"] = self._sequence + 1
        self._values["time"] = time.time_ns()
        dump = request_dump(self._compiled, message, self._values)
        content = encode(self._plan, message, self._values)
        if any(getattr(p, "source", "") == "sequence" for c in message.chunks for p in c.patches):
            self._sequence += 1
        self._show("sent", dump)
        self._transport.send(content)

    def _wait(
        self, timeout_s: float, means: tuple[str, ...], *, quiet: bool = False
    ) -> Reply | None:
        """Show what comes until one of `means` does; None when it does not within the time."""
        until = self._clock() + timeout_s
        for _ in range(FRAMES_MAX):
            decoded = self._next(until, quiet=quiet)
            if decoded is None:
                return None
            if decoded.reply is not None and decoded.reply.means in means:
                return decoded.reply
            self._answer(decoded)
        self._trouble(f"{FRAMES_MAX} messages came, and none was waited for")
        return None

    def _next(self, until: float, *, quiet: bool) -> Decoded | None:
        """The next frame, shown; None when there is none."""
        while True:
            try:
                decoded = decode(self._plan, self._buffer)
            except BrokenFrameError as error:
                self._unframed(f"what came can't be a message: {error}")
                return None
            if decoded is not None:
                frame, self._buffer = (
                    self._buffer[: decoded.length],
                    self._buffer[decoded.length :],
                )
                self._came(decoded, frame)
                return decoded
            left_s = until - self._clock()
            content = self._transport.receive(left_s) if left_s > 0 and not self._closed else None
            if not content:
                self._closed |= content == b""
                self._nothing_more(quiet=quiet)
                return None
            self._buffer += content

    def _came(self, decoded: Decoded, frame: bytes) -> None:
        reply = decoded.reply
        if reply is None:
            self._show("came, unknown", bytes_dump("a message", frame))
            self._trouble(self._why_unknown(frame))
            return
        for name, value in decoded.values.items():
            if name.startswith("keep."):
                self._values[f"session.{name.removeprefix('keep.')}"] = value
        self._show(
            f"came, means {reply.means}", reply_dump(self._compiled, reply, frame, decoded.values)
        )
        self._check_id(reply, decoded.values)

    def _check_id(self, reply: Reply, values: Mapping[str, int | str]) -> None:
        if self._plan.correlation == "order" or reply.means not in ANSWERS:
            return
        known = {self._values["id"], self._values["target"]}
        self._named = values.get("id")
        if "id" not in values:
            self._trouble(f"`{reply.name}` came without a readable id")
        elif values["id"] not in known:
            self._trouble(
                f"`{reply.name}` names {values['id']}, and {self._values['id']} was sent: is the "
                "id described at the right place?"
            )

    def _answer(self, decoded: Decoded) -> None:
        """Answer what the session wants answered."""
        for reply, message in self._plan.session.answers:
            if decoded.reply is not None and decoded.reply.name == reply:
                self._send(message)

    def _why_unknown(self, frame: bytes) -> str:
        """The reply that it resembles most, and where they differ."""
        if not self._plan.replies:
            return "it is no reply of the schema"
        nearest = min(
            self._plan.replies,
            key=lambda reply: (
                len(mismatches(self._plan, reply, frame)) - len(reply.matches),
                abs(len(frame) - reply.length),
            ),
        )
        where = "tag" if isinstance(self._plan.frame, FixFrame) else "byte"
        differences = []
        for match in mismatches(self._plan, nearest, frame):
            found = found_at(self._plan, match, frame)
            has = "is not there" if not found else f"is {_shown(found)}"
            differences.append(f"{where} {match.at} {has} where {_shown(match.expected)} should be")
        if nearest.exact and len(frame) != nearest.length:
            differences.append(f"it has {len(frame)} bytes and not {nearest.length}")
        if len(frame) < nearest.length:
            differences.append(f"it has {len(frame)} bytes, which is less than {nearest.length}")
        return (
            f"a message of {len(frame)} bytes is no reply of the schema; it is most like "
            f"`{nearest.name}`, but {'; '.join(dict.fromkeys(differences))}"
        )

    def _nothing_more(self, *, quiet: bool) -> None:
        if self._buffer:
            length = None
            with suppress(BrokenFrameError):
                length = frame_length(self._plan.frame, self._buffer)
            says = f"{length} bytes make a message" if length else "that is no whole message"
            self._unframed(f"{len(self._buffer)} bytes came, and by `framing` {says}")
        elif self._closed and not quiet:
            self._trouble("the engine closed the connection")

    def _unframed(self, sentence: str) -> None:
        self._show("came", bytes_dump("bytes", self._buffer))
        self._trouble(sentence)
        self._buffer = b""

    def _show(self, what: str, dump: Dump) -> None:
        lines = tuple(
            replace(line, masked=True, value=MASKED)
            if any(secret in line.content for secret in self._secrets)
            else line
            for line in dump.lines
        )
        heading, *rest = replace(dump, lines=lines).as_text()
        self._say(f"{what}: {heading}")
        for line in rest:
            self._say(line)
        self._say("")

    def _trouble(self, sentence: str) -> None:
        self._troubles.append(sentence)
        self._say(f"TROUBLE: {sentence}")
        self._say("")


def _shown(content: bytes) -> str:
    text = content.decode("ascii", "replace")
    readable = f" ({text})" if text.isprintable() and text.isascii() else ""
    return content.hex(" ") + readable
