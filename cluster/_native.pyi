"""The native load client: one level of load from this process."""

from collections.abc import Sequence
from typing import Annotated

import numpy
import numpy.typing
from numpy.typing import NDArray


class LoadError(RuntimeError):
    pass

def now_ns() -> int:
    """
    CLOCK_MONOTONIC in ns: the clock of every time this module takes or gives.
    """

HISTOGRAM_COUNTS_LEN: int = 33792

HISTOGRAM_HIGHEST_NS: int = 3600000000000

def histogram_index(value_ns: int) -> int:
    """
    Index of a value in HdrHistogram's counts array (lowest 1 ns, highest 1 h, 3 digits).
    """

class Books:
    """
    Every order's fate. At the end intended = sent + unsent and
    sent = accepted + rejected + timed_out + lost.
    """

    @property
    def intended(self) -> int: ...

    @property
    def sent(self) -> int: ...

    @property
    def unsent(self) -> int: ...

    @property
    def accepted(self) -> int: ...

    @property
    def rejected(self) -> int: ...

    @property
    def timed_out(self) -> int: ...

    @property
    def lost(self) -> int: ...

class Interval:
    """
    All orders of a worker whose *intended* time lies in second `index` after the start.

    Handed out once each has met its fate. The histograms are sparse: indices into
    HdrHistogram's counts array, rising, and their counts. response, service and engine
    hold answered orders (accepted or rejected), send_lag every sent order; closed-loop
    send_lag is empty. other_reply is of orders with several replies only, by the second in
    which it came: the time from intended to their last reply when the first is timed, to
    their first when the last is.
    """

    @property
    def index(self) -> int: ...

    @property
    def books(self) -> Books: ...

    @property
    def response(self) -> tuple[numpy.typing.NDArray[numpy.uint32], numpy.typing.NDArray[numpy.uint64]]: ...

    @property
    def service(self) -> tuple[numpy.typing.NDArray[numpy.uint32], numpy.typing.NDArray[numpy.uint64]]: ...

    @property
    def send_lag(self) -> tuple[numpy.typing.NDArray[numpy.uint32], numpy.typing.NDArray[numpy.uint64]]: ...

    @property
    def engine(self) -> tuple[numpy.typing.NDArray[numpy.uint32], numpy.typing.NDArray[numpy.uint64]]: ...

    @property
    def other_reply(self) -> tuple[numpy.typing.NDArray[numpy.uint32], numpy.typing.NDArray[numpy.uint64]]: ...

    @property
    def slots(self) -> tuple[numpy.typing.NDArray[numpy.uint32], numpy.typing.NDArray[numpy.uint16], numpy.typing.NDArray[numpy.uint32], numpy.typing.NDArray[numpy.uint64]]:
        """
        By 50 ms in which orders were due: how many; places (slot · COARSE_LEN + bucket) and
        counts of response times; their sums, ns.
        """

class Progress:
    """
    Where the load is now; counts are cumulative since the start.

    books.intended counts orders due so far; books.unsent is 0 until the end, except
    for orders that were encoded for a connection that was lost. `errors` has the kinds that
    happened, by name. executions and remainders are follow-ups to answered orders.
    """

    @property
    def now_ns(self) -> int: ...

    @property
    def books(self) -> Books: ...

    @property
    def in_flight(self) -> int: ...

    @property
    def backlog(self) -> int:
        """Orders due and not yet sent."""

    @property
    def connections_open(self) -> int: ...

    @property
    def bytes_sent(self) -> int: ...

    @property
    def bytes_received(self) -> int: ...

    @property
    def executions(self) -> int: ...

    @property
    def remainders(self) -> int: ...

    @property
    def unsolicited(self) -> int:
        """Replies that match no order, as the schema says."""

    @property
    def out_of_order(self) -> int:
        """Answers that overtook an earlier order's."""

    @property
    def skipped(self) -> int:
        """Requests for an order known to be gone: not sent, and in no books."""

    @property
    def errors(self) -> dict[str, int]: ...

    @property
    def finished(self) -> bool:
        """Every worker has ended and every interval can be taken."""

class TcpStats:
    """
    Sums and extremes over the connections, from the kernel's tcp_info.

    With `connections` 0 nothing could be read and the rest means nothing.
    """

    @property
    def connections(self) -> int: ...

    @property
    def rtt_us_min(self) -> float: ...

    @property
    def rtt_us_mean(self) -> float: ...

    @property
    def rtt_us_max(self) -> float: ...

    @property
    def min_rtt_us(self) -> float: ...

    @property
    def retransmits(self) -> int: ...

    @property
    def busy_us(self) -> int: ...

    @property
    def rwnd_limited_us(self) -> int: ...

    @property
    def sndbuf_limited_us(self) -> int: ...

COARSE_LEN: int = 164

def coarse_index(value_ns: int) -> int:
    """Bucket of a value in the coarse histograms of slots."""

def sample_start_ns(width_ns: int, second: int) -> int:
    """Where the sampled part of a second begins, ns after it."""

class Activity:
    """
    What a worker did in second `index` after the start, by its clock: orders sent per ms,
    the integral of orders in flight over each 50 ms (order·ns), when the orders of the
    second's sample slice were sent (ns after the second began), and sparse histograms:
    poll_gap of the event loop's passes less the sleep that was meant; kernel_send and
    kernel_receive of a sample of orders by the kernel's time stamps.
    """

    @property
    def index(self) -> int: ...

    @property
    def sent_per_ms(self) -> numpy.typing.NDArray[numpy.uint32]: ...

    @property
    def in_flight_order_ns(self) -> numpy.typing.NDArray[numpy.uint64]: ...

    @property
    def send_sample_ns(self) -> numpy.typing.NDArray[numpy.uint32]: ...

    @property
    def sample_cut(self) -> bool:
        """More was sent in the slice than was kept."""

    @property
    def poll_gap(self) -> tuple[numpy.typing.NDArray[numpy.uint32], numpy.typing.NDArray[numpy.uint64]]: ...

    @property
    def kernel_send(self) -> tuple[numpy.typing.NDArray[numpy.uint32], numpy.typing.NDArray[numpy.uint64]]: ...

    @property
    def kernel_receive(self) -> tuple[numpy.typing.NDArray[numpy.uint32], numpy.typing.NDArray[numpy.uint64]]: ...

class Jitter:
    """
    By how much a thread overslept that does nothing else: sparse histograms.
    """

    @property
    def before(self) -> tuple[numpy.typing.NDArray[numpy.uint32], numpy.typing.NDArray[numpy.uint64]]:
        """From the moment all connections were up until the start."""

    @property
    def during(self) -> tuple[numpy.typing.NDArray[numpy.uint32], numpy.typing.NDArray[numpy.uint64]]:
        """From the start to the end of sending."""

class WireConfig:
    """
    How the connections speak, and who each of them is. An empty plan is
    orderwire's; native/client/load_config.h explains each.
    """

    def __init__(self, *, plan: str = '', secrets: Sequence[tuple[str, str]] = [], first_id: int = 1, ids_per_connection: int = 0, first_client: int = 0) -> None: ...

class FlowConfig:
    """Which orders are sent; native/client/order_flow.h explains each."""

    def __init__(self, *, seed: int = 1, symbols: int = 64, new_ratio: float = 0.5, replace_ratio: float = 0.2, cancel_ratio: float = 0.3, ioc_ratio: float = 0.1, market_ratio: float = 0.02, mid_price_ticks: int = 100000, spread_ticks: int = 2, depth_ticks: int = 20, quantity_mean: int = 100, live_orders_max: int = 64) -> None: ...

class HawkesConfig:
    """Self-exciting arrivals; native/client/hawkes_arrivals.h explains."""

    def __init__(self, *, branching_ratio: float = 0.8, decay_ns: int = 5000000) -> None: ...

class BurstConfig:
    """Arrivals in bursts; native/client/burst_arrivals.h explains."""

    def __init__(self, *, on_ns: int = 10000000, off_ns: int = 90000000, within: str = 'poisson') -> None: ...

class ReplayConfig:
    """Orders come from a file; native/client/replay_config.h explains each."""

    def __init__(self, *, speed: float, rate_per_s: float, agents: int, symbols_max: int, living_orders_max: int) -> None: ...

class ReplayState:
    """How far the file has been read."""

    @property
    def rows(self) -> int:
        """Of all agents; every pass counts."""

    @property
    def unknown_references(self) -> int:
        """Skipped rows of this agent."""

    @property
    def ended(self) -> bool:
        """The file has no further order."""

    @property
    def end_ns(self) -> int:
        """
        Once ended: when another order would be due, ns after the start; 0 when closed.
        """

    @property
    def error(self) -> str:
        """Why the file could not be read on."""

class LoadClient:
    """
    One level of load from this process: native worker threads, each with its own
    connections. Rates, in_flight and in_flight_max are of all workers together; cpus has
    one CPU per worker or is empty (not pinned). native/client/load_config.h explains each.
    Raises LoadError when a value can't be carried out.
    """

    def __init__(self, *, address: str, port: int, connections: int, workers: int, arrivals: str, rate_per_s: float, in_flight: int, in_flight_max: int, duration_ns: int, timeout_ns: int, drain_ns: int, lease_ns: int, seed: int, agent: int, phase: float, cpus: Sequence[int], spin: bool, kernel_times: bool = True, sample_width_ns: int = 0, flow: FlowConfig, hawkes: HawkesConfig = ..., bursts: BurstConfig = ..., wire: WireConfig = ..., replay: ReplayConfig | None = None) -> None: ...

    def connect(self, timeout_ns: int) -> int:
        """
        Open all connections; returns how many. Raises LoadError naming operation, peer
        and cause.
        """

    def start_at(self, start_ns: int) -> None:
        """
        Start the worker threads; the schedule's zero is start_ns. Returns once they run.
        """

    def end_at(self, end_ns: int) -> None:
        """
        End sending at end_ns, earlier than planned: what is due before is still sent, what
        is due from then on never was. To be called 10 ms ahead at least.
        """

    def progress(self) -> Progress:
        """Where the load is now; no worker is stopped for it. Renews the lease."""

    def take_intervals(self) -> list[Interval]:
        """
        Intervals completed since the last call, rising per worker. Seconds in which a
        worker had no order due are left out.
        """

    def take_activity(self) -> list[Activity]:
        """
        What the workers did in the seconds over since the last call, rising per worker.
        """

    def jitter(self) -> Jitter:
        """
        How late a sleeping thread woke, from the connecting on until sending ended.
        """

    def kernel_times_refused(self) -> str:
        """
        Why the kernel stamps none of a worker's sends and receives; '' is: it does.
        """

    def reject_reasons(self) -> list[tuple[bytes, int]]:
        """
        Why orders were rejected, in the engine's own bytes, and how many; b'' is no reason
        and what came after the first 32. Empty until every worker has ended.
        """

    def worker_thread_ids(self) -> list[int]:
        """The kernel's ids of the worker threads."""

    def began_ns(self) -> int:
        """
        When the last of the workers was ready for its first order, by this host's clock; 0:
        not all are.
        """

    def tcp_stats(self) -> TcpStats:
        """tcp_info of all connections, lost ones included, until close."""

    def stop(self) -> None:
        """
        End sending now; answers are still awaited for drain_ns. Returns at once.
        """

    def join(self, timeout_ns: int) -> bool:
        """
        Wait until every worker has ended and every interval can be taken; False: not in
        time.
        """

    def close(self) -> None:
        """
        End at once: connections are closed, orders in flight are lost. Idempotent.
        """

    def replay_feed(self, *, new_symbols: Sequence[str], new_numbers: Sequence[int], time_ns: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], symbol: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], price_ticks: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], quantity: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], action: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], kind: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], side: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], id_offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], id_bytes: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], reference_offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], reference_bytes: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> bool:
        """
        Hand over rows of the file, in its order; `symbol` indexes the symbols named so far.
        Waits while enough batches are held. False: no more is wanted.
        """

    def replay_end_pass(self, again: bool) -> bool:
        """
        The file is at its end; `again`: its rows come once more. False: no more is wanted.
        """

    def replay_fail(self, why: str) -> None:
        """The file can't be read on; what came before is still sent."""

    def replay_await(self, timeout_ns: int) -> bool:
        """
        Wait until enough orders are there to start; False: not in time. Raises LoadError
        when the reader has failed.
        """

    def replay_state(self) -> ReplayState:
        """How far the file has been read."""

    def replay_symbols(self) -> list[tuple[int, str]]:
        """Number and text of every symbol named so far."""
