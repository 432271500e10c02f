"""What `procfs.sh` wrote: samples of the engine's threads, memory and sockets, and of its host."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cluster.units import NS_PER_MS, NS_PER_S, NS_PER_US

# Counters of /proc/net/{snmp,netstat} that tell of loss, of a full queue or of a slow reader.
TCP_COUNTERS: Final = frozenset(
    (
        "InSegs",
        "OutSegs",
        "RetransSegs",
        "InErrs",
        "OutRsts",
        "EstabResets",
        "ListenOverflows",
        "ListenDrops",
        "TCPBacklogDrop",
        "TCPRcvQDrop",
        "PruneCalled",
        "RcvPruned",
        "TCPToZeroWindowAdv",
        "TCPWantZeroWindowAdv",
        "TCPTimeouts",
        "TCPLostRetransmit",
        "TCPSynRetrans",
        "TCPAutoCorking",
        "DelayedACKs",
    )
)
_SCHEDSTAT = re.compile(r"task/(\d+)/schedstat:(\d+) (\d+) (\d+)$")
_STATUS = re.compile(r"task/(\d+)/status:(\w+):\s*(.*)$")
_NET = re.compile(r"net/(?:snmp|netstat):(Tcp|TcpExt): (.*)$")
_SENDS = re.compile(r"ss:(busy|rwnd_limited|sndbuf_limited):(\d+)ms$")
_CONNECTION = re.compile(r"ss:\d+ +\d+ +(\S+) +(\S+)$")
_SS_REFUSED: Final = "ss:refused"
_SOCKET = re.compile(r"net/tcp6?:.* 01 [0-9A-F]{8}:([0-9A-F]{8}) ")
# /proc/uptime advances in steps of 10 ms, so real time minus uptime scatters by as much.
_UPTIME_STEP_NS: Final = 10 * NS_PER_MS
_KIB: Final = 1024


@dataclass
class ThreadSample:
    """One thread since it began."""

    name: str = "?"
    on_cpu_ns: int = 0
    run_queue_wait_ns: int = 0
    voluntary_switches: int = 0
    involuntary_switches: int = 0


@dataclass
class SendTimes:
    """What the kernel says of one connection's sending since it began, ms (tcp_info, by ss)."""

    busy: int = 0  # there were bytes to send
    rwnd_limited: int = 0  # held back by the receive window of the other end
    sndbuf_limited: int = 0  # held back by our own send buffer


@dataclass
class ProcSample:
    """One sample. What could not be read is None, or missing from its mapping."""

    real_ns: int  # CLOCK_REALTIME, in the middle of the sample
    uptime_ns: int  # when it began; whole 10 ms
    before_ns: int  # CLOCK_REALTIME when it began
    threads: dict[int, ThreadSample] = field(default_factory=dict)
    rss_bytes: int | None = None
    peak_rss_bytes: int | None = None
    minor_faults: int | None = None
    major_faults: int | None = None
    tcp: dict[str, int] = field(default_factory=dict)
    host_cpu_ticks: tuple[int, ...] = ()
    receive_queue_bytes: int | None = None  # None: this sample did not look
    # By the addresses of the connection; None: this sample did not look, or there is no ss.
    sends: dict[str, SendTimes] | None = None


def parse_samples(text: str) -> tuple[list[ProcSample], int]:
    """Every whole sample in `text`, and how many characters they took."""
    samples = []
    taken = 0
    position = 0
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        position += len(line)
        if line.startswith("@ "):
            lines = [line]
        elif line.startswith(". ") and line.endswith("\n") and lines:
            samples.append(_sample([*lines, line]))
            lines = []
            taken = position
        elif lines:
            lines.append(line)
    return samples, taken


def _sample(lines: Sequence[str]) -> ProcSample:
    _, before_us, uptime_s, looked = lines[0].split()
    before_ns = int(before_us) * NS_PER_US
    after_ns = int(lines[-1].split()[1]) * NS_PER_US
    sample = ProcSample(
        real_ns=(before_ns + after_ns) // 2,
        uptime_ns=round(float(uptime_s) * NS_PER_S),
        before_ns=before_ns,
        receive_queue_bytes=0 if looked == "yes" else None,
    )
    net_names: dict[str, list[str]] = {}
    for line in lines[1:-1]:
        if line.startswith("ss:"):
            continue
        _take(sample, line.rstrip("\n"), net_names)
    if looked == "yes":
        sample.sends = _sends([line.rstrip("\n") for line in lines if line.startswith("ss:")])
    return sample


def _sends(lines: Sequence[str]) -> dict[str, SendTimes] | None:
    """The connections that ss told of; a line of addresses, then lines of their times."""
    if _SS_REFUSED in lines:
        return None
    sends: dict[str, SendTimes] = {}
    times = SendTimes()
    for line in lines:
        if found := _CONNECTION.match(line):
            times = sends.setdefault(f"{found[1]} {found[2]}", SendTimes())
        elif found := _SENDS.match(line):
            setattr(times, found[1], int(found[2]))
    return sends


def _take(sample: ProcSample, line: str, net_names: dict[str, list[str]]) -> None:
    if found := _SCHEDSTAT.match(line):
        thread = sample.threads.setdefault(int(found[1]), ThreadSample())
        thread.on_cpu_ns, thread.run_queue_wait_ns = int(found[2]), int(found[3])
    elif found := _STATUS.match(line):
        thread = sample.threads.setdefault(int(found[1]), ThreadSample())
        _take_status(sample, thread, found[2], found[3])
    elif found := _NET.match(line):
        names = net_names.setdefault(found[1], found[2].split())
        if names != found[2].split():
            sample.tcp |= {
                name: int(value)
                for name, value in zip(names, found[2].split(), strict=False)
                if name in TCP_COUNTERS
            }
    elif found := _SOCKET.match(line):
        sample.receive_queue_bytes = (sample.receive_queue_bytes or 0) + int(found[1], 16)
    elif line.startswith("/proc/stat:cpu "):
        sample.host_cpu_ticks = tuple(map(int, line.split()[1:]))
    elif line.startswith("stat:"):
        # The name in parentheses may hold anything; the numbers follow the last one.
        fields = line.rpartition(")")[2].split()
        sample.minor_faults, sample.major_faults = int(fields[7]), int(fields[9])


def _take_status(sample: ProcSample, thread: ThreadSample, key: str, value: str) -> None:
    match key:
        case "Name":
            thread.name = value
        case "voluntary_ctxt_switches":
            thread.voluntary_switches = int(value)
        case "nonvoluntary_ctxt_switches":
            thread.involuntary_switches = int(value)
        case "VmRSS":
            sample.rss_bytes = int(value.split(maxsplit=1)[0]) * _KIB
        case "VmHWM":
            sample.peak_rss_bytes = int(value.split(maxsplit=1)[0]) * _KIB


def monotonic_times_ns(samples: Sequence[ProcSample]) -> list[int]:
    """When each sample was taken, in the host's CLOCK_MONOTONIC.

    Real time minus uptime is constant but for the coarse steps of the uptime, so the least
    difference of many samples is the offset between the clocks, to about 10 ms / samples. If
    the differences scatter more than the steps, the clock was set meanwhile: then the uptime
    itself is used, with its steps of 10 ms. Equal to CLOCK_MONOTONIC on hosts that don't suspend.
    """
    if not samples:
        return []
    differences = [sample.before_ns - sample.uptime_ns for sample in samples]
    least = min(differences)
    if max(differences) - least <= 2 * _UPTIME_STEP_NS:
        return [sample.real_ns - least for sample in samples]
    return [
        sample.uptime_ns + _UPTIME_STEP_NS // 2 + sample.real_ns - sample.before_ns
        for sample in samples
    ]


def as_json(samples: Iterable[ProcSample], times_ns: Iterable[int]) -> list[Mapping[str, object]]:
    """The samples for procfs.json; `times_ns` in the driver's clock."""
    return [
        {
            "time_ns": time_ns,
            "threads": {str(tid): vars(thread) for tid, thread in sample.threads.items()},
            "rss_bytes": sample.rss_bytes,
            "peak_rss_bytes": sample.peak_rss_bytes,
            "minor_faults": sample.minor_faults,
            "major_faults": sample.major_faults,
            "tcp": sample.tcp,
            "host_cpu_ticks": sample.host_cpu_ticks,
            "receive_queue_bytes": sample.receive_queue_bytes,
            "sends_ms": sample.sends and {who: vars(ms) for who, ms in sample.sends.items()},
        }
        for sample, time_ns in zip(samples, times_ns, strict=True)
    ]
