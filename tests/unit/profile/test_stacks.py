from pathlib import Path

import pytest

from cluster.profile.stacks import Frame, Lost, Sample, Switch, parse_frame, read_script

GOLDEN = Path(__file__).parents[2] / "data" / "perf" / "script-6.1.txt"
NS = 1_000_000_000


def test_a_real_script_of_perf_6_1_is_read_whole() -> None:
    text = GOLDEN.read_text()
    events = list(read_script(text.splitlines(keepends=True)))
    samples = [event for event in events if isinstance(event, Sample)]
    switches = [event for event in events if isinstance(event, Switch)]

    assert text.count("PERF_RECORD_SWITCH") == len(switches)
    assert text.count("cpu-clock:") + text.count("sched:sched_switch:") == len(samples)
    assert text.count(" OUT preempt") == sum(switch.preempted for switch in switches)
    assert {"planted", "half", "sleeper"} == {event.thread_name for event in samples}
    assert events[0] < events[-1]
    assert text.count("\n\t") == sum(len(sample.frames) for sample in samples)


def test_frames_are_innermost_first_with_the_file_of_their_binary() -> None:
    (sample,) = read_script(
        [
            "matcher 0  100/101  [003]  12.000000345:    1003009 cycles:P: \n",
            "\tffffffff821f8b58 __schedule ([kernel.kallsyms])\n",
            "\tffffffffc0401000 nf_hook ([nf_tables])\n",
            "\t            12ef shop::Book<int>::match(int) const (/opt/engine/my engine)\n",
            "\t           2724a [unknown] (/usr/lib/libc.so.6)\n",
            "\n",
        ]
    )

    assert sample == Sample(
        12 * NS + 345,
        101,
        "matcher 0",
        "cycles:P",
        (
            Frame("__schedule", "[kernel]"),
            Frame("nf_hook", "[kernel]"),
            Frame("shop::Book<int>::match(int) const", "my engine"),
            Frame("[unknown]", "libc.so.6"),
        ),
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("\t  12ef main (/opt/engine (deleted))", Frame("main", "engine")),
        ("\t  12ef [unknown] ([unknown])", Frame("[unknown]", "[unknown]")),
        ("\t  12ef operator() (/opt/a)", Frame("operator()", "a")),
        ("\t  12ef match.constprop.0 (/opt/a)", Frame("match", "a")),
        ("\t  12ef match.cold (/opt/a)", Frame("match", "a")),
        (
            "\t  12ef clock_nanosleep@GLIBC_2.2.5 (/l/libc.so.6)",
            Frame("clock_nanosleep@GLIBC_2.2.5", "libc.so.6"),
        ),
        ("\t7ffd0 __vdso_clock_gettime ([vdso])", Frame("__vdso_clock_gettime", "[vdso]")),
        ("\t", None),
    ],
)
def test_a_line_of_a_stack_gives_its_function(line: str, expected: Frame | None) -> None:
    assert expected == parse_frame(line)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("PERF_RECORD_SWITCH IN         ", Switch(5 * NS, 7, "a", is_out=False, preempted=False)),
        ("PERF_RECORD_SWITCH OUT        ", Switch(5 * NS, 7, "a", is_out=True, preempted=False)),
        ("PERF_RECORD_SWITCH OUT preempt", Switch(5 * NS, 7, "a", is_out=True, preempted=True)),
        (
            "PERF_RECORD_SWITCH_CPU_WIDE OUT          next pid/tid:     0/0    ",
            Switch(5 * NS, 7, "a", is_out=True, preempted=False),
        ),
        ("PERF_RECORD_LOST lost 12", Lost(12)),
        ("PERF_RECORD_LOST_SAMPLES lost 3", Lost(3)),
    ],
)
def test_records_without_a_stack_are_told_by_their_text(said: str, expected: object) -> None:
    (event,) = read_script([f"a  6/7  [000]  5.000000000: {said}\n"])

    assert expected == event


def test_a_thread_name_may_look_like_anything() -> None:
    (switch,) = read_script(["io/1: [x] 3/4  6/7  [000]  5.000000000: PERF_RECORD_SWITCH IN\n"])

    assert isinstance(switch, Switch)
    assert (switch.thread_name, switch.thread_id) == ("io/1: [x] 3/4", 7)


def test_a_stack_that_is_cut_off_keeps_what_is_there() -> None:
    (sample,) = read_script(["a  6/7  [000]  5.000000000:  1 cycles: \n", "\t 12 main (/a)\n"])

    assert isinstance(sample, Sample)
    assert sample.frames == (Frame("main", "a"),)


def test_a_sample_without_a_stack_is_a_sample() -> None:
    first, second = read_script(
        [
            "a  6/7  [000]  5.000000000:  1 cycles: \n",
            "\n",
            "a  6/7  [000]  6.000000000:  1 cycles: \n",
        ]
    )

    assert isinstance(first, Sample)
    assert first.frames == ()
    assert isinstance(second, Sample)
    assert second.time_ns == 6 * NS
