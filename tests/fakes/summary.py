"""A whole, plausible outcome of a run: four open-loop levels, one closed-loop, and a profile.

The figures are made up but agree with each other: books balance, percentiles rise, ratios sum.
"""

from typing import Literal

from cluster.results.engine import Capability, Counter, EngineExit, HotFunction, ThreadUse
from cluster.results.finding import Finding, Severity
from cluster.results.left_behind import LeftBehind
from cluster.results.orders import OrderCounts
from cluster.results.replies import RejectReason, ReplyCounts
from cluster.results.summary import (
    AgentSummary,
    CurvePoint,
    EngineSummary,
    Evidence,
    Latency,
    LevelSummary,
    Memory,
    ProfileSummary,
    Second,
    Summary,
    Throughput,
    Verdict,
)
from fakes import belief

LATEST = 3  # the open-loop level at which an agent owns the tail
WARMUP_S, CONTROL_S, PROFILE_S = 1, 6, 3
TOO_FEW = "too few orders for this percentile"
PERCENTILES = (0.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99)

# Offered load, response p50 in µs: the engine's queue grows towards its maximum of 412k/s.
OPEN_LEVELS = ((10_000, 31), (50_000, 34), (100_000, 41), (200_000, 78))
CLOSED_RATE_PER_S, CLOSED_IN_FLIGHT = 412_300, 1_024


def sample_summary() -> Summary:
    """A valid run whose engine is what holds it back."""
    levels = [open_level(i, rate, p50) for i, (rate, p50) in enumerate(OPEN_LEVELS)]
    levels.append(closed_level(len(levels)))
    return Summary(
        name="quickstart",
        version="0.1.0",
        started_at="2026-11-23T14:05:02Z",
        duration_s=74.2,
        valid=True,
        interrupted=False,
        findings=sample_findings(),
        verdict=sample_verdict(),
        levels=levels,
        engine=sample_engine(),
        profile=sample_profile(),
        trials=3,
        repeated=belief.repeated(200_000),
        invariance=belief.invariance(),
        calibrations=belief.calibrations(),
        left_behind=[
            LeftBehind(host="load-1", looked_for=["load threads of agent-0"]),
            LeftBehind(host="engine-1", looked_for=["the engine", "temporary files"]),
        ],
        clocks=belief.clocks(),
    )


def latency(p50_us: float, spread: float, count: int) -> Latency:
    """A long-tailed distribution; `spread` says how far p99.9 lies above p50."""
    p50 = int(p50_us * 1_000)
    supports_p99_9 = count >= 100_000
    return Latency(
        count=count,
        min=int(p50 * 0.6),
        mean=p50 * (1 + spread / 20),
        p50=p50,
        p95=int(p50 * (1 + spread / 6)),
        p99=int(p50 * (1 + spread / 2)),
        p99_9=int(p50 * (1 + spread)) if supports_p99_9 else None,
        max=int(p50 * (1 + spread * 4)),
        stdev=p50 * spread / 10,
        not_measured={} if supports_p99_9 else {"p99_9": TOO_FEW},
    )


def curve(p50_us: float, spread: float) -> list[CurvePoint]:
    """Points that rise with the logarithm of 1 / (1 - p)."""
    heights = (0.6, 0.85, 1, 1 + spread / 20, 1 + spread / 9, 1 + spread / 6, 1 + spread / 2)
    tail = (1 + spread * 0.65, 1 + spread, 1 + spread * 1.3, 1 + spread * 2)
    return [
        CurvePoint(percentile=p, value_ns=int(p50_us * 1_000 * height))
        for p, height in zip(PERCENTILES, heights + tail, strict=True)
    ]


def counts(intended: int, *, timed_out: int = 0) -> OrderCounts:
    """Balanced books with one order in 250 rejected."""
    rejected = intended // 250
    return OrderCounts(
        intended=intended,
        sent=intended,
        accepted=intended - rejected - timed_out,
        rejected=rejected,
        timed_out=timed_out,
    )


def reject_reasons(rejected: int) -> list[RejectReason]:
    """Two reasons that an engine's own protocol has a name for, and one that it has not."""
    unknown, other = rejected // 2, rejected // 5
    reasons = [
        RejectReason(reason="3", meaning="unknown order", count=unknown),
        RejectReason(reason="4", meaning="price out of range", count=rejected - unknown - other),
        RejectReason(reason="\\x07", meaning="", count=other),
    ]
    return [reason for reason in reasons if reason.count]


def seconds(rate_per_s: int, p50_us: float) -> list[Second]:
    """Every second of a level; the first is slower, the profile window a little slower too."""
    lasting: list[tuple[Literal["warm-up", "control", "profile", "drain"], int]] = [
        ("warm-up", WARMUP_S),
        ("control", CONTROL_S),
        ("profile", PROFILE_S),
    ]
    result = []
    for phase, length in lasting:
        slower = {"warm-up": 1.6, "control": 1.0, "profile": 1.15, "drain": 1.0}[phase]
        for i in range(length):
            wobble = 1 + 0.04 * ((len(result) * 7) % 5 - 2)
            due = int(rate_per_s * (1 + 0.004 * ((i * 3) % 4 - 1.5)))
            result.append(
                Second(
                    index=len(result),
                    offered=due,
                    sent=due,
                    answered=due,
                    in_flight=int(rate_per_s * p50_us * 1.3e-6 * slower) + 1,
                    backlog=0,
                    response_p50_ns=int(p50_us * 1_000 * slower * wobble),
                    response_p99_ns=int(p50_us * 2_800 * slower * wobble),
                    phase=phase,
                )
            )
    result.append(
        Second(
            index=len(result),
            offered=0,
            sent=0,
            answered=12,
            in_flight=0,
            backlog=0,
            response_p50_ns=None,
            response_p99_ns=None,
            phase="drain",
        )
    )
    return result


def engine_threads(rate_per_s: int) -> list[ThreadUse]:
    """One matching thread that does the work and one that accepts connections."""
    window_ns = CONTROL_S * 1_000_000_000
    busy = min(0.985, rate_per_s * 2_300 / 1e9)
    return [
        ThreadUse(
            thread_id=4711,
            name="match-0",
            on_cpu_ns=int(window_ns * busy),
            run_queue_wait_ns=int(window_ns * 0.004),
            voluntary_switches=int(9_000 * (1 - busy)),
            involuntary_switches=31,
            utilisation_ratio=busy,
            run_queue_ratio=0.004,
        ),
        ThreadUse(
            thread_id=4708,
            name="engine",
            on_cpu_ns=1_200_000,
            run_queue_wait_ns=40_000,
            voluntary_switches=12,
            involuntary_switches=0,
            utilisation_ratio=0.0002,
            run_queue_ratio=0.0,
        ),
    ]


def agents(orders: OrderCounts, p50_us: float, spread: float) -> list[AgentSummary]:
    """Two agents with half of the orders each."""
    half = counts(orders.intended // 2)
    return [
        AgentSummary(
            agent=f"agent-{i}",
            host=f"load-{i}",
            orders=half,
            response_ns=latency(p50_us * (1 + 0.02 * i), spread, half.answered),
            send_lag_ns=latency(0.4, 5, half.sent),
            worker_cpu_ratio=0.31 + 0.02 * i,
            worker_run_queue_ratio=0.002,
            tcp_rtt_us_mean=21.0 + i,
            tcp_min_rtt_us=11.0,
            retransmits=0,
            rwnd_limited_ratio=None if i else 0.0,
            sndbuf_limited_ratio=0.0,
            peak_rss_bytes=188_743_680,
            errors={},
            on_time_ratio=0.99996,
            poll_gap_ns=belief.gaps(900),
            jitter_before_ns=belief.gaps(55_000),
            jitter_during_ns=belief.gaps(58_000),
            involuntary_switches=3,
            steal_ratio=0.0,
        )
        for i in range(2)
    ]


def open_level(index: int, rate_per_s: int, p50_us: float) -> LevelSummary:
    """One open-loop level that the engine keeps up with."""
    spread = 3.0 + index * 2
    whole = counts(rate_per_s * (WARMUP_S + CONTROL_S + PROFILE_S))
    window = counts(rate_per_s * CONTROL_S)
    return LevelSummary(
        index=index,
        arrivals="poisson",
        offered_per_s=float(rate_per_s),
        in_flight=None,
        throughput_per_s=Throughput(
            min=rate_per_s * 0.993, mean=rate_per_s * 0.9998, max=rate_per_s * 1.006
        ),
        orders=whole,
        window_orders=window,
        response_ns=belief.with_intervals(latency(p50_us, spread, window.answered)),
        service_ns=latency(p50_us - 0.6, spread, window.answered),
        send_lag_ns=latency(0.4, 5, window.sent),
        engine_ns=latency(2.1, 6, window.answered),
        profiled_response_ns=latency(p50_us * 1.15, spread, rate_per_s * PROFILE_S),
        replies=ReplyCounts(executions=whole.intended // 3, remainders=whole.intended // 50),
        reject_reasons=reject_reasons(whole.rejected),
        last_reply_ns=latency(p50_us * 1.4, spread, window.answered // 10),
        curve=curve(p50_us, spread),
        engine_threads=engine_threads(rate_per_s),
        busy_ns_per_order=2_300.0,
        predicted_max_per_s=1e9 / 2_300,
        valid=True,
        findings=[],
        agents=agents(window, p50_us, spread),
        seconds=seconds(rate_per_s, p50_us),
        arrival_tests=belief.arrival_tests(("agent-0", "agent-1")),
        steadiness=belief.steadiness(rate_per_s, p50_us * 1_000),
        outlier_agents=[belief.outlier("agent-1", "load-1")] if index == LATEST else [],
        budget=belief.budget(p50_us * 1_000 * (1 + spread / 20)),
    )


def closed_level(index: int) -> LevelSummary:
    """The closed-loop level for the maximum: no offered load, so no honest send lag."""
    rate_per_s = CLOSED_RATE_PER_S
    level = open_level(index, rate_per_s, 2_480)
    return level.model_copy(
        update={
            "arrivals": "closed",
            "offered_per_s": None,
            "in_flight": CLOSED_IN_FLIGHT,
            "arrival_tests": [],
            "throughput_per_s": Throughput(
                min=rate_per_s * 0.989, mean=float(rate_per_s), max=rate_per_s * 1.012
            ),
            "findings": [
                Finding(
                    severity=Severity.NOTE,
                    code="closed-loop",
                    message="This level is closed-loop: its response times say nothing of users.",
                    level=index,
                )
            ],
            "seconds": [
                s.model_copy(update={"in_flight": CLOSED_IN_FLIGHT if s.offered else 0})
                for s in level.seconds
            ],
        }
    )


def sample_findings() -> list[Finding]:
    """One of each weight that leaves the run valid."""
    return [
        Finding(
            severity=Severity.WARNING,
            code="profiler-slows-engine",
            message="Response p99 was 15 % higher while the profiler ran, at 200,000/s.",
            advice="Figures come from the control window; lower profile.frequency_hz.",
            level=3,
        ),
        Finding(
            severity=Severity.NOTE,
            code="no-hardware-counters",
            message="This host offers no hardware counters: the profile samples cpu-clock.",
            advice="Run the engine on a bare-metal host to see cycles and cache misses.",
        ),
    ]


def sample_verdict() -> Verdict:
    """Scenario A with a busy engine thread as the limit."""
    return Verdict(
        scenario="A",
        scenario_sentence="The engine is fast: more than 100,000 orders/s over raw TCP, so the "
        "network and the API in front were the limit.",
        sustained_per_s=200_000,
        closed_loop_max_per_s=CLOSED_RATE_PER_S,
        predicted_max_per_s=1e9 / 2_300,
        bottleneck="engine",
        confidence=0.93,
        sentence="The engine sustains 200,000 orders/s; its matching thread is what limits it "
        "at 412,300/s.",
        evidence=[
            Evidence(
                quantity="Busiest engine thread",
                value="94.8 % on CPU",
                sentence="match-0 has no time left at the closed-loop maximum.",
                supports="engine",
                against=["network", "client"],
                weight=2.4,
            ),
            Evidence(
                quantity="Send lag p99",
                value="1.4 µs",
                sentence="The clients kept their schedule at every level.",
                supports=None,
                against=["client"],
                weight=1.8,
            ),
            Evidence(
                quantity="TCP round trip",
                value="21 µs",
                sentence="Smaller than the response time at the maximum, but most of it below "
                "100,000/s.",
                supports="network",
                against=["engine"],
                weight=-0.4,
            ),
        ],
        recommendation="Replace the layer in front of the engine; the engine itself takes 211 "
        "times what the API lets through.",
        next_action="Low-latency protocol: raw TCP or co-location instead of gRPC.",
        baseline_sentence="Through the Python gRPC API: 946/s, so raw TCP carries 211 times more.",
    )


NO_COUNTERS = "the virtual machine shows no hardware counters to its guest"


def sample_engine() -> EngineSummary:
    """An engine on a host without hardware counters."""
    return EngineSummary(
        source="reference",
        address="127.0.0.1:9001",
        process="loadcluster-engine (pid 4708)",
        counters=[
            Counter(event="task-clock", value=2_912_000_000.0, unit="ns", running_ratio=1.0),
            Counter(event="context-switches", value=1_204.0, running_ratio=1.0),
            Counter(event="minor-faults", value=0.0, running_ratio=0.42),
            Counter(event="cycles", value=None, why=NO_COUNTERS),
            Counter(event="instructions", value=None, why=NO_COUNTERS),
        ],
        ratios={"ipc": None, "cache_miss_ratio": None, "branch_mispredict_ratio": None},
        ratios_not_measured={
            "ipc": "cycles were not counted: " + NO_COUNTERS,
            "cache_miss_ratio": "cache-misses were not counted: " + NO_COUNTERS,
            "branch_mispredict_ratio": "branch-misses were not counted: " + NO_COUNTERS,
        },
        memory=Memory(
            peak_bytes=94_371_840,
            growth_bytes_per_s=1_536.0,
            minor_faults_per_order=0.00021,
            allocations=None,
            not_measured={"allocations": "allocations are not traced in this version"},
        ),
        threads=engine_threads(CLOSED_RATE_PER_S),
        exit=None,
        last_output="handled 7201143 orders, 3120041 trades, 64 symbols\n",
    )


def hot(name: str, module: str, self_ratio: float, total_ratio: float) -> HotFunction:
    """One function of a profile of 5,824 samples."""
    return HotFunction(
        name=name,
        module=module,
        self_ratio=self_ratio,
        total_ratio=total_ratio,
        samples=round(5_824 * self_ratio),
    )


def sample_profile() -> ProfileSummary:
    """Six hot functions, most of them in the order book."""
    binary = "loadcluster-engine"
    return ProfileSummary(
        level=4,
        sample_event="cpu-clock",
        samples=5_824,
        lost_samples=0,
        hot_functions=[
            hot("cluster::OrderBook::match(cluster::Order&)", binary, 0.312, 0.447),
            hot("cluster::OrderBook::insert(cluster::Order const&)", binary, 0.146, 0.190),
            hot(
                "std::_Rb_tree<long, std::pair<long const, cluster::PriceLevel>, "
                "std::_Select1st<std::pair<long const, cluster::PriceLevel> >, std::less<long>, "
                "std::allocator<std::pair<long const, cluster::PriceLevel> > >::find(long const&)",
                binary,
                0.121,
                0.121,
            ),
            hot("tcp_sendmsg_locked", "[kernel]", 0.084, 0.193),
            hot("cluster::Session::parse(unsigned char const*, unsigned long)", binary, 0.062, 0.7),
            hot("[unknown]", "[unknown]", 0.011, 0.011),
        ],
        off_cpu=[
            hot("ep_poll", "[kernel]", 0.92, 0.97),
            hot("futex_wait_queue", "[kernel]", 0.05, 0.05),
        ],
        capabilities=[
            Capability(what="perf", available=True),
            Capability(
                what="hardware counters",
                available=False,
                why=NO_COUNTERS,
                remedy="run on bare metal, or give the guest a virtual PMU",
            ),
            Capability(what="kernel stacks", available=True),
        ],
        artefacts=["profile/perf-report.txt", "profile/perf.folded", "profile/flamegraph.svg"],
    )


def dead_engine_summary() -> Summary:
    """A run whose engine died at half load: not valid, cut short, nulls everywhere."""
    whole = sample_summary()
    died = "the engine died: SIGSEGV"
    empty = Latency(
        count=0,
        min=None,
        mean=None,
        p50=None,
        p95=None,
        p99=None,
        p99_9=None,
        max=None,
        stdev=None,
        not_measured=dict.fromkeys(
            ("min", "mean", "p50", "p95", "p99", "p99_9", "max", "stdev"), died
        ),
    )
    orders = OrderCounts(
        intended=120_000, sent=90_000, unsent=30_000, accepted=60_000, lost=28_000, timed_out=2_000
    )
    reasons = dict.fromkeys(("min", "mean", "max"), died)
    last = whole.levels[2].model_copy(
        update={
            "orders": orders,
            "window_orders": OrderCounts(),
            "throughput_per_s": Throughput(min=None, mean=None, max=None, not_measured=reasons),
            "response_ns": empty,
            "service_ns": empty,
            "send_lag_ns": empty,
            "engine_ns": empty,
            "profiled_response_ns": None,
            "curve": [],
            "engine_threads": [],
            "busy_ns_per_order": None,
            "predicted_max_per_s": None,
            "valid": False,
            "ended_early": died,
            "seconds": whole.levels[2].seconds[:2],
            "not_measured": {"busy_ns_per_order": died, "predicted_max_per_s": died},
        }
    )
    finding = Finding(
        severity=Severity.INVALID,
        code="engine-died",
        message="The engine died at 100,000/s with SIGSEGV.",
        advice="Look at its last output below; run it under a debugger at this rate.",
        level=2,
    )
    exited = EngineExit(
        level=2,
        offered_per_s=100_000,
        exit_status=None,
        signal="SIGSEGV",
        last_output="book corrupted\n",
        sentence="The engine ended with SIGSEGV at 100,000/s.",
    )
    return whole.model_copy(
        update={
            "valid": False,
            "findings": [*whole.findings, finding],
            "levels": [*whole.levels[:2], last],
            "engine": whole.engine.model_copy(
                update={"exit": exited, "last_output": "book corrupted\n"}
            ),
            "profile": whole.profile.model_copy(
                update={
                    "level": None,
                    "samples": 0,
                    "hot_functions": [],
                    "off_cpu": [],
                    "not_measured": "perf found no process to sample: " + died,
                }
            ),
            "verdict": whole.verdict.model_copy(
                update={
                    "bottleneck": "inconclusive",
                    "confidence": 0.0,
                    "sustained_per_s": 50_000,
                    "closed_loop_max_per_s": None,
                    "predicted_max_per_s": None,
                    "sentence": "The engine sustained 50,000 orders/s and died at 100,000/s.",
                }
            ),
        }
    )


def sample_folded() -> dict[str, int]:
    """On-CPU stacks of the matching thread."""
    loop = "match-0;cluster::Server::run();cluster::Session::parse(unsigned char const*)"
    book = f"{loop};cluster::OrderBook::match(cluster::Order&)"
    tree = (
        "std::_Rb_tree<long, std::pair<long const, cluster::PriceLevel>, "
        "std::less<long> >::find(long const&)"
    )
    kernel = "__libc_send;entry_SYSCALL_64_after_hwframe;do_syscall_64;__x64_sys_sendto"
    return {
        f"{book}": 1_817,
        f"{book};{tree}": 540,
        f"{book};operator new(unsigned long);malloc": 246,
        f"{loop};cluster::OrderBook::insert(cluster::Order const&)": 850,
        f"{loop};cluster::OrderBook::insert(cluster::Order const&);{tree}": 165,
        f"{loop};cluster::OrderBook::cancel(unsigned long)": 402,
        f"{loop}": 361,
        f"match-0;cluster::Server::run();{kernel};tcp_sendmsg;tcp_sendmsg_locked": 489,
        f"match-0;cluster::Server::run();{kernel};tcp_sendmsg;tcp_push;tcp_write_xmit": 635,
        "match-0;cluster::Server::run();__libc_recv;entry_SYSCALL_64_after_hwframe;"
        "do_syscall_64;__x64_sys_recvfrom;tcp_recvmsg": 255,
        "match-0;[unknown]": 64,
    }


def sample_off_cpu_folded() -> dict[str, int]:
    """Off-CPU stacks, in ns."""
    return {
        "match-0;[waited];cluster::Server::run();epoll_wait;entry_SYSCALL_64_after_hwframe_[k];"
        "do_syscall_64_[k];__x64_sys_epoll_wait_[k];ep_poll_[k]": 41_000_000,
        "match-0;[preempted];[no stack]": 300_000,
        "engine;[waited];main;std::thread::join();futex_wait_[k]": 9_000_000_000,
    }


def sample_facts() -> dict[str, object]:
    """What two hosts said of themselves."""
    return {
        "engine-host": {
            "kernel": "6.1.0-18-amd64",
            "cpu": {"model": "AMD EPYC 7B13", "cores": 2, "governor": None},
            "clock_offset_ns": 0,
            "thp": "madvise",
            "not_measured": {"cpu.governor": "the guest has no frequency driver"},
        },
        "load-1": {"kernel": "6.1.0-18-amd64", "cpu": {"model": "AMD EPYC 7B13", "cores": 8}},
    }


def sample_events() -> list[dict[str, object]]:
    """The first events of a run."""
    return [
        {"time_ns": 1_000_000_000, "kind": "level-started", "level": 0, "offered_per_s": 10_000},
        {"time_ns": 8_001_000_000, "kind": "perf-enabled", "level": 0},
        {"time_ns": 11_002_000_000, "kind": "perf-disabled", "level": 0},
    ]
