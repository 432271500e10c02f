import pytest

from confusion.outcome import Matrix, Outcome
from confusion.table import kept, render, totals_text


def outcome(truth: str, answer: str, confidence: float = 0.8, **facts: object) -> Outcome:
    return Outcome.model_validate(
        {
            "cause": f"{truth}: planted",
            "strength": "strong",
            "truth": truth,
            "repeat": 0,
            "answer": answer,
            "confidence": confidence,
            "sentence": f"It is the {answer}.",
            "run": "run",
            "took_s": 1.0,
            "notes": [],
        }
        | facts
    )


def matrix(*outcomes: Outcome, skipped: dict[str, str] | None = None) -> Matrix:
    return Matrix(
        version="1.2.3",
        measured_at="2026-01-02 03:04 UTC",
        machine="a machine",
        control_s=3,
        disturbed=2,
        outcomes=list(outcomes),
        skipped=skipped or {},
    )


def test_a_row_counts_its_answers_and_takes_the_mean_confidence_of_the_named() -> None:
    page = render(
        matrix(
            outcome("engine", "engine", 0.9),
            outcome("engine", "engine", 0.7),
            outcome("engine", "network", 0.8),
            outcome("engine", "inconclusive", 0.0),
        ),
        {},
    )

    assert "| engine: planted | strong | engine | **2** | 1 |  | 1 | 0.80 | 4 |" in page


def test_a_row_in_which_no_cause_is_named_has_no_confidence() -> None:
    page = render(matrix(outcome("none", "inconclusive", 0.0)), {})

    assert "| none: planted | strong | none |  |  |  | 1 |  | 1 |" in page


def test_the_totals_count_what_is_right_among_the_named() -> None:
    text = totals_text(
        [
            outcome("engine", "engine", 0.95),
            outcome("client", "client", 0.7),
            outcome("client", "network", 0.7),
            outcome("network", "inconclusive", 0.0),
            outcome("none", "inconclusive", 0.0),
        ]
    )

    assert "2 of 3 named causes are right (66.7%" in text
    assert "Confidently wrong: 0 of 1 answers" in text
    assert "2 of 5 runs were inconclusive, 1 of them with nothing planted" in text


def test_a_cause_named_where_nothing_is_planted_is_wrong() -> None:
    told = outcome("none", "engine", 0.95)

    assert not told.right
    assert told.confidently_wrong


@pytest.mark.parametrize(("confidence", "wrong"), [(0.89, False), (0.9, True)])
def test_confidently_wrong_begins_at_nine_tenths(confidence: float, *, wrong: bool) -> None:
    assert outcome("engine", "client", confidence).confidently_wrong is wrong


def test_the_promise_is_kept_at_nineteen_of_twenty() -> None:
    right = [outcome("engine", "engine")]

    assert kept([*right * 19, outcome("engine", "client", 0.6)])
    assert not kept([*right * 18, outcome("engine", "client", 0.6)])


def test_one_confidently_wrong_answer_breaks_the_promise() -> None:
    assert not kept([*[outcome("engine", "engine")] * 99, outcome("engine", "client", 0.9)])


def test_a_run_without_an_answer_breaks_the_promise() -> None:
    assert not kept([outcome("engine", "engine"), outcome("engine", "no answer", 0.0)])


def test_an_empty_matrix_keeps_no_promise() -> None:
    assert not kept([outcome("none", "inconclusive", 0.0)])


def test_the_page_says_where_when_and_with_what_it_was_measured() -> None:
    page = render(
        matrix(outcome("client", "engine", 0.7), skipped={"network: delay": "needs root"}),
        {"client: planted": "its CPU is taken"},
    )

    assert "Measured 2026-01-02 03:04 UTC with loadcluster 1.2.3 on a machine" in page
    assert "2 disturbed runs were done again" in page
    assert "- network: delay: needs root." in page
    assert "- client: planted, strong: It is the engine." in page
    assert "| client: planted | its CPU is taken |" in page
    assert "make confusion-matrix" in page
