from cluster.report.cells import DASH
from cluster.report.time_line import Span, time_line, time_line_result, time_line_table
from fakes.summary import sample_summary

LEVELS = sample_summary().levels
SECONDS_PER_LEVEL = 11


def test_levels_follow_each_other_without_a_gap() -> None:
    line = time_line(LEVELS[:2])

    assert [float(i) for i in range(2 * SECONDS_PER_LEVEL)] == [p.time_s for p in line.points]
    assert (
        Span("10,000/s", "warm-up", 0, 1),
        Span("10,000/s", "control", 1, 7),
        Span("10,000/s", "profile", 7, 10),
        Span("10,000/s", "drain", 10, 11),
        Span("50,000/s", "warm-up", 11, 12),
    ) == line.spans[:5]


def test_a_point_holds_its_second_as_measured() -> None:
    second = LEVELS[0].seconds[3]

    point = time_line(LEVELS).points[3]

    assert second.offered == point.offered_per_s
    assert second.answered == point.answered_per_s
    assert second.response_p99_ns == point.response_p99_ns
    assert second.phase == point.phase


def test_nothing_is_offered_in_closed_loop() -> None:
    closed = time_line(LEVELS[-1:]).points

    assert {None} == {point.offered_per_s for point in closed}


def test_a_long_run_is_thinned_within_windows_and_keeps_the_worst_p99() -> None:
    whole, thin = time_line(LEVELS[:1]), time_line(LEVELS[:1], points_max=4)

    assert 3 == thin.seconds_per_point
    assert ["warm-up", "control", "control", "profile", "drain"] == [p.phase for p in thin.points]
    control = [p for p in whole.points if p.phase == "control"][:3]
    assert max(p.response_p99_ns or 0 for p in control) == thin.points[1].response_p99_ns
    assert sum(p.answered_per_s for p in control) / 3 == thin.points[1].answered_per_s
    assert whole.spans == thin.spans


def test_the_sentence_names_the_slowest_second_of_the_open_loop_control_windows() -> None:
    assert time_line_result(time_line(LEVELS)) == (
        "The slowest second of the control windows had a p99 of 236 µs, 35 s into the load, "
        "at 200,000/s"
    )


def test_a_run_without_levels_has_no_line() -> None:
    line = time_line([])

    assert ((), ()) == (line.points, line.spans)
    assert time_line_result(line) == "No second of an open-loop control window was measured"


def test_a_second_without_percentiles_says_why() -> None:
    drain = time_line_table(time_line(LEVELS[:1])).rows[10]

    assert (DASH, "too few orders were due in this second") == (drain[6].text, drain[6].reason)
