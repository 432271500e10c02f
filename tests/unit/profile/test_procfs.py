from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.profile.procfs import ProcSample, as_json, monotonic_times_ns, parse_samples
from cluster.units import NS_PER_MS, NS_PER_S

GOLDEN = (Path(__file__).parents[2] / "data" / "perf" / "procfs.txt").read_text()

SAMPLE = """\
@ 1000000 50.25 yes
task/7/schedstat:5000 300 12
task/9/schedstat:1 2 3
task/7/status:Name:\tmatcher:0
task/7/status:VmHWM:\t    2048 kB
task/7/status:VmRSS:\t    1024 kB
task/7/status:voluntary_ctxt_switches:\t10
task/7/status:nonvoluntary_ctxt_switches:\t2
stat:7 (a (b) 9) R 1 2 3 0 -1 4194304 167 0 4 0 2 20 0 0 20 0 3
status:Name:\tmatcher:0
net/snmp:Tcp: RtoMin InSegs RetransSegs
net/snmp:Tcp: 200 17279 4
net/netstat:TcpExt: SyncookiesSent ListenOverflows
net/netstat:TcpExt: 0 6
/proc/stat:cpu  10 20 30 40 50 60 70 80 0 0
net/tcp:   1: 0100007F:2329 0100007F:D431 01 00000000:00000040 00:00000000 00000000 0
net/tcp6:   1: 00:2329 00:D431 01 00000000:00000002 00:00000000 00000000 0
. 1002000
"""


def test_a_sample_holds_threads_memory_faults_and_sockets() -> None:
    (sample,), taken = parse_samples(SAMPLE)

    assert taken == len(SAMPLE)
    assert sample.real_ns == 1_001_000_000
    assert vars(sample.threads[7]) == {
        "name": "matcher:0",
        "on_cpu_ns": 5000,
        "run_queue_wait_ns": 300,
        "voluntary_switches": 10,
        "involuntary_switches": 2,
    }
    assert sample.threads[9].name == "?"
    assert (sample.rss_bytes, sample.peak_rss_bytes) == (1024**2, 2 * 1024**2)
    assert (sample.minor_faults, sample.major_faults) == (167, 4)
    assert sample.tcp == {"InSegs": 17279, "RetransSegs": 4, "ListenOverflows": 6}
    assert sample.host_cpu_ticks == (10, 20, 30, 40, 50, 60, 70, 80, 0, 0)
    assert sample.receive_queue_bytes == 66


def test_real_samples_are_read_whole() -> None:
    samples, taken = parse_samples(GOLDEN)

    assert len(samples) == GOLDEN.count("\n. ")
    assert taken == len(GOLDEN)
    assert {"planted", "sleeper", "half"} == {t.name for t in samples[-1].threads.values()}
    assert samples[-1].threads.keys() == samples[0].threads.keys()
    assert samples[0].receive_queue_bytes == 0


@given(cut=st.integers(0, len(GOLDEN)))
def test_samples_read_in_two_pieces_are_the_same(cut: int) -> None:
    first, taken = parse_samples(GOLDEN[:cut])
    rest, _ = parse_samples(GOLDEN[taken:])

    assert first + rest == parse_samples(GOLDEN)[0]


def test_a_sample_that_did_not_look_at_the_sockets_knows_nothing_of_them() -> None:
    (sample,), _ = parse_samples("@ 1000 1.00 no\n. 2000\n")

    assert sample.receive_queue_bytes is None


def samples_at(*times: tuple[float, float]) -> list[ProcSample]:
    """Samples at (real, uptime) in s; each took 2 ms."""
    return [
        ProcSample(
            real_ns=round(real_s * NS_PER_S) + NS_PER_MS,
            uptime_ns=int(uptime_s * 100) * 10 * NS_PER_MS,
            before_ns=round(real_s * NS_PER_S),
        )
        for real_s, uptime_s in times
    ]


def test_many_coarse_uptimes_give_a_fine_time() -> None:
    # Booted at 1000 s; the samples fall everywhere between two steps of the uptime.
    truth_s = [5 + turn * 0.5037 for turn in range(50)]
    times_ns = monotonic_times_ns(samples_at(*((1000 + t, t) for t in truth_s)))

    assert times_ns == pytest.approx([(t + 0.001) * NS_PER_S for t in truth_s], abs=NS_PER_MS)


def test_a_wall_clock_that_was_set_does_not_move_the_samples() -> None:
    times_ns = monotonic_times_ns(samples_at((1005, 5), (2006, 6), (2007, 7)))

    assert times_ns == pytest.approx([5e9, 6e9, 7e9], abs=10 * NS_PER_MS)


def test_no_sample_has_no_time() -> None:
    assert monotonic_times_ns([]) == []


def test_the_artefact_holds_what_was_sampled() -> None:
    samples, _ = parse_samples(SAMPLE)
    (written,) = as_json(samples, [123])

    assert written["time_ns"] == 123
    assert written["receive_queue_bytes"] == 66
