"""What was seen on the engine's host."""

from typing import Literal

from pydantic import Field

from cluster.results.record import Record


class ThreadUse(Record):
    """One engine thread over a window."""

    thread_id: int
    name: str
    on_cpu_ns: int
    run_queue_wait_ns: int
    voluntary_switches: int
    involuntary_switches: int

    utilisation_ratio: float  # on-CPU ns / window ns
    run_queue_ratio: float  # waiting to run / window ns


class EngineWindow(Record):
    """The engine's process and host between two procfs samples that frame a window."""

    start_ns: int  # driver's monotonic clock
    end_ns: int
    threads: list[ThreadUse]
    rss_bytes: int | None
    peak_rss_bytes: int | None
    minor_faults: int | None
    major_faults: int | None
    tcp: dict[str, int]  # increases of kernel counters: RetransSegs, ListenOverflows, …
    softirq_ratio: float | None  # of all CPU time of the host
    steal_ratio: float | None
    host_busy_ratio: float | None
    receive_queue_bytes_max: int | None  # unread bytes in the engine's sockets, largest seen
    unread_ratio: float | None = None  # looks at its sockets that found any, over all looks
    # Of the time in which the engine's kernel had replies to send: held back by the clients, who
    # did not read, and by the engine's own send buffer.
    rwnd_limited_ratio: float | None = None
    sndbuf_limited_ratio: float | None = None
    send_busy_ratio: float | None = None  # such time over the window, the busiest connection
    not_measured: dict[str, str] = Field(default_factory=dict)


class Counter(Record):
    """One perf stat event over a window. `value` None: `why` says why it could not be counted."""

    event: str
    value: float | None
    unit: str = ""
    running_ratio: float | None = None  # share of the window it was really counted
    why: str = ""


class HotFunction(Record):
    """One function of a profile."""

    name: str  # readable C++
    module: str  # file name of binary, [kernel] or [unknown]
    self_ratio: float  # share of samples with it on top
    total_ratio: float  # share of samples with it anywhere in the stack
    samples: int  # with it on top; off the CPU: ns


class ProfileWindow(Record):
    """When perf counted and sampled, in the driver's monotonic clock, and what it found."""

    level: int
    start_ns: int
    end_ns: int
    counters: list[Counter]
    ratios: dict[str, float | None]  # ipc, cache_miss_ratio, branch_mispredict_ratio, …
    ratios_not_measured: dict[str, str]
    samples: int
    sample_event: str  # cycles, or cpu-clock where there are no hardware counters
    lost_samples: int
    hot_functions: list[HotFunction]
    folded: dict[str, int]  # on-CPU stacks "a;b;c" → samples
    off_cpu_folded: dict[str, int]  # stacks at the moment of leaving the CPU → ns off the CPU


class EngineExit(Record):
    """How the engine ended, when it ended before we asked it to."""

    level: int | None
    offered_per_s: float | None
    exit_status: int | None
    signal: str | None  # SIGSEGV, SIGKILL …
    last_output: str  # last lines it printed
    sentence: str


class Capability(Record):
    """Something a lane can or can't measure on the engine's host."""

    what: str
    available: bool
    why: str = ""  # the cause, when not
    remedy: str = ""  # the line to type


EngineSource = Literal["reference", "command", "running"]
