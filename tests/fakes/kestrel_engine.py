"""An engine that speaks Kestrel Order Entry 1.3, written from the specification in docs/kestrel.md.

It shares no code with loadcluster, so that what the two agree on is what the specification says.

    python kestrel_engine.py PORT [SECRET]

PORT 0 takes a free one; the first line says which. On SIGTERM it prints, as JSON, what it counted.
"""

import asyncio
import json
import signal
import struct
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field

INSTRUMENTS = {f"K{number:05}" for number in range(1, 1001)}
UNKNOWN_ORDER, USED_BEFORE, UNKNOWN_INSTRUMENT, BAD_PRICE, BAD_QUANTITY, WRONG_TOKEN = range(1, 7)
ON_REQUEST, IMMEDIATE, MARKET = 1, 2, 3
HEARTBEAT_S, SILENT_S, PING_S, ANSWER_PING_S = 1.0, 5.0, 2.0, 1.0
LENGTHS = {"L": 24, "H": 8, "G": 8, "N": 31, "M": 28, "C": 20}  # of the bodies


def table_entry(crc):
    for _ in range(8):
        crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


TABLE = [table_entry(byte) for byte in range(256)]


def crc32c(content):
    crc = 0xFFFFFFFF
    for byte in content:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def u48(number):
    return number.to_bytes(6, "little")


def now():
    """µs since midnight UTC, as the specification has times."""
    return u48(time.time_ns() // 1_000 % 86_400_000_000)


def message(kind, body=b""):
    covered = (len(body) + 5).to_bytes(3, "little") + kind.encode() + body
    return covered + struct.pack("<I", crc32c(covered))


@dataclass
class Order:
    number: int
    instrument: str
    is_buy: bool
    price: int
    left: int
    session: "Session"


@dataclass
class Book:
    """Resting orders of one instrument: by price, and at a price by age."""

    bids: dict = field(default_factory=dict)
    asks: dict = field(default_factory=dict)

    def side(self, is_buy):
        return self.bids if is_buy else self.asks

    def best_against(self, order, is_market):
        """The oldest order at the best price that `order` can trade with."""
        other = self.side(not order.is_buy)
        if not other:
            return None
        price = min(other) if order.is_buy else max(other)
        crosses = price <= order.price if order.is_buy else price >= order.price
        return other[price][0] if crosses or is_market else None

    def rest(self, order):
        self.side(order.is_buy).setdefault(order.price, deque()).append(order)

    def take_out(self, order):
        side = self.side(order.is_buy)
        side[order.price].remove(order)
        if not side[order.price]:
            del side[order.price]


class Engine:
    def __init__(self, secret):
        self.secret = secret
        self.books = {name: Book() for name in INSTRUMENTS}
        self.living = {}
        self.used = set()
        self.sessions = set()
        self.counts = Counter()

    async def serve(self, reader, writer):
        session = Session(self, reader, writer)
        try:
            await session.carry_out()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.counts["hung up"] += 1
        except Breach as breach:
            self.counts[f"breach: {breach}"] += 1
        finally:
            self.sessions.discard(session)
            writer.close()

    def enter(self, order, life, is_market, arrived):
        """An order that was found right: executed as far as possible, then rests or is done."""
        order.session.send("A", u48(order.number) + arrived + now())
        self.counts["accepted"] += 1
        book = self.books[order.instrument]
        while order.left:
            resting = book.best_against(order, is_market)
            if resting is None:
                break
            self.execute(order, resting, min(order.left, resting.left))
            if not resting.left:
                book.take_out(resting)
                del self.living[resting.number]
        if order.left and life == 0:
            book.rest(order)
            self.living[order.number] = order
        elif order.left:
            self.done(order, order.session, MARKET if is_market else IMMEDIATE)

    def execute(self, order, resting, quantity):
        for one in (order, resting):
            one.left -= quantity
            body = struct.pack("<iII", resting.price, quantity, one.left)
            one.session.send("E", u48(one.number) + body + now())
            self.counts["executed"] += 1
        trade = order.instrument.encode() + struct.pack("<iI", resting.price, quantity)
        for session in self.sessions:
            session.send("T", trade)

    def done(self, order, session, why):
        session.send("D", u48(order.number) + struct.pack("<BI", why, order.left))
        self.counts[f"done {why}"] += 1


class Breach(Exception):
    """The client did what the specification forbids; the session ends."""


class Session:
    def __init__(self, engine, reader, writer):
        self.engine, self.reader, self.writer = engine, reader, writer
        self.token = b""
        self.sent_at = self.heard_at = self.pinged_at = time.monotonic()
        self.ping_answered = True

    def send(self, kind, body=b""):
        self.sent_at = time.monotonic()
        if not self.writer.is_closing():
            self.writer.write(message(kind, body))

    async def receive(self):
        length = int.from_bytes(prefix := await self.reader.readexactly(3), "little")
        if not 5 <= length <= 255:
            raise Breach("length")
        rest = await self.reader.readexactly(length)
        if struct.unpack("<I", rest[-4:])[0] != crc32c(prefix + rest[:-4]):
            raise Breach("crc")
        kind, body = chr(rest[0]), rest[1:-4]
        if LENGTHS.get(kind) != len(body):
            raise Breach(f"a message {kind} with a body of {len(body)} bytes")
        self.heard_at = time.monotonic()
        self.engine.counts[kind] += 1
        return kind, body

    async def carry_out(self):
        kind, body = await self.receive()
        if kind != "L":
            raise Breach("no Logon")
        if body[8:].rstrip(b" ").decode() != self.engine.secret:
            self.engine.counts["refused"] += 1
            return self.send("X", struct.pack("<H", 2 if body[:8].strip() else 1))
        self.token = f"{len(self.engine.sessions) + 1:>04}{time.time_ns() % 10_000:>04}".encode()
        self.send("W", self.token + struct.pack("<I", int(time.strftime("%Y%m%d", time.gmtime()))))
        self.engine.sessions.add(self)
        watch = asyncio.get_running_loop().create_task(self.watch())
        try:
            while kind != "G":
                kind, body = await self.receive()
                self.handle(kind, body, now())
            await self.writer.drain()
        finally:
            watch.cancel()

    async def watch(self):
        """Heartbeats, pings, and the end of a client that is silent."""
        while True:
            await asyncio.sleep(0.1)
            at = time.monotonic()
            late = not self.ping_answered and at - self.pinged_at > ANSWER_PING_S
            if at - self.heard_at > SILENT_S or late:
                self.engine.counts["silent"] += 1
                return self.writer.transport.abort()
            if at - self.sent_at >= HEARTBEAT_S:
                self.send("h")
            if at - self.pinged_at >= PING_S:
                self.pinged_at, self.ping_answered = at, False
                self.engine.counts["pings"] += 1
                self.send("P")

    def handle(self, kind, body, arrived):
        token, body = body[:8], body[8:]
        if kind in "HG":
            if token != self.token:
                raise Breach("token")
            self.ping_answered = True
            if kind == "G":
                self.send("F")
            return
        number = int.from_bytes(body[:6], "little")
        reason = WRONG_TOKEN if token != self.token else self.act(kind, number, body[6:], arrived)
        if reason:
            self.engine.counts["rejected"] += 1
            self.engine.counts[f"reason {reason}"] += 1
            self.send("J", u48(number) + struct.pack("<H", reason) + now())

    def act(self, kind, number, body, arrived):
        """Do what is asked; the reason, if that can't be."""
        if number == 0 or number in self.engine.used:
            return USED_BEFORE
        self.engine.used.add(number)
        if kind == "N":
            return self.new(number, body, arrived)
        order = self.engine.living.get(int.from_bytes(body[:6], "little"))
        if order is None or order.session is not self:
            return UNKNOWN_ORDER
        if kind == "C":
            self.take_out(order)
            return self.engine.done(order, self, ON_REQUEST)
        price, quantity = struct.unpack("<iI", body[6:])
        if price <= 0 or not quantity:
            return BAD_QUANTITY if price > 0 else BAD_PRICE
        self.take_out(order)
        changed = Order(number, order.instrument, order.is_buy, price, quantity, self)
        return self.engine.enter(changed, 0, is_market=False, arrived=arrived)

    def take_out(self, order):
        self.engine.books[order.instrument].take_out(order)
        del self.engine.living[order.number]

    def new(self, number, body, arrived):
        name, side, kind, life, price, quantity = struct.unpack("<6scBBiI", body)
        instrument = name.decode()
        if instrument not in INSTRUMENTS:
            return UNKNOWN_INSTRUMENT
        if side not in b"BS" or (kind, life) not in {(1, 0), (1, 3), (2, 3)}:
            raise Breach("side, kind or life")
        if price <= 0 if kind == 1 else price != 0:
            return BAD_PRICE
        if not quantity:
            return BAD_QUANTITY
        order = Order(number, instrument, side == b"B", price, quantity, self)
        return self.engine.enter(order, life, is_market=kind == 2, arrived=arrived)


async def main(port, secret):
    engine = Engine(secret)
    server = await asyncio.start_server(engine.serve, "127.0.0.1", port)
    print(f"kestrel engine on port {server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    print(json.dumps(engine.counts), flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "kestrel"))
