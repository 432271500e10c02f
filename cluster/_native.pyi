# A sketch of the compiled module until `make stub` writes it from the build.
import numpy as np
from numpy.typing import NDArray

class LoadError(RuntimeError): ...

def now_ns() -> int:
    """CLOCK_MONOTONIC in ns: the clock of every time this module takes or gives."""

HISTOGRAM_COUNTS_LEN: int
HISTOGRAM_HIGHEST_NS: int  # 3_600_000_000_000 (one hour); lowest 1, 3 significant digits

class FlowConfig:  # keyword arguments of the same names as native/client/order_flow.h
    def __init__(
        self,
        *,
        seed: int = 1,
        symbols: int = 64,
        new_ratio: float = 0.5,
        replace_ratio: float = 0.2,
        cancel_ratio: float = 0.3,
        ioc_ratio: float = 0.1,
        market_ratio: float = 0.02,
        mid_price_ticks: int = 100_000,
        spread_ticks: int = 2,
        depth_ticks: int = 20,
        quantity_mean: int = 100,
        live_orders_max: int = 64,
    ) -> None: ...

class Books:
    """Every order's fate. intended = sent + unsent; sent = accepted + rejected + timed_out + lost (+ in_flight while running)."""

    intended: int
    sent: int
    unsent: int
    accepted: int
    rejected: int
    timed_out: int
    lost: int

class Interval:
    """All orders whose *intended* time lies in [start + index s, start + (index + 1) s), once each has met its fate.

    The histograms are sparse: bucket indices of HdrHistogram's counts array, rising, and their counts.
    response, service and engine hold answered orders (accepted or rejected); send_lag every sent order.
    """

    index: int
    books: Books
    response: tuple[NDArray[np.uint32], NDArray[np.uint64]]
    service: tuple[NDArray[np.uint32], NDArray[np.uint64]]
    send_lag: tuple[NDArray[np.uint32], NDArray[np.uint64]]
    engine: tuple[NDArray[np.uint32], NDArray[np.uint64]]

class Progress:
    """Where the load is now. Cumulative since the start; read without stopping a worker."""

    now_ns: int
    books: Books  # intended counts orders due so far; unsent is 0 until the end
    in_flight: int
    backlog: int  # due and not yet sent
    connections_open: int
    bytes_sent: int
    bytes_received: int
    errors: dict[str, int]  # by kind; the names are listed in native/client/errors.h
    finished: bool

class TcpStats:
    """Sums and extremes over the client's connections, from the kernel's tcp_info."""

    connections: int
    rtt_us_min: float
    rtt_us_mean: float
    rtt_us_max: float
    min_rtt_us: float
    retransmits: int
    busy_us: int
    rwnd_limited_us: int
    sndbuf_limited_us: int

class LoadClient:
    """One level of load from this process: native worker threads, each with its own connections."""

    def __init__(
        self,
        *,
        address: str,
        port: int,
        connections: int,
        workers: int,
        arrivals: str,  # "constant" | "poisson" | "closed"
        rate_per_s: float,  # of all workers together; ignored when closed
        in_flight: int,  # of all workers together; only when closed
        in_flight_max: int,  # open-loop: bound of unanswered orders, all workers; beyond it orders wait, with their intended time
        duration_ns: int,  # of sending; afterwards what is due goes out and answers are awaited
        timeout_ns: int,
        drain_ns: int,
        lease_ns: int,  # the load stops by itself when progress() was not called for so long; 0 never
        seed: int,
        agent: int,  # streams of (seed, agent, worker) never coincide
        phase: float,  # 0..1 of an interval between orders: constant arrivals of several agents interleave
        cpus: list[int],  # one CPU per worker, or empty: not pinned
        spin: bool,  # spin, or block until the next order is due or an answer arrives
        flow: FlowConfig,
    ) -> None: ...
    def connect(self, timeout_ns: int) -> int:
        """Open all connections (GIL released). Raises LoadError naming operation, peer and errno text."""
    def start_at(self, start_ns: int) -> None:
        """Start the worker threads; the first order is due at start_ns. Returns at once."""
    def progress(self) -> Progress: ...
    def take_intervals(self) -> list[Interval]:
        """Intervals closed since the last call, rising per worker; one entry per (worker, index)."""
    def worker_thread_ids(self) -> list[int]: ...
    def tcp_stats(self) -> TcpStats: ...
    def stop(self) -> None:
        """End sending now; answers are still awaited for drain_ns. Returns at once."""
    def join(self, timeout_ns: int) -> bool:
        """Wait (GIL released) until every worker has ended and every interval is closed."""
    def close(self) -> None:
        """Abort: close connections, join threads. Idempotent."""
