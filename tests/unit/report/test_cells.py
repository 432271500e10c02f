import pytest

from cluster.report.cells import (
    DASH,
    Cell,
    Table,
    columns,
    count,
    duration,
    format_count,
    format_ratio,
    missing,
    rate,
    words,
)


def test_a_missing_value_is_a_dash_with_its_reason() -> None:
    assert Cell(DASH, "no counters", "muted") == duration(None, "no counters")
    assert rate(None, "").reason == "not measured"


def test_a_measured_zero_is_not_missing() -> None:
    assert not count(0).is_missing
    assert count(0).text == "0"


def test_a_table_gives_each_reason_once() -> None:
    table = Table(
        columns(("p50", "p99")),
        ((missing("b"), missing("a")), (missing("b"), count(1))),
    )

    assert ("b", "a") == table.reasons


def test_reasons_that_differ_only_in_what_is_missing_become_one() -> None:
    cells = (missing("cycles: not offered"), missing("branches: not offered"), missing("too few"))

    table = Table(columns(("p50", "p95", "p99")), (cells, cells))

    assert ("cycles, branches: not offered", "too few") == table.reasons


def test_a_column_that_the_glossary_does_not_explain_is_refused() -> None:
    with pytest.raises(KeyError):
        columns(("latency",))


def test_words_are_not_set_as_numbers() -> None:
    level, p50 = columns(("Level", "p50"), words=("Level",))

    assert (False, True) == (level.numeric, p50.numeric)


def test_nothing_to_say_is_a_dash_without_a_reason() -> None:
    assert Cell(DASH) == words("")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 %"), (0.985, "98.5 %"), (0.00021, "0.021 %"), (0.99996, "100 %"), (1.5, "150 %")],
)
def test_a_ratio_is_written_as_a_percentage(value: float, text: str) -> None:
    assert text == format_ratio(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_234_567, "1,234,567"),
        (0.5, "0.5"),
        (2.3456, "2.35"),
        (1234.56, "1,234.6"),
        (0.0000537, "0.000054"),
    ],
)
def test_numbers_are_short_and_separated(value: float, text: str) -> None:
    assert text == format_count(value)
