from hypothesis import given
from hypothesis import strategies as st

from cluster.results.replies import RejectReason, ReplyCounts, ReplyManners, reason_text

COUNTS = st.builds(ReplyCounts, **dict.fromkeys(ReplyCounts.model_fields, st.integers(0, 2**63)))


def test_a_reason_that_can_be_printed_stays_as_it_is():
    assert reason_text(b"103") == "103"
    assert reason_text("zu früh".encode()) == "zu früh"


def test_a_reason_that_can_not_be_printed_is_escaped():
    assert reason_text(b"\x00\xff") == r"\x00\xff"
    assert reason_text("a\u202eb".encode()) == r"a\u202eb"
    assert reason_text(b"\x1b[31m\n") == r"\x1b[31m\n"


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=2, unique=True))
def test_reasons_that_differ_stay_different_and_can_be_printed(raw):
    one, other = map(reason_text, raw)

    assert one != other
    assert (one + other).isprintable()


def test_what_looks_like_an_escape_is_told_from_one():
    assert reason_text(rb"\xff") != reason_text(b"\xff")


@given(COUNTS, COUNTS, COUNTS)
def test_counts_merge_in_any_order_and_nothing_changes_nothing(a, b, c):
    assert (a + b) + c == a + (c + b)
    assert a + ReplyCounts() == a
    assert (a + b).skipped == a.skipped + b.skipped


def test_a_reason_is_told_with_what_it_means():
    assert (
        RejectReason(reason="3", meaning="unknown order", count=1).in_words == "3 (unknown order)"
    )
    assert RejectReason(reason="3", meaning="", count=1).in_words == "3"
    assert RejectReason(reason="", meaning="no reason", count=1).in_words == "no reason"


def test_the_other_reply_is_the_one_that_is_not_timed():
    assert ReplyManners().other_reply == "last_reply"
    assert ReplyManners(timed_reply="last").other_reply == "first_reply"
