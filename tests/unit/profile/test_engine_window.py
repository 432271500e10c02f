from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.profile.engine_window import window_between
from cluster.profile.procfs import ProcSample, ThreadSample
from cluster.results.engine import EngineWindow
from cluster.units import NS_PER_MS, NS_PER_S


def sample(**changes: object) -> ProcSample:
    fields: dict[str, object] = {
        "real_ns": 0,
        "uptime_ns": 0,
        "before_ns": 0,
        "rss_bytes": 1,
        "peak_rss_bytes": 2,
        "minor_faults": 0,
        "major_faults": 0,
        "host_cpu_ticks": (0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        "receive_queue_bytes": 0,
    }
    return ProcSample(**fields | changes)  # type: ignore[arg-type]  # the values are of its fields


def busy(times_s: Sequence[float], ratio: float) -> list[ProcSample]:
    return [
        sample(threads={1: ThreadSample("a", on_cpu_ns=round(ratio * t * NS_PER_S))})
        for t in times_s
    ]


def between(
    samples: Sequence[ProcSample], times_s: Sequence[float], start_s: float, end_s: float
) -> EngineWindow | None:
    ns = [round(t * NS_PER_S) for t in times_s]
    return window_between(samples, ns, round(start_s * NS_PER_S), round(end_s * NS_PER_S))


def test_samples_inside_the_window_are_preferred_and_their_times_told() -> None:
    times_s = [0.9, 1.4, 1.9, 2.4, 2.9, 3.4]
    window = between(busy(times_s, 0.5), times_s, 1, 3)

    assert window is not None
    assert (window.start_ns, window.end_ns) == (1.4 * NS_PER_S, 2.9 * NS_PER_S)
    assert window.threads[0].utilisation_ratio == pytest.approx(0.5)
    assert window.threads[0].on_cpu_ns == 0.75 * NS_PER_S


def test_a_window_shorter_than_the_sampling_takes_the_samples_around_it() -> None:
    times_s = [1.0, 2.0]
    window = between(busy(times_s, 0.25), times_s, 1.2, 1.4)

    assert window is not None
    assert (window.start_ns, window.end_ns) == (NS_PER_S, 2 * NS_PER_S)
    assert window.threads[0].utilisation_ratio == pytest.approx(0.25)


@pytest.mark.parametrize("times_s", [[], [1.5], [9.0]])
def test_without_two_samples_there_is_no_window(times_s: list[float]) -> None:
    assert between(busy(times_s, 1), times_s, 1, 2) is None


@given(
    gaps_ms=st.lists(st.integers(100, 900), min_size=2, max_size=30),
    start_ms=st.integers(0, 5000),
    length_ms=st.integers(1, 5000),
    ratio=st.floats(0, 1),
)
def test_a_steady_thread_has_its_utilisation_in_every_window(
    gaps_ms: list[int], start_ms: int, length_ms: int, ratio: float
) -> None:
    times_s = [sum(gaps_ms[:count]) / 1000 for count in range(1, len(gaps_ms) + 1)]
    window = between(busy(times_s, ratio), times_s, start_ms / 1000, (start_ms + length_ms) / 1000)

    if window is not None:
        assert window.end_ns > window.start_ns
        assert window.threads[0].utilisation_ratio == pytest.approx(ratio, abs=1e-6)


def test_threads_that_come_and_go_are_counted_as_long_as_they_lived() -> None:
    samples = [
        sample(threads={1: ThreadSample("old", on_cpu_ns=100), 2: ThreadSample("gone", 100)}),
        sample(threads={1: ThreadSample("old", on_cpu_ns=200), 2: ThreadSample("gone", 150)}),
        sample(threads={1: ThreadSample("old", on_cpu_ns=500), 3: ThreadSample("new", 70)}),
    ]
    window = window_between(samples, [0, 500, 1000], 0, 1000)

    assert window is not None
    assert {(t.name, t.on_cpu_ns) for t in window.threads} == {
        ("old", 400),
        ("gone", 50),
        ("new", 70),
    }
    assert window.threads[0].name == "old"


def test_the_host_is_measured_in_shares_of_its_cpu_time() -> None:
    # user nice system idle iowait irq softirq steal guest guest_nice
    after = (10, 0, 20, 40, 10, 0, 15, 5, 10, 0)
    window = window_between([sample(), sample(host_cpu_ticks=after)], [0, 1000], 0, 1000)

    assert window is not None
    assert window.softirq_ratio == pytest.approx(0.15)
    assert window.steal_ratio == pytest.approx(0.05)
    assert window.host_busy_ratio == pytest.approx(0.5)


def test_kernel_counters_are_increases_and_the_queue_its_largest() -> None:
    samples = [
        sample(tcp={"RetransSegs": 5}, receive_queue_bytes=1, minor_faults=10),
        sample(tcp={"RetransSegs": 6}, receive_queue_bytes=900, minor_faults=11),
        sample(tcp={"RetransSegs": 9, "InSegs": 4}, receive_queue_bytes=None, minor_faults=30),
    ]
    window = window_between(samples, [0, 500, 1000], 0, 1000)

    assert window is not None
    assert window.tcp == {"RetransSegs": 4}
    assert window.receive_queue_bytes_max == 900
    assert (window.minor_faults, window.major_faults) == (20, 0)


def test_what_was_not_seen_is_none_with_a_reason() -> None:
    blind = sample(
        rss_bytes=None,
        peak_rss_bytes=None,
        minor_faults=None,
        major_faults=None,
        host_cpu_ticks=(),
        receive_queue_bytes=None,
    )
    window = window_between([blind, blind], [0, NS_PER_MS], 0, NS_PER_MS)

    assert window is not None
    nones = {name for name in EngineWindow.model_fields if getattr(window, name) is None}
    assert nones == set(window.not_measured)
    assert all(window.not_measured.values())
