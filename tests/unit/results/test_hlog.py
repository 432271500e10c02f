"""Histogram logs, read back by ourselves and by the hdrh package's own reader."""

from itertools import groupby

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.errors import ResultsError
from cluster.results.histogram import HIGHEST_NS, Histogram
from cluster.results.hlog import LogInterval, parse_log, render_log
from cluster.results.level_file import log_intervals
from fakes.levels import Truth, level_record

START_EPOCH_NS = 1_795_442_702_250_000_000
INTERVALS = [
    LogInterval("agent-0", 0, Histogram.from_values([1_000, 2_000_000])),
    LogInterval("agent-1", 0, Histogram.empty()),
    LogInterval("agent-0", 1, Histogram.from_values([7])),
]


def test_what_is_written_is_read_again():
    text = render_log("response", START_EPOCH_NS, INTERVALS)

    assert list(parse_log(text, "response.hlog")) == INTERVALS


def test_the_package_s_own_reader_finds_times_tags_and_counts(tmp_path):
    path = tmp_path / "response.hlog"
    path.write_text(render_log("response", START_EPOCH_NS, INTERVALS))
    reader = HistogramLogReader(str(path), HdrHistogram(1, HIGHEST_NS, 3))
    read = []
    while (histogram := reader.get_next_interval_histogram()) is not None:
        read.append(histogram)
    reader.close()

    assert [i.agent for i in INTERVALS] == [h.get_tag() for h in read]
    assert [i.histogram for i in INTERVALS] == [Histogram.from_hdr(h) for h in read]
    start_ms = START_EPOCH_NS / 1e6
    starts = [start_ms + 1_000 * i.index for i in INTERVALS]
    assert [h.get_start_time_stamp() for h in read] == pytest.approx(starts, abs=0.5)
    assert [h.get_end_time_stamp() - h.get_start_time_stamp() for h in read] == [1_000] * 3


def test_the_package_s_reader_adds_up_a_level_to_what_we_merge(tmp_path):
    record = level_record(Truth(offered_per_s=2_000))
    path = tmp_path / "send_lag.hlog"
    path.write_text(render_log("send_lag", START_EPOCH_NS, log_intervals(record, "send_lag")))
    reader = HistogramLogReader(str(path), HdrHistogram(1, HIGHEST_NS, 3))
    total = HdrHistogram(1, HIGHEST_NS, 3)
    while reader.add_next_interval_histogram(total) is not None:
        pass
    reader.close()
    merged = Histogram.sum(i.send_lag for agent in record.agents for i in agent.intervals)

    assert merged == Histogram.from_hdr(total)


orders = st.lists(
    st.tuples(
        st.integers(0, HIGHEST_NS),  # its duration
        st.integers(0, 3),  # the second in which it was due
        st.integers(0, 4),  # the agent that sent it
    ),
    max_size=40,
)


# The package decodes and adds all 33,792 buckets of each line in Python.
@settings(max_examples=25, deadline=None)
@given(orders=orders, order=st.randoms(use_true_random=False))
def test_any_partition_over_agents_and_seconds_reads_back_equal_whatever_the_order_of_lines(
    tmp_path_factory, orders, order
):
    share = sorted((agent, second, value) for value, second, agent in orders)
    lines = [
        LogInterval(f"agent-{agent}", second, Histogram.from_values([x[2] for x in same]))
        for (agent, second), same in groupby(share, key=lambda x: x[:2])
    ]
    order.shuffle(lines)
    path = tmp_path_factory.mktemp("logs") / "response.hlog"
    path.write_text(render_log("response", START_EPOCH_NS, lines))

    read = read_by_the_package(path)
    assert [(i.agent, i.histogram) for i in lines] == [
        (h.get_tag(), Histogram.from_hdr(h)) for h in read
    ]
    total = HdrHistogram(1, HIGHEST_NS, 3)
    for histogram in read:
        total.add(histogram)
    whole = Histogram.from_values([value for value, _, _ in orders])
    assert whole == Histogram.from_hdr(total)
    assert whole == Histogram.sum(i.histogram for i in parse_log(path.read_text(), path.name))
    for agent in {line.agent for line in lines}:
        own = [value for value, _, of in orders if f"agent-{of}" == agent]
        tagged = HdrHistogram(1, HIGHEST_NS, 3)
        for histogram in read:
            if histogram.get_tag() == agent:
                tagged.add(histogram)
        assert Histogram.from_values(own) == Histogram.from_hdr(tagged)


def read_by_the_package(path):
    reader = HistogramLogReader(str(path), HdrHistogram(1, HIGHEST_NS, 3))
    read = []
    while (histogram := reader.get_next_interval_histogram()) is not None:
        read.append(histogram)
    reader.close()
    return read


@pytest.mark.parametrize("agent", ["", "a,b", "a b", "a\nb"])
def test_an_agent_whose_name_would_break_a_line_is_refused(agent):
    with pytest.raises(ValueError, match="tag"):
        render_log("response", 0, [LogInterval(agent, 0, Histogram.empty())])


@pytest.mark.parametrize(
    "line", ["nonsense", "Tag=a,0.0,1.0,2.0,HISTgarbage", "Tag=a,zero,1.0,2.0,x", "a,b,c,d,e"]
)
def test_a_damaged_line_is_named(line):
    text = render_log("response", 0, INTERVALS) + line + "\n"

    with pytest.raises(ResultsError, match=r"response\.hlog:9: damaged"):
        list(parse_log(text, "response.hlog"))
