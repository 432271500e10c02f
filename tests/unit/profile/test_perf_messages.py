import pytest

from cluster.profile.perf_messages import cause_of, lost_chunks


@pytest.mark.parametrize(
    ("said", "why", "remedy"),
    [
        (
            (
                "WARNING: perf not found for kernel 6.8.0-45\n\n  You may need to install the "
                "following packages for this specific kernel:\n    linux-tools-6.8.0-45-generic"
            ),
            "wrapper",
            "linux-tools",
        ),
        ("E: linux-perf-6.1 is not installed.", "wrapper", "apt-get"),
        ("sh: 1: perf: command not found", "not installed", "apt-get install linux-perf"),
        (
            (
                "Access to performance monitoring and observability operations is limited.\n"
                "perf_event_paranoid setting is 2:"
            ),
            "perf_event_paranoid",
            "cap_perfmon",
        ),
        ("No permission to enable cycles event.", "perf_event_paranoid", "cap_perfmon"),
        ("Couldn't create thread/CPU maps: No such process", "process is gone", "host itself"),
        ("Problems finding threads of monitor", "process is gone", "host itself"),
        ("Too many events are opened.", "one file per thread", "ulimit -n"),
        ("Permission error mapping pages.", "lock enough memory", "perf_event_mlock_kb"),
        ("The PMU counters are busy/taken by another profiler.", "another profiler", "end"),
        ("PMU Hardware doesn't support sampling/overflow-interrupts.", "can count", ""),
        ("Error:\nThe cycles event is not supported.", "hypervisor", "bare metal"),
        ("<not supported>;;cycles;0;100.00;;", "hypervisor", "bare metal"),
        ("event syntax error: 'foo'\n \\___ parser error", "does not know", "newer perf"),
        (
            (
                "event syntax error: 'sched:sched_switch'\n unknown tracepoint\n\n"
                "Error:\tUnable to find debugfs/tracefs"
            ),
            "trace points",
            "root",
        ),
        ("  Error: unknown option `control'\n\n Usage: perf stat", "too old", "newer perf"),
        ("Operation not permitted", "container", "--cap-add PERFMON"),
        ("failed to write: No space left on device", "disk is full", "TMPDIR"),
        ("WARNING: The perf.data data size field is 0 which is unexpected.", "by force", ""),
    ],
)
def test_the_texts_of_perf_have_a_cause_and_a_remedy(said: str, why: str, remedy: str) -> None:
    cause = cause_of(said)

    assert why in cause.why
    assert remedy in cause.remedy


def test_an_unknown_text_is_quoted() -> None:
    assert cause_of("one\nsomething new\n\n").why == 'perf said: "something new"'
    assert cause_of("").why == "perf gave no reason"


def test_lost_chunks_are_counted() -> None:
    assert lost_chunks("Processed 20 events and lost 3 chunks!\n\nCheck IO/CPU overload!") == 3
    assert lost_chunks("[ perf record: Captured and wrote 0.2 MB ]") == 0
