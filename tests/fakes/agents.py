"""Agents that need no engine: they answer every order at once, in a clock that tests move."""

from dataclasses import dataclass, field

from cluster import __version__
from cluster.fleet.agent import Closing, Place, Poll, Way
from cluster.fleet.limits import Limits
from cluster.fleet.remains import Remains
from cluster.fleet.spec import LoadSpec
from cluster.host.identity import Identity
from cluster.results.agent import Interval, Progress
from cluster.results.histogram import Histogram
from cluster.results.orders import OrderCounts
from cluster.units import NS_PER_S


class FakeClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self, now_ns: int = 1_000 * NS_PER_S) -> None:
        self.time_ns = now_ns

    def now_ns(self) -> int:
        """The time."""
        return self.time_ns

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.time_ns += round(seconds * NS_PER_S)


@dataclass
class FakeAgent:
    """An agent whose engine answers each order after `response_ns`, in virtual time."""

    clock: FakeClock
    host: str = "load-1"
    response_ns: int = 50_000
    refuses: bool = False
    dies_after_s: int | None = None
    connections_after_s: dict[int, int] = field(default_factory=dict)
    time_out_ratio: float = 0.0
    refuses_end: bool = False
    source_ends_after_s: int | None = None  # its file is at its end
    connections_kept: int = 0  # after it was closed
    open_files_max: int | None = None
    offset_ns: int = 0  # of its clock
    begins_late_ns: int = 0
    silent: bool = False  # its clock can't be asked
    way: Way = field(default_factory=lambda: Way("10.0.0.2", own=False))
    identity: Identity | None = None
    calls: list[str] = field(default_factory=list)
    ends_ns: list[int] = field(default_factory=list)  # as told while it sent
    _spec: LoadSpec | None = None
    _start_ns: int = 0
    _stopped_ns: int | None = None
    _told: int = 0

    def place(self) -> Place:
        """See `Agent.place`."""
        return Place(self.host, 1, __version__, 2, identity=self.identity)

    def way_to(self, address: str, port: int) -> Way:
        """See `Agent.way_to`."""
        assert address
        assert port > 0
        return self.way

    def limits(self) -> Limits:
        """See `Agent.limits`."""
        return Limits(self.host, 1, self.open_files_max, 10, None)

    def clock_ns(self) -> int:
        """See `Agent.clock_ns`."""
        if self.silent:
            raise RuntimeError("the actor died")
        return self._now_ns()

    def prepare(self, spec: LoadSpec) -> None:
        """See `Agent.prepare`."""
        self.calls.append("prepare")
        self._spec, self._told, self._stopped_ns, self.ends_ns = spec, 0, None, []

    def connect(self, timeout_ns: int) -> int:
        """See `Agent.connect`."""
        self.calls.append("connect")
        assert timeout_ns > 0
        if self.refuses:
            raise ConnectionRefusedError("connect to 127.0.0.1:9001: Connection refused")
        assert self._spec is not None
        return self._spec.share.connections

    def start_at(self, start_ns: int) -> None:
        """See `Agent.start_at`."""
        self.calls.append("start")
        self._start_ns = start_ns

    def end_at(self, end_ns: int) -> None:
        """See `Agent.end_at`."""
        self.calls.append("end_at")
        if self.refuses_end:
            raise RuntimeError("no end is taken")
        assert self._now_ns() < end_ns
        self.ends_ns.append(end_ns)

    def poll(self) -> Poll:
        """See `Agent.poll`."""
        self.calls.append("poll")
        elapsed_s = self._elapsed_s()
        if self.dies_after_s is not None and elapsed_s >= self.dies_after_s:
            raise RuntimeError("the actor died")
        intervals = tuple(self._interval(k) for k in range(self._told, elapsed_s))
        self._told = max(self._told, elapsed_s)
        return Poll(self._progress(elapsed_s), intervals)

    def stop(self) -> None:
        """See `Agent.stop`."""
        self.calls.append("stop")
        self._stopped_ns = self._now_ns()

    def finish(self, timeout_ns: int) -> Closing:
        """See `Agent.finish`."""
        self.calls.append("finish")
        assert timeout_ns > 0
        return Closing(
            self.poll(),
            complete=True,
            tcp=None,
            workers=(),
            peak_rss_bytes=1,
            began_ns=self._start_ns + self.begins_late_ns,
        )

    def remains(self) -> Remains:
        """See `Agent.remains`."""
        self.calls.append("remains")
        return Remains(threads=0, connections=self.connections_kept)

    def close(self) -> None:
        """See `Agent.close`."""
        self.calls.append("close")

    def _now_ns(self) -> int:
        return self.clock.now_ns() + self.offset_ns

    def _elapsed_s(self) -> int:
        assert self._spec is not None
        end_ns = min([self._start_ns + self._spec.duration_ns, *self.ends_ns])
        if self.source_ends_after_s is not None:
            end_ns = min(end_ns, self._start_ns + self.source_ends_after_s * NS_PER_S)
        now_ns = min(self._now_ns(), end_ns, self._stopped_ns or end_ns)
        return max(0, (now_ns - self._start_ns) // NS_PER_S)

    def _orders(self, seconds: int) -> OrderCounts:
        assert self._spec is not None
        sent = round(self._spec.share.rate_per_s * seconds)
        timed_out = round(sent * self.time_out_ratio)
        return OrderCounts(intended=sent, sent=sent, accepted=sent - timed_out, timed_out=timed_out)

    def _interval(self, index: int) -> Interval:
        orders = self._orders(1)
        answers = Histogram.from_values([self.response_ns] * orders.accepted)
        lag = Histogram.from_values([100] * orders.sent)
        return Interval(index, orders, answers, answers, lag, answers)

    def _progress(self, elapsed_s: int) -> Progress:
        assert self._spec is not None
        connections = self._spec.share.connections
        for second, left in sorted(self.connections_after_s.items()):
            if elapsed_s >= second:
                connections = left
        return Progress(
            time_ns=self._now_ns(),
            orders=self._orders(elapsed_s),
            in_flight=0,
            backlog=0,
            connections_open=connections,
            finished=self._source_ended(elapsed_s),
            source_ended="the file is at its end" if self._source_ended(elapsed_s) else "",
            source_ended_ns=elapsed_s * NS_PER_S if self._source_ended(elapsed_s) else 0,
            errors={"closed_by_engine": self._spec.share.connections - connections},
        )

    def _source_ended(self, elapsed_s: int) -> bool:
        return self.source_ends_after_s is not None and elapsed_s >= self.source_ends_after_s
