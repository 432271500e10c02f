import pytest

from cluster.profile.aggregate import (
    Aggregation,
    WindowStacks,
    fold,
    frame_text,
    hot_functions,
    mangled_names,
    shallow_ratio,
)
from cluster.profile.stacks import Frame, Lost, Sample, Switch
from cluster.profile.window import HostWindow

MAIN = Frame("main", "engine")
MATCH = Frame("Book::match", "engine")
INSERT = Frame("Book::insert", "engine")
READ = Frame("read", "libc.so.6")
SCHEDULE = Frame("__schedule", "[kernel]")
WINDOW = HostWindow(0, 100, 200)


def sample(time_ns: int, *frames: Frame, thread: int = 1, event: str = "cycles") -> Sample:
    return Sample(time_ns, thread, f"t{thread}", event, frames)


def leaving(time_ns: int, *frames: Frame, thread: int = 1) -> Sample:
    return sample(time_ns, *frames, thread=thread, event="sched:sched_switch")


def out(time_ns: int, *, preempted: bool = False, thread: int = 1) -> Switch:
    return Switch(time_ns, thread, f"t{thread}", is_out=True, preempted=preempted)


def back(time_ns: int, thread: int = 1) -> Switch:
    return Switch(time_ns, thread, f"t{thread}", is_out=False, preempted=False)


def one_window(*events: Sample | Switch | Lost) -> WindowStacks:
    (window,) = Aggregation([WINDOW]).feed(events)
    return window


def test_samples_fall_into_the_window_of_their_time_and_none_outside() -> None:
    windows = [HostWindow(7, 300, 400), HostWindow(5, 100, 200)]
    first, second = Aggregation(windows).feed(
        sample(time_ns, MATCH) for time_ns in (99, 100, 200, 201, 299, 300, 350, 400, 401)
    )

    assert (first.window.level, first.samples) == (5, 2)
    assert (second.window.level, second.samples) == (7, 3)


def test_folded_stacks_begin_with_the_thread_and_mark_the_kernel() -> None:
    window = one_window(
        sample(110, SCHEDULE, READ, MAIN), sample(120, MATCH, MAIN), sample(130, MATCH, MAIN)
    )

    assert fold(window.on_cpu, {}) == {
        "t1;main;Book::match": 2,
        "t1;main;read;__schedule_[k]": 1,
    }


def test_time_off_the_cpu_lies_between_leaving_and_coming_back() -> None:
    window = one_window(leaving(119, SCHEDULE, READ), out(120), back(150), sample(160, MATCH))

    assert fold(window.off_cpu_ns, {}) == {"t1;[waited];read;__schedule_[k]": 30}
    assert window.off_cpu_ns_with_stack == 30
    assert window.samples == 1


def test_a_preempted_thread_is_told_from_one_that_waited() -> None:
    window = one_window(leaving(119, SCHEDULE, MATCH), out(120, preempted=True), back(150))

    assert fold(window.off_cpu_ns, {}) == {"t1;[preempted];Book::match;__schedule_[k]": 30}


def test_a_switch_without_its_own_stack_takes_the_last_of_its_kind() -> None:
    window = one_window(
        *(leaving(109, READ), out(110), back(120)),
        *(leaving(129, MATCH), out(130, preempted=True), back(140)),
        *(out(150), back(157)),
    )

    assert fold(window.off_cpu_ns, {}) == {
        "t1;[waited];read": 17,
        "t1;[preempted];Book::match": 10,
    }
    assert window.off_cpu_ns_with_stack == 27


def test_without_any_switch_stack_the_last_sample_stands_in_and_says_so() -> None:
    window = one_window(sample(110, READ, MAIN), out(120), back(130), out(140, preempted=True))

    assert fold(window.off_cpu_ns, {}) == {
        "t1;[waited];[last sample before leaving the CPU];main;read": 10,
        "t1;[preempted];[last sample before leaving the CPU];main;read": 60,
    }
    assert window.off_cpu_ns_with_stack == 0


def test_time_off_the_cpu_is_clipped_to_the_window() -> None:
    window = one_window(back(150), out(170))

    assert fold(window.off_cpu_ns, {}) == {
        "t1;[left the CPU before the window]": 50,
        "t1;[waited];[no stack]": 30,
    }


def test_a_window_knows_nothing_of_the_window_before() -> None:
    windows = [HostWindow(0, 100, 200), HostWindow(1, 300, 400)]
    first, second = Aggregation(windows).feed(
        [leaving(149, READ), out(150), back(320), sample(330, MATCH), out(390)]
    )

    assert fold(first.off_cpu_ns, {}) == {"t1;[waited];read": 50}
    assert fold(second.off_cpu_ns, {}) == {
        "t1;[left the CPU before the window]": 20,
        "t1;[waited];[last sample before leaving the CPU];Book::match": 10,
    }


def test_threads_do_not_mix() -> None:
    window = one_window(
        out(110, thread=1), out(120, thread=2), back(130, thread=1), back(150, thread=2)
    )

    assert fold(window.off_cpu_ns, {}) == {
        "t2;[waited];[no stack]": 30,
        "t1;[waited];[no stack]": 20,
    }


def test_lost_records_count_for_the_window_they_appear_in() -> None:
    windows = [HostWindow(0, 100, 200), HostWindow(1, 300, 400)]
    first, second = Aggregation(windows).feed(
        [Lost(5), sample(150, MATCH), sample(310, MATCH), Lost(2)]
    )

    assert (first.lost, second.lost) == (5, 2)


def test_hot_functions_rank_by_their_own_time_and_count_recursion_once() -> None:
    window = one_window(
        *(sample(100 + i, MATCH, MATCH, MATCH, MAIN) for i in range(7)),
        *(sample(110 + i, INSERT, MAIN) for i in range(3)),
    )
    found = [
        (f.name, f.module, f.self_ratio, f.total_ratio, f.samples)
        for f in hot_functions(window.on_cpu, {})
    ]

    assert found == [
        ("Book::match", "engine", 0.7, 0.7, 7),
        ("Book::insert", "engine", 0.3, 0.3, 3),
        ("main", "engine", 0.0, 1.0, 0),
    ]


def test_without_samples_there_are_no_hot_functions() -> None:
    assert hot_functions({}, {}) == []
    assert shallow_ratio({}) is None


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (Frame("[unknown]", "libstdc++.so.6"), "[libstdc++.so.6]"),
        (Frame("[unknown]", "[kernel]"), "[kernel]"),
        (Frame("[unknown]", "[unknown]"), "[unknown]"),
        (Frame("a;b", "engine"), "a:b"),
        (Frame("_ZN4Book5matchEv", "engine"), "Book::match()"),
    ],
)
def test_a_frame_never_breaks_a_folded_stack(frame: Frame, expected: str) -> None:
    assert expected == frame_text(frame, {"_ZN4Book5matchEv": "Book::match()"})


def test_a_thread_name_never_breaks_a_folded_stack() -> None:
    window = one_window(
        Sample(110, 1, "a;b\tc", "cycles", (MAIN,)), Switch(120, 1, "a;b", True, False)
    )

    assert fold(window.on_cpu, {}) == {"a:b c;main": 1}
    assert next(iter(fold(window.off_cpu_ns, {}))).split(";")[:2] == ["a:b", "[waited]"]


def test_names_that_perf_left_mangled_are_found() -> None:
    window = one_window(sample(110, Frame("_ZN4Book5matchEv", "engine"), MAIN))

    assert mangled_names([window]) == ["_ZN4Book5matchEv"]


def test_only_the_engines_own_functions_tell_whether_callers_are_missing() -> None:
    window = one_window(
        sample(110, MATCH),
        sample(120, SCHEDULE, MATCH),
        sample(130, MATCH, MAIN),
        sample(140, SCHEDULE),
        sample(150, READ),
        sample(160, Frame("clock_gettime", "[vdso]")),
    )

    assert shallow_ratio(window.on_cpu) == pytest.approx(2 / 3)
