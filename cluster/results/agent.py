"""What one agent measured during one level."""

from dataclasses import dataclass, field

from cluster.results.clock import ClockReading
from cluster.results.histogram import Histogram
from cluster.results.orders import OrderCounts
from cluster.results.over_time import Activity, Slots
from cluster.results.replies import ReplyCounts

# Of every order. `other_reply` is a quantity of some orders only.
QUANTITIES = ("response", "service", "send_lag", "engine")


@dataclass(frozen=True)
class Interval:
    """All orders of one agent whose intended time lies in second `index` of the level.

    Only `other_reply` is by the second in which it came: the time from intended to the last reply
    of orders with several, when the first is timed; to their first, when the last is.
    """

    index: int
    orders: OrderCounts
    response: Histogram
    service: Histogram
    send_lag: Histogram
    engine: Histogram  # engine time: replied - received on the engine's clock
    other_reply: Histogram = field(default_factory=Histogram.empty)
    slots: Slots = field(default_factory=Slots.empty)

    def __add__(self, other: "Interval") -> "Interval":
        """Merge another agent's or worker's interval of the same second, exactly."""
        if self.index != other.index:
            raise ValueError(f"intervals of seconds {self.index} and {other.index} do not merge")
        return Interval(
            self.index,
            self.orders + other.orders,
            self.response + other.response,
            self.service + other.service,
            self.send_lag + other.send_lag,
            self.engine + other.engine,
            self.other_reply + other.other_reply,
            self.slots + other.slots,
        )


@dataclass(frozen=True)
class Progress:
    """Where one agent's load stands; counts are cumulative since the level's start."""

    time_ns: int  # the agent's monotonic clock
    orders: OrderCounts
    in_flight: int
    backlog: int
    connections_open: int
    finished: bool
    errors: dict[str, int] = field(default_factory=dict)
    replies: ReplyCounts = field(default_factory=ReplyCounts)
    source_ended: str = ""  # why no more orders come; empty: they do, or need no source
    source_failed: bool = False  # it was cut short: `source_ended` says by what
    source_ended_ns: int = 0  # after the start: when another would have been due; closed-loop 0


@dataclass(frozen=True)
class WorkerThread:
    """What the kernel says of one native worker thread over the level."""

    thread_id: int
    cpu_ns: int
    run_queue_wait_ns: int
    involuntary_switches: int


@dataclass(frozen=True)
class Jitter:
    """How late a thread that does nothing but sleep for a while woke up: the host's noise floor."""

    before: Histogram  # while no load ran
    during: Histogram


@dataclass(frozen=True)
class TcpStats:
    """The kernel's tcp_info over one agent's connections."""

    connections: int
    rtt_us_min: float
    rtt_us_mean: float
    rtt_us_max: float
    min_rtt_us: float
    retransmits: int
    busy_us: int
    rwnd_limited_us: int
    sndbuf_limited_us: int


@dataclass(frozen=True)
class AgentResult:
    """One agent's whole level: intervals sum to `orders` when the books balance."""

    agent: str
    host: str
    start_ns: int  # the driver's common start, in this agent's clock
    intervals: tuple[Interval, ...]  # one per second, rising
    orders: OrderCounts
    errors: dict[str, int]
    tcp: TcpStats | None
    workers: tuple[WorkerThread, ...]
    peak_rss_bytes: int
    lost: str = ""  # why the agent was lost, when it was: its data ends there
    replies: ReplyCounts = field(default_factory=ReplyCounts)
    reject_reasons: dict[str, int] = field(default_factory=dict)  # by the reason's text
    activity: tuple[Activity, ...] = ()  # one per second of its own clock, rising
    jitter: Jitter | None = None
    steal_ratio: float | None = None  # of its host's CPU time, during the load
    no_kernel_times: str = ""  # why `activity` has none of sends, of receives or of both
    began_ns: int | None = None  # when its last worker was ready for its first order, own clock
    clock: tuple[ClockReading, ...] = ()  # its clock against the driver's, in order of time
    same_clock: bool = False  # its clock is the driver's own
