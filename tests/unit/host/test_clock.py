import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.host.clock import best_offset
from cluster.host.supervised import Ended, Exchange, ended

NS = st.integers(0, 10**9)


def exchange(sent_ns: int, offset_ns: int, there_ns: int, inside_ns: int, back_ns: int) -> Exchange:
    received_ns = sent_ns + there_ns + offset_ns
    replied_ns = received_ns + inside_ns
    return Exchange(sent_ns, received_ns, replied_ns, replied_ns - offset_ns + back_ns)


@given(
    st.integers(-(10**15), 10**15),
    st.lists(st.tuples(NS, NS, NS, NS), min_size=1),
    st.integers(0, 10**6),
)
def test_the_true_offset_is_always_within_the_stated_error(
    offset_ns: int, ways: list[tuple[int, int, int, int]], clock_error_ns: int
) -> None:
    found = best_offset([exchange(sent, offset_ns, *rest) for sent, *rest in ways], clock_error_ns)

    assert abs(found.offset_ns - offset_ns) <= found.error_ns - clock_error_ns


def test_the_quickest_exchange_decides() -> None:
    slow, quick = exchange(0, 500, 900, 10, 100), exchange(0, 500, 20, 10, 20)

    found = best_offset([slow, quick, slow], 7)

    assert (500, 20 + 1 + 7) == (found.offset_ns, found.error_ns)
    assert 100 == found.to_driver_ns(600)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0, (0, None)),
        (3, (3, None)),
        (130, (None, "SIGINT")),
        (139, (None, "SIGSEGV")),
        # perf itself ends with statuses that are no signals.
        (255, (255, None)),
        (244, (244, None)),
    ],
)
def test_a_status_is_an_exit_or_a_signal(status: int, expected: tuple[int | None, str]) -> None:
    told = ended(status, "exited", "", "")

    assert expected == (told.exit_status, told.signal)


def test_a_reason_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown reason: bored"):
        ended(0, "bored", "", "")


def test_how_a_command_ended_is_a_value() -> None:
    assert Ended(None, "SIGINT", "stopped", "a", "b") == ended(130, "stopped", "a", "b")
