from hypothesis import given
from hypothesis import strategies as st

from cluster.results.agent import QUANTITIES, Interval
from cluster.results.histogram import Histogram
from cluster.results.orders import OrderCounts

HISTOGRAMS = st.lists(st.integers(0, 10**9), max_size=5).map(Histogram.from_values)
NAMES = (*QUANTITIES, "other_reply")
INTERVALS = st.builds(
    Interval,
    index=st.just(7),
    orders=st.builds(OrderCounts, sent=st.integers(0, 100)),
    **dict.fromkeys(NAMES, HISTOGRAMS),
)


@given(INTERVALS, INTERVALS, INTERVALS)
def test_intervals_merge_exactly_in_any_order(a, b, c):
    merged = (a + b) + c

    assert merged == c + (b + a)
    for name in NAMES:
        assert getattr(merged, name).total == sum(getattr(i, name).total for i in (a, b, c))


def test_an_interval_need_not_have_other_replies():
    empty = Histogram.empty()
    bare = Interval(0, OrderCounts(), empty, empty, empty, empty)

    assert (bare + bare).other_reply.total == 0
