"""The engine over a window: the difference of two procfs samples."""

from collections.abc import Sequence
from typing import Final, TypeVar

from cluster.profile.procfs import ProcSample, ThreadSample
from cluster.profile.sends import held_back
from cluster.results.engine import EngineWindow, ThreadUse

_Number = TypeVar("_Number", int, float)

# Samples inside the window describe nothing but the window. Where they span less than this share
# of it, the ones around it are taken.
_INSIDE_RATIO_MIN: Final = 0.5
# Columns of the line `cpu` in /proc/stat (man 5 proc). Guest time is part of user time.
_IDLE, _IOWAIT, _SOFTIRQ, _STEAL, _COLUMNS = 3, 4, 6, 7, 8
_SENDS: Final = ("rwnd_limited_ratio", "sndbuf_limited_ratio", "send_busy_ratio")
_RARELY: Final = "the host has so many sockets that they are looked at rarely"
_VANISHED: Final = "the engine's process was gone"


def window_between(
    samples: Sequence[ProcSample], times_ns: Sequence[int], start_ns: int, end_ns: int
) -> EngineWindow | None:
    """What the engine did from `start_ns` to `end_ns`; None without two samples that frame it.

    Args:
        samples: In the order of time.
        times_ns: When each was taken, in the clock of `start_ns` and `end_ns`.
        start_ns: Begin of the window.
        end_ns: End of the window.

    Returns:
        The difference of the samples next to the window's ends. Its times are those of the
        samples, and every ratio is over the time between them.
    """
    framing = _framing(times_ns, start_ns, end_ns)
    if framing is None:
        return None
    first, last = framing
    inside = samples[first : last + 1]
    begin, end = inside[0], inside[-1]
    span_ns = times_ns[last] - times_ns[first]
    not_measured: dict[str, str] = {}

    def noted(name: str, value: _Number | None, why: str) -> _Number | None:
        if value is None:
            not_measured[name] = why
        return value

    cpu = _host_cpu(begin, end)
    if cpu is None:
        for name in ("softirq_ratio", "steal_ratio", "host_busy_ratio"):
            not_measured[name] = "/proc/stat of the engine's host gave no two different readings"
    sends = held_back(inside, span_ns)
    if isinstance(sends, str):
        not_measured |= dict.fromkeys(_SENDS, sends)
    return EngineWindow(
        start_ns=times_ns[first],
        end_ns=times_ns[last],
        threads=_threads(inside, span_ns),
        rss_bytes=noted("rss_bytes", end.rss_bytes, _VANISHED),
        peak_rss_bytes=noted("peak_rss_bytes", end.peak_rss_bytes, _VANISHED),
        minor_faults=noted("minor_faults", _grown(begin, end, "minor_faults"), _VANISHED),
        major_faults=noted("major_faults", _grown(begin, end, "major_faults"), _VANISHED),
        tcp={name: end.tcp[name] - begin.tcp[name] for name in end.tcp if name in begin.tcp},
        softirq_ratio=cpu[0] if cpu else None,
        steal_ratio=cpu[1] if cpu else None,
        host_busy_ratio=cpu[2] if cpu else None,
        receive_queue_bytes_max=noted("receive_queue_bytes_max", _largest_queue(inside), _RARELY),
        unread_ratio=noted("unread_ratio", _unread_ratio(inside), _RARELY),
        not_measured=not_measured,
        **(dict.fromkeys(_SENDS) if isinstance(sends, str) else sends),
    )


def _framing(times_ns: Sequence[int], start_ns: int, end_ns: int) -> tuple[int, int] | None:
    inside = [i for i, time_ns in enumerate(times_ns) if start_ns <= time_ns <= end_ns]
    if inside:
        spanned_ns = times_ns[inside[-1]] - times_ns[inside[0]]
        if spanned_ns >= _INSIDE_RATIO_MIN * (end_ns - start_ns) > 0:
            return inside[0], inside[-1]
    if not times_ns:
        return None
    first = min(range(len(times_ns)), key=lambda i: abs(times_ns[i] - start_ns))
    last = min(range(len(times_ns)), key=lambda i: abs(times_ns[i] - end_ns))
    if first == last:
        # A window shorter than the sampling: the samples before and after it.
        first = max((i for i, time_ns in enumerate(times_ns) if time_ns <= start_ns), default=last)
        last = min((i for i, time_ns in enumerate(times_ns) if time_ns >= end_ns), default=first)
    return (first, last) if first < last else None


def _threads(inside: Sequence[ProcSample], span_ns: int) -> list[ThreadUse]:
    """Every thread seen: one that began meanwhile from zero, one that ended until last seen."""
    begin = inside[0].threads
    latest: dict[int, ThreadSample] = {}
    for sample in inside:
        latest |= sample.threads
    uses = [_use(tid, begin.get(tid, ThreadSample()), latest[tid], span_ns) for tid in latest]
    return sorted(uses, key=lambda use: (-use.on_cpu_ns, use.thread_id))


def _use(tid: int, begin: ThreadSample, end: ThreadSample, span_ns: int) -> ThreadUse:
    on_cpu_ns = end.on_cpu_ns - begin.on_cpu_ns
    waited_ns = end.run_queue_wait_ns - begin.run_queue_wait_ns
    return ThreadUse(
        thread_id=tid,
        name=end.name,
        on_cpu_ns=on_cpu_ns,
        run_queue_wait_ns=waited_ns,
        voluntary_switches=end.voluntary_switches - begin.voluntary_switches,
        involuntary_switches=end.involuntary_switches - begin.involuntary_switches,
        utilisation_ratio=on_cpu_ns / span_ns,
        run_queue_ratio=waited_ns / span_ns,
    )


def _grown(begin: ProcSample, end: ProcSample, name: str) -> int | None:
    before, after = getattr(begin, name), getattr(end, name)
    return None if before is None or after is None else int(after - before)


def _host_cpu(begin: ProcSample, end: ProcSample) -> tuple[float, float, float] | None:
    """Shares of softirq, steal and busy in all CPU time of the host."""
    if not begin.host_cpu_ticks or not end.host_cpu_ticks:
        return None
    ticks = [
        after - before
        for before, after in zip(
            begin.host_cpu_ticks[:_COLUMNS], end.host_cpu_ticks[:_COLUMNS], strict=True
        )
    ]
    total = sum(ticks)
    if total <= 0:
        return None
    busy = total - ticks[_IDLE] - ticks[_IOWAIT]
    return ticks[_SOFTIRQ] / total, ticks[_STEAL] / total, busy / total


def _unread_ratio(inside: Sequence[ProcSample]) -> float | None:
    looks = [s.receive_queue_bytes > 0 for s in inside if s.receive_queue_bytes is not None]
    return sum(looks) / len(looks) if looks else None


def _largest_queue(inside: Sequence[ProcSample]) -> int | None:
    return max(
        (s.receive_queue_bytes for s in inside if s.receive_queue_bytes is not None), default=None
    )
