import io
from typing import NoReturn

import pytest
from rich.console import Console

from cluster.analysis.uncertainty.latency import withheld
from cluster.experiment.plan import Level
from cluster.report.live import LiveSecond, LiveView, level_line, second_figures, second_line
from fakes.summary import dead_engine_summary, sample_summary

OPEN = Level(
    index=1,
    arrivals="poisson",
    offered_per_s=50_000,
    in_flight=None,
    warmup_s=1,
    control_s=6,
    profile_s=3,
    shares=(),
)
SECOND = LiveSecond(
    elapsed_s=3.04,
    phase="control",
    offered_per_s=50_000,
    throughput_per_s=49_990,
    response_p99_ns=119_000,
    in_flight=12,
    backlog=3,
    connections_open=8,
)
UNKNOWN = LiveSecond(0.5, "warm-up", None, None, None, 1_024, 0, 8)


def show_until_interrupted(console: Console) -> NoReturn:
    with LiveView(console) as view:
        view.second(SECOND)
        raise KeyboardInterrupt


def shown(*, is_terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=is_terminal, color_system=None)
    with LiveView(console) as view:
        view.level_started(OPEN)
        view.second(SECOND)
        view.message("perf: [no counters] \x1b[2J")
        view.level_ended(sample_summary().levels[1])
    view.message("afterwards")
    return out.getvalue()


def test_a_pipe_gets_one_line_per_second() -> None:
    lines = shown(is_terminal=False).splitlines()

    assert [
        "level 2: 50,000/s poisson, 10 s",
        second_line(SECOND),
        "perf: [no counters]  [2J",
        "50,000/s, throughput 49,990/s, response p99 119 µs, valid",
        "afterwards",
    ] == lines


def test_a_second_is_one_line_with_every_figure() -> None:
    assert second_line(SECOND) == (
        "   3.0 s  control   offered 50,000/s  throughput 49,990/s  response p99 119 µs  "
        "in flight 12  unanswered 15  connections 8"
    )


def test_a_terminal_gets_the_same_events_above_a_panel() -> None:
    text = shown(is_terminal=True)

    assert "level 2: 50,000/s poisson, 10 s" in text
    assert "control, 3 of 10 s" in text
    assert "perf: [no counters]  [2J" in text
    assert "afterwards" in text


def test_the_cursor_is_back_when_the_view_ends_by_an_error() -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True)

    with pytest.raises(KeyboardInterrupt):
        show_until_interrupted(console)

    text = out.getvalue()
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_what_is_not_known_yet_is_a_dash() -> None:
    figures = dict(second_figures(UNKNOWN))

    assert ("closed-loop", "–", "–", "1,024") == (  # noqa: RUF001 - the dash of a missing value
        figures["offered"],
        figures["throughput"],
        figures["response p99"],
        figures["unanswered"],
    )
    assert second_line(UNKNOWN).startswith("   0.5 s  warm-up ")


def test_a_level_without_a_steady_state_says_so_where_its_p99_would_be() -> None:
    level = sample_summary().levels[0]
    why = "unstable at this rate: unanswered orders piled up by 100/s"
    unstable = level.model_copy(update={"response_ns": withheld(level.response_ns, why)})

    assert ", response p99 unstable, " in level_line(unstable)


def test_a_level_that_ended_early_says_why() -> None:
    assert level_line(dead_engine_summary().levels[2]) == (
        "100,000/s, throughput –, response p99 –, not valid, "  # noqa: RUF001 - as above
        "ended early: the engine died: SIGSEGV"
    )
