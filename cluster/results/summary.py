"""summary.json: the whole outcome of a run for machines. `schema_version` rises when it changes.

Versions: 1 first release.
"""

from typing import Literal

from pydantic import Field

from cluster.results.clock import ClockSummary
from cluster.results.engine import Capability, Counter, EngineExit, HotFunction, ThreadUse
from cluster.results.finding import Finding
from cluster.results.left_behind import LeftBehind
from cluster.results.orders import OrderCounts
from cluster.results.record import Record
from cluster.results.replies import RejectReason, ReplyCounts

SCHEMA_VERSION = 1


class Uncertainty(Record):
    """The 95 % interval of a figure: so far off may it be by chance, within this run."""

    low: float
    high: float | None  # None: no bound, it falls among orders without an answer
    effective_count: float  # so many independent orders would tell as much


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
    intervals: dict[str, Uncertainty] = Field(default_factory=dict)  # of mean, p50, p95 …
    no_interval: dict[str, str] = Field(default_factory=dict)  # why there is none


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


class Gaps(Record):
    """Pauses of a client or its host, ns."""

    p50: int | None
    p99: int | None
    p99_9: int | None
    max: int | None


class ArrivalTest(Record):
    """Whether orders left as the arrival law says. `who` is an agent, or all together."""

    who: str
    gaps: int  # in the sample
    distance: float | None  # Kolmogorov-Smirnov, of the gaps sent to those of the law
    anderson_darling: float | None  # A*² of a thinned sample, for exponential gaps
    dispersion: dict[str, float]  # index of dispersion of counts, by length of time: 1 ms …
    dispersion_expected: dict[str, float]
    kept: bool | None  # at any length of time that matters here; None: not tested
    not_measured: dict[str, str] = Field(default_factory=dict)
    # So far must orders have been moved, at least, to leave as they did.
    moved_ns: int | None = None


class SeriesTest(Record):
    """Whether one series of a level is stationary."""

    series: str  # rate, response p50, response p99, in flight
    points: int
    step_s: float
    drift_ratio: float | None  # Theil-Sen slope times the window's length, over the mean
    mann_kendall_p: float | None  # after Holm, over all tests of the level
    adf_p: float | None
    kpss_p: float | None
    change_at_s: float | None  # a change point, seconds after the start; None: there is none
    steady: bool | None  # None: not tested
    not_measured: dict[str, str] = Field(default_factory=dict)


class LittlesLaw(Record):
    """Orders in flight on the average against rate times service time: two independent books."""

    in_flight_mean: float
    rate_times_service: float
    deviation_ratio: float
    tolerance_ratio: float


class Steadiness(Record):
    """Whether a level was in a steady state, and what was left out until it was."""

    discarded_s: int  # before the control window
    warm_up_ends_s: float | None  # by MSER-5; None: not told
    series: list[SeriesTest]
    littles_law: LittlesLaw | None
    steady: bool | None  # None: not tested
    not_measured: dict[str, str] = Field(default_factory=dict)


class OutlierAgent(Record):
    """An agent whose orders make the tail of all."""

    agent: str
    host: str
    order_share: float
    tail_share: float  # of the orders beyond the merged p99
    p_value: float  # after Holm
    p99_ns: int | None  # merged
    p99_without_ns: int | None  # merged without it
    influence: float | None  # |p99 - p99_without| / p99


class BudgetPart(Record):
    """A leg of an order's way, as a mean: means add up, percentiles do not."""

    part: Literal[
        "send lag",
        "client kernel, out",
        "network",
        "engine queue",
        "engine",
        "client kernel, in",
        "rest",
    ]
    mean_ns: float | None
    share: float | None  # of the mean response time
    known: Literal["measured", "inferred", "not measured"]
    how: str  # from what it was measured or inferred, or why not


class Calibration(Record):
    """What a load host can do by itself, against a reflector that answers at once."""

    host: str
    against: Literal["loopback", "engine host"]
    measured_at: str  # ISO 8601, UTC
    floor_p50_ns: int | None  # service time at a low rate
    floor_p99_ns: int | None
    clean_rate_per_s: float | None  # the highest that one agent sent on time
    cached: bool = False
    not_measured: str = ""
    agents: int = 1  # of the experiment on this host: the rate is each one's, all sending
    # What ended the rise: with anything but `client` it is not known that the client can't do more.
    bound_by: Literal["client", "reflector", "other load", "time"] | None = None


class RepeatedFigure(Record):
    """One figure of a level over several trials: the interval between runs."""

    offered_per_s: float | None
    figure: str  # throughput_per_s, response p50 …
    values: list[float]  # of the trials that have one
    mean: float | None  # None if a trial has none: the rest would be the good ones
    low: float | None  # 95 %, Student's t over trials
    high: float | None
    half_width_ratio: float | None
    not_measured: str = ""


class Invariance(Record):
    """The same load from K and from 2K clients: what differs is the clients' doing."""

    level: int  # a level that was repeated
    twin: int  # right after it, the same load from 2K clients
    clients: int
    clients_twin: int
    p50_ns: list[int | None]  # from K, from 2K
    p99_ns: list[int | None]
    differs: bool | None  # beyond both intervals and a tenth; None: can't be told
    sentence: str


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
    on_time_ratio: float | None = None  # of the orders due in the control window
    poll_gap_ns: Gaps | None = None
    jitter_before_ns: Gaps | None = None
    jitter_during_ns: Gaps | None = None
    involuntary_switches: int | None = None
    steal_ratio: float | None = None
    start_skew_ns: int | None = None  # began, last worker, after the common start; driver's clock
    start_error_ns: int | None = None  # the true skew lies within ± this


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
    trial: int = 0  # which repetition of the experiment it belongs to
    # Repeated, doubled: another level once more, from the same and from twice as many clients.
    clients: Literal["planned", "repeated", "doubled"] = "planned"
    arrival_tests: list[ArrivalTest] = Field(default_factory=list)
    steadiness: Steadiness | None = None
    outlier_agents: list[OutlierAgent] = Field(default_factory=list)
    budget: list[BudgetPart] = Field(default_factory=list)


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
    trials: int = 1
    repeated: list[RepeatedFigure] = Field(default_factory=list)
    invariance: Invariance | None = None
    calibrations: list[Calibration] = Field(default_factory=list)
    left_behind: list[LeftBehind] = Field(default_factory=list)  # empty: nobody looked
    clocks: list[ClockSummary] = Field(default_factory=list)
