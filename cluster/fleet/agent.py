"""One host's share of the load. The only importer of the compiled module."""

import os
import resource
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TypedDict

import numpy as np

from cluster import __version__, _native
from cluster.errors import ClusterError
from cluster.experiment.model import Bursts, Hawkes, OrderFlow, Replay
from cluster.fleet.calibrate import calibrate
from cluster.fleet.calibration_cache import (
    cache_directory,
    client_build,
    key_of,
    native_build,
    recall,
    remember,
)
from cluster.fleet.calibration_spec import CalibrationSpec
from cluster.fleet.host_cpu import Ticks, cpu_ticks, steal_ratio
from cluster.fleet.kernel_times import why_no_kernel_times
from cluster.fleet.limits import Limits, own_limits
from cluster.fleet.remains import Remains, remains_of
from cluster.fleet.replay_reader import FileLook, FirstRows, ReplayReader
from cluster.fleet.spec import LoadSpec, ReplaySpec
from cluster.fleet.target import checked_address
from cluster.fleet.worker_use import worker_use
from cluster.host.facts import facts_of
from cluster.host.identity import Identity, identity_here, is_own_address, source_address
from cluster.host.local import LocalHost
from cluster.results.agent import Interval, Jitter, Progress, TcpStats, WorkerThread
from cluster.results.facts import HostFacts
from cluster.results.histogram import Histogram
from cluster.results.orders import OrderCounts
from cluster.results.over_time import Activity, Slots
from cluster.results.replies import ReplyCounts, reason_text
from cluster.results.summary import Calibration
from cluster.units import NS_PER_S

KIB = 1024
REFUSED = "refused: "  # as native/client/logon.cpp says it
PREFILL_TIMEOUT_S = 50  # less than a fleet waits for `prepare`


class PrepareError(ClusterError):
    """The load client could not be made ready."""


class ConnectError(ClusterError):
    """The load client could not open its connections."""


@dataclass(frozen=True)
class Place:
    """Where an agent runs, and with which build."""

    host: str
    process_id: int
    version: str
    cpus: int
    build: str = ""  # of the native load client; empty: not told
    identity: Identity | None = None  # of the machine; None: not told


@dataclass(frozen=True)
class Way:
    """How a load host reaches the engine."""

    source: str  # address that its connections come from; empty: the engine can't be reached
    own: bool  # the engine's address is one of this host's


@dataclass(frozen=True)
class Poll:
    """What an agent has to say since it was last asked."""

    progress: Progress
    intervals: tuple[Interval, ...]  # closed since; several may have the same index: add them
    activity: tuple[Activity, ...] = ()  # of seconds over since; likewise


@dataclass(frozen=True)
class Closing:
    """What an agent says of itself when a level is over."""

    poll: Poll
    complete: bool  # every order has met its fate
    tcp: TcpStats | None
    workers: tuple[WorkerThread, ...]
    peak_rss_bytes: int
    reject_reasons: dict[str, int] = field(default_factory=dict)  # by the reason's text
    jitter: Jitter | None = None
    steal_ratio: float | None = None  # of the host's CPU time, from the start to the end
    no_kernel_times: str = ""  # why the activity has none of sends, of receives or of both
    began_ns: int | None = None  # when the last worker was ready for its first order, own clock


class _Source(TypedDict, total=False):
    source_ended: str
    source_failed: bool
    source_ended_ns: int


class Agent:
    """The load client of one host, driven by the fleet.

    Calls return at once, but for `connect` and `finish`, which are bounded: the load runs in
    native threads. A plain class: the in-process fleet calls it, the Ray fleet wraps it.
    """

    def __init__(self) -> None:
        self._client: _native.LoadClient | None = None
        self._workers: dict[int, WorkerThread] = {}
        self._reader: ReplayReader | None = None
        self._file = ""  # whose orders are sent
        self._refusals: Mapping[str, str] = {}
        self._ticks: Ticks | None = None  # at the start
        self._calibration_cancelled = Event()
        self._kernel_times = (0, 0)  # of sends and of receives, told so far
        self._port = 0  # that the load went to
        self._need = ""  # what memory is reserved for

    def place(self) -> Place:
        """Where this agent runs."""
        return Place(
            host=socket.gethostname(),
            process_id=os.getpid(),
            version=__version__,
            cpus=len(os.sched_getaffinity(0)),
            build=client_build(),
            identity=identity_here(),
        )

    def way_to(self, address: str, port: int) -> Way:
        """How this host reaches the engine."""
        return Way(source_address(address, port), own=is_own_address(address))

    def facts(self) -> HostFacts:
        """What this host is."""
        host = LocalHost()
        try:
            return facts_of(host)
        finally:
            host.close()

    def limits(self) -> Limits:
        """How many connections this process may open."""
        return own_limits()

    def clock_ns(self) -> int:
        """CLOCK_MONOTONIC of this host."""
        return _native.now_ns()

    def look_at_file(self, replay: Replay, with_times: bool, plan_text: str) -> FileLook:
        """Read the first rows of a file that is to be replayed, as a level would.

        Raises:
            ReplayError: it can't be read here.
        """
        client = _looking_client(replay, plan_text)
        try:
            first = FirstRows()
            first.hand_over(replay, client, with_times=with_times)
            client.replay_await(PREFILL_TIMEOUT_S * NS_PER_S)
            return first.look(replay, client.replay_state().unknown_references)
        finally:
            client.close()

    def known_calibrations(self, *specs: CalibrationSpec) -> list[Calibration | None]:
        """What this host remembers of itself; None where it has to be measured."""
        build = native_build()
        return [recall(cache_directory(), key_of(spec, build)) for spec in specs]

    def calibrate(self, spec: CalibrationSpec) -> Calibration:
        """Find out what this host can do by itself, and remember it.

        Takes at most `calibrate.LONGEST_S`; `close` cancels it.

        Raises:
            ClusterError: the reflector did not start or can't be reached.
        """
        self._calibration_cancelled.clear()
        measured = calibrate(spec, Agent(), self._calibration_cancelled)
        remember(cache_directory(), key_of(spec, native_build()), measured)
        return measured

    def prepare(self, spec: LoadSpec) -> None:
        """Build the load client of the next level: memory is reserved and orders are made now.

        Raises:
            PrepareError: the orders of a file can't be read.
            TargetError: the address can't be found, or may not be loaded.
        """
        self.close()
        self._port = spec.port
        address = checked_address(spec.address, spec.port, authorized=spec.authorized)
        self._refusals = spec.wire.refusals
        self._need = f"{spec.in_flight_max:,} orders in flight"
        with self._memory():
            self._client = _load_client(spec, address)
        if spec.replay is not None:
            self._read(spec.replay, self._client)

    def connect(self, timeout_ns: int) -> int:
        """Open every connection.

        Returns:
            How many are open.

        Raises:
            ConnectError: the engine refused, or did not answer in time.
        """
        try:
            return self._required().connect(timeout_ns)
        except _native.LoadError as error:
            raise ConnectError(self._with_reason(str(error))) from error

    def _with_reason(self, said: str) -> str:
        """A refusal, with the name of its code where the schema gives one."""
        code = said.rpartition(REFUSED)[2] if REFUSED in said else ""
        name = self._refusals.get(code)
        return f"{said} ({name})" if name else said

    def start_at(self, start_ns: int) -> None:
        """Let the first order be due at `start_ns` of this host's clock."""
        with self._memory():
            self._required().start_at(start_ns)
        self._ticks = cpu_ticks()
        self._kernel_times = (0, 0)

    def end_at(self, end_ns: int) -> None:
        """Let no order be due from `end_ns` of this host's clock on.

        Orders due before are still sent. For levels whose length is decided while they run: to be
        called 10 ms ahead at least. An end later than the planned one changes nothing.
        """
        self._required().end_at(end_ns)

    def poll(self) -> Poll:
        """Progress, and the seconds closed since the last call. Renews the lease."""
        client = self._required()
        progress = client.progress()
        self._watch_workers(client)
        activity = tuple(_activity(second) for second in client.take_activity())
        sends, receives = self._kernel_times
        self._kernel_times = (
            sends + sum(second.kernel_send.total for second in activity),
            receives + sum(second.kernel_receive.total for second in activity),
        )
        return Poll(
            Progress(
                time_ns=progress.now_ns,
                orders=_counts(progress.books),
                in_flight=progress.in_flight,
                backlog=progress.backlog,
                connections_open=progress.connections_open,
                finished=progress.finished,
                errors=dict(progress.errors),
                replies=_replies(progress),
                **self._source(client),
            ),
            tuple(_interval(interval) for interval in client.take_intervals()),
            activity,
        )

    def stop(self) -> None:
        """Send nothing more; late answers are still awaited for the drain time."""
        if self._client is not None:
            self._client.stop()

    def finish(self, timeout_ns: int) -> Closing:
        """Wait until every order has met its fate and report the rest."""
        client = self._required()
        complete = client.join(timeout_ns)
        stolen = steal_ratio(self._ticks, cpu_ticks())
        tcp = client.tcp_stats()
        poll = self.poll()
        return Closing(
            poll=poll,
            complete=complete,
            tcp=_tcp(tcp) if tcp.connections else None,
            workers=tuple(self._workers.values()),
            peak_rss_bytes=_peak_rss_bytes(),
            reject_reasons={reason_text(raw): n for raw, n in client.reject_reasons()},
            jitter=_jitter(client.jitter()),
            steal_ratio=stolen,
            no_kernel_times=why_no_kernel_times(client.kernel_times_refused(), *self._kernel_times),
            began_ns=client.began_ns() or None,
        )

    def remains(self) -> Remains:
        """What this process still has of the load; after `close`, nothing."""
        return remains_of(self._port)

    def close(self) -> None:
        """End the load, or a calibration, whatever it is doing. Idempotent."""
        self._calibration_cancelled.set()
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._reader is not None:
            self._reader.join()
            self._reader = None
        self._workers = {}

    def _read(self, replay: ReplaySpec, client: _native.LoadClient) -> None:
        self._file = replay.file.file
        self._reader = ReplayReader(replay.file, client, with_times=replay.speed is not None)
        try:
            in_time = client.replay_await(PREFILL_TIMEOUT_S * NS_PER_S)
        except _native.LoadError as error:
            raise PrepareError(str(error)) from error
        if not in_time:
            raise PrepareError(
                f"{self._file}: its first orders could not be read within {PREFILL_TIMEOUT_S} s"
            )

    def _source(self, client: _native.LoadClient) -> _Source:
        """Whether the file that the orders come from has ended, and why."""
        state = client.replay_state() if self._reader is not None else None
        if state is None or not state.ended:
            return {}
        return {
            "source_ended": state.error or f"{self._file} is at its end after {state.rows:,} rows",
            "source_failed": bool(state.error),
            "source_ended_ns": state.end_ns,
        }

    def _watch_workers(self, client: _native.LoadClient) -> None:
        # The kernel forgets a thread when it ends, so the last look at each is kept.
        for thread_id in client.worker_thread_ids():
            use = worker_use(thread_id)
            if use is not None:
                self._workers[thread_id] = use

    @contextmanager
    def _memory(self) -> Iterator[None]:
        try:
            yield
        except MemoryError as error:
            raise PrepareError(
                f"{socket.gethostname()} has not the memory for {self._need}: lower "
                "`agents.in_flight_max`, or use more load hosts"
            ) from error

    def _required(self) -> _native.LoadClient:
        if self._client is None:
            raise ClusterError("the agent was asked to act before it was prepared")
        return self._client


def _load_client(spec: LoadSpec, address: str) -> _native.LoadClient:
    share = spec.share
    return _native.LoadClient(
        address=address,
        port=spec.port,
        connections=share.connections,
        workers=share.workers,
        arrivals=spec.arrivals,
        rate_per_s=share.rate_per_s,
        in_flight=share.in_flight,
        in_flight_max=spec.in_flight_max,
        duration_ns=spec.duration_ns,
        timeout_ns=spec.timeout_ns,
        drain_ns=spec.drain_ns,
        lease_ns=spec.lease_ns,
        seed=spec.seed,
        agent=share.index,
        phase=share.phase,
        cpus=list(share.cpus),
        spin=spec.spin,
        sample_width_ns=spec.sample_width_ns,
        flow=_flow(spec.flow),
        hawkes=_hawkes(spec.law),
        bursts=_bursts(spec.law),
        wire=_native.WireConfig(
            plan=spec.wire.plan_text,
            secrets=list(spec.wire.secrets.items()),
            first_id=spec.wire.first_id,
            ids_per_connection=spec.wire.ids_per_connection,
            first_client=spec.wire.first_client,
        ),
        replay=_replay(spec.replay),
    )


def _replay(replay: ReplaySpec | None) -> _native.ReplayConfig | None:
    if replay is None:
        return None
    return _native.ReplayConfig(
        speed=replay.speed or 1,
        rate_per_s=replay.rate_per_s or 0,
        agents=replay.agents,
        symbols_max=replay.file.symbols_max,
        living_orders_max=replay.file.living_orders_max,
    )


def _looking_client(replay: Replay, plan_text: str) -> _native.LoadClient:
    """A load client that follows the lives of a file's orders and sends none."""
    return _native.LoadClient(
        address="127.0.0.1",
        port=1,
        connections=1,
        workers=1,
        arrivals="closed",
        rate_per_s=0,
        in_flight=1,
        in_flight_max=1,
        duration_ns=NS_PER_S,
        timeout_ns=NS_PER_S,
        drain_ns=0,
        lease_ns=0,
        seed=1,
        agent=0,
        phase=0,
        cpus=[],
        spin=False,
        flow=_native.FlowConfig(),
        wire=_native.WireConfig(plan=plan_text),
        replay=_native.ReplayConfig(
            speed=1,
            rate_per_s=0,
            agents=1,
            symbols_max=replay.symbols_max,
            living_orders_max=replay.living_orders_max,
        ),
    )


def _flow(flow: OrderFlow) -> _native.FlowConfig:
    return _native.FlowConfig(
        seed=flow.seed,
        symbols=flow.symbols,
        new_ratio=flow.mix.new,
        replace_ratio=flow.mix.replace,
        cancel_ratio=flow.mix.cancel,
        ioc_ratio=flow.ioc_ratio,
        market_ratio=flow.market_ratio,
        mid_price_ticks=flow.mid_price_ticks,
        spread_ticks=flow.spread_ticks,
        depth_ticks=flow.depth_ticks,
        quantity_mean=flow.quantity_mean,
        live_orders_max=flow.live_orders_max,
    )


def _hawkes(law: Hawkes | Bursts | None) -> _native.HawkesConfig:
    if not isinstance(law, Hawkes):
        return _native.HawkesConfig()
    return _native.HawkesConfig(branching_ratio=law.branching_ratio, decay_ns=law.decay_ns)


def _bursts(law: Hawkes | Bursts | None) -> _native.BurstConfig:
    if not isinstance(law, Bursts):
        return _native.BurstConfig()
    return _native.BurstConfig(on_ns=law.on_ns, off_ns=law.off_ns, within=law.within)


def _counts(books: _native.Books) -> OrderCounts:
    return OrderCounts(
        intended=books.intended,
        sent=books.sent,
        unsent=books.unsent,
        accepted=books.accepted,
        rejected=books.rejected,
        timed_out=books.timed_out,
        lost=books.lost,
    )


def _interval(interval: _native.Interval) -> Interval:
    return Interval(
        index=interval.index,
        orders=_counts(interval.books),
        response=Histogram.from_sparse(*interval.response),
        service=Histogram.from_sparse(*interval.service),
        send_lag=Histogram.from_sparse(*interval.send_lag),
        engine=Histogram.from_sparse(*interval.engine),
        other_reply=Histogram.from_sparse(*interval.other_reply),
        slots=Slots.from_sparse(*interval.slots),
    )


def _activity(second: _native.Activity) -> Activity:
    # Copies: the records outlive the native second and are of one integer type.
    return Activity(
        index=second.index,
        sent_per_ms=second.sent_per_ms.astype(np.int64),
        in_flight_order_ns=second.in_flight_order_ns.astype(np.int64),
        send_sample_ns=second.send_sample_ns.astype(np.int64),
        sample_cut=second.sample_cut,
        poll_gap=Histogram.from_sparse(*second.poll_gap),
        kernel_send=Histogram.from_sparse(*second.kernel_send),
        kernel_receive=Histogram.from_sparse(*second.kernel_receive),
    )


def _jitter(jitter: _native.Jitter) -> Jitter:
    return Jitter(Histogram.from_sparse(*jitter.before), Histogram.from_sparse(*jitter.during))


def _replies(progress: _native.Progress) -> ReplyCounts:
    return ReplyCounts(
        executions=progress.executions,
        remainders=progress.remainders,
        unsolicited=progress.unsolicited,
        out_of_order=progress.out_of_order,
        skipped=progress.skipped,
    )


def _tcp(tcp: _native.TcpStats) -> TcpStats:
    return TcpStats(
        connections=tcp.connections,
        rtt_us_min=tcp.rtt_us_min,
        rtt_us_mean=tcp.rtt_us_mean,
        rtt_us_max=tcp.rtt_us_max,
        min_rtt_us=tcp.min_rtt_us,
        retransmits=tcp.retransmits,
        busy_us=tcp.busy_us,
        rwnd_limited_us=tcp.rwnd_limited_us,
        sndbuf_limited_us=tcp.sndbuf_limited_us,
    )


def _peak_rss_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
