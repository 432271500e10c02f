"""summary.json: the whole outcome of a run for machines. `schema_version` rises when it changes.

Versions: 1 first release.
"""

from typing import Literal

from pydantic import Field

from cluster.results.engine import Capability, Counter, EngineExit, HotFunction, ThreadUse
from cluster.results.finding import Finding
from cluster.results.orders import OrderCounts
from cluster.results.record import Record
from cluster.results.replies import RejectReason, ReplyCounts

SCHEMA_VERSION = 1


class Latency(Record):
    """A distribution of durations in ns. Percentiles the data can't support are None."""

    count: int
    min: int | None
    mean: float | None
    p50: int | None
    p95: int | None
    p99: int | None
    p99_9: int | None
    max: int | None
    stdev: float | None
    not_measured: dict[str, str] = Field(default_factory=dict)


class Throughput(Record):
    """Answered orders per second over the measured seconds of a level."""

    min: float | None
    mean: float | None
    max: float | None
    not_measured: dict[str, str] = Field(default_factory=dict)


class Second(Record):
    """One second of a level, merged over agents, by the wall clock; for the time line."""

    index: int
    offered: int  # orders that were due
    sent: int
    answered: int
    in_flight: int
    backlog: int
    response_p50_ns: int | None  # of orders intended in this second
    response_p99_ns: int | None
    phase: Literal["warm-up", "control", "profile", "drain"]


class CurvePoint(Record):
    """One point of a percentile curve."""

    percentile: float
    value_ns: int


class AgentSummary(Record):
    """One agent's share of a level."""

    agent: str
    host: str
    orders: OrderCounts
    response_ns: Latency
    send_lag_ns: Latency
    worker_cpu_ratio: float | None  # busiest worker thread
    worker_run_queue_ratio: float | None
    tcp_rtt_us_mean: float | None
    tcp_min_rtt_us: float | None
    retransmits: int | None
    rwnd_limited_ratio: float | None
    sndbuf_limited_ratio: float | None
    peak_rss_bytes: int | None
    errors: dict[str, int]
    lost: str = ""


class LevelSummary(Record):
    """One load level. The latencies are of the control window, where no profiler ran."""

    index: int
    arrivals: Literal["constant", "poisson", "hawkes", "bursts", "closed", "recorded"]
    arrivals_in_words: str = ""  # with the parameters of the law, where it has any
    offered_per_s: float | None  # None: closed-loop, nothing was offered
    in_flight: int | None  # orders kept in flight, closed-loop only
    speed: float | None = None  # recorded times only: so many times as fast
    throughput_per_s: Throughput
    orders: OrderCounts  # of the whole level, warm-up and drain included
    window_orders: OrderCounts  # of the control window
    replies: ReplyCounts | None = None  # of the whole level; None: the run is older than they are
    reject_reasons: list[RejectReason] = Field(default_factory=list)  # likewise, frequent first
    response_ns: Latency
    service_ns: Latency
    send_lag_ns: Latency
    engine_ns: Latency
    profiled_response_ns: Latency | None  # same, while the profiler ran
    timed_reply: Literal["first", "last"] = "first"  # which one ends the response time
    # Of orders with several replies, the other one. None, with why, for the one that is timed.
    first_reply_ns: Latency | None = None
    last_reply_ns: Latency | None = None
    curve: list[CurvePoint]  # response time, for the percentile chart
    engine_threads: list[ThreadUse]
    busy_ns_per_order: float | None  # busiest engine thread, on-CPU ns / order
    predicted_max_per_s: float | None  # 1 / busy_ns_per_order
    valid: bool
    findings: list[Finding]
    agents: list[AgentSummary]
    seconds: list[Second]
    ended_early: str = ""  # why, when it did
    not_measured: dict[str, str] = Field(default_factory=dict)


class Evidence(Record):
    """One observation that speaks for or against a cause."""

    quantity: str  # send lag p99, busiest engine thread …
    value: str  # with its unit
    sentence: str
    supports: Literal["engine", "network", "client"] | None
    against: list[Literal["engine", "network", "client"]] = Field(default_factory=list)
    weight: float  # how much it moved the verdict, log-odds


class Verdict(Record):
    """What the engine can do, and what holds it back."""

    scenario: Literal["A", "B", "C", "beyond-1M"] | None
    scenario_sentence: str
    sustained_per_s: float | None
    closed_loop_max_per_s: float | None
    predicted_max_per_s: float | None
    bottleneck: Literal["engine", "network", "client", "inconclusive"]
    confidence: float  # 0 to 1
    sentence: str
    evidence: list[Evidence]
    recommendation: str
    next_action: str
    baseline_sentence: str = ""


class Memory(Record):
    """The engine's memory."""

    peak_bytes: int | None
    growth_bytes_per_s: float | None
    minor_faults_per_order: float | None
    allocations: int | None
    not_measured: dict[str, str] = Field(default_factory=dict)


class EngineSummary(Record):
    """The engine over the run."""

    source: Literal["reference", "command", "running"]
    address: str
    process: str  # name and pid, or why unknown
    counters: list[Counter]  # of the deciding level's profile window
    ratios: dict[str, float | None]
    ratios_not_measured: dict[str, str]
    memory: Memory
    threads: list[ThreadUse]  # of the deciding level
    exit: EngineExit | None
    last_output: str = ""


class ProfileSummary(Record):
    """The profile of the deciding level."""

    level: int | None
    sample_event: str
    samples: int
    lost_samples: int
    hot_functions: list[HotFunction]
    off_cpu: list[HotFunction]  # same shape; ratios of off-CPU time
    capabilities: list[Capability]
    artefacts: list[str]  # paths inside the run directory
    not_measured: str = ""  # why there is no profile at all


class Summary(Record):
    """summary.json."""

    schema_version: int = SCHEMA_VERSION
    name: str
    version: str  # of loadcluster
    protocol: str = ""  # what was spoken, by its schema's title
    started_at: str  # ISO 8601, UTC
    duration_s: float
    valid: bool
    interrupted: bool
    findings: list[Finding]
    verdict: Verdict
    levels: list[LevelSummary]
    engine: EngineSummary
    profile: ProfileSummary
