"""The histogram against the hdrh package, which is the reference for every number."""

import pickle
import time

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.results.histogram import COUNTS_LEN, HIGHEST_NS, Histogram

durations = st.one_of(
    st.integers(0, 5_000),
    st.integers(0, 10**9),
    st.integers(0, HIGHEST_NS),
    st.integers(0, 41).map(lambda power: min(2**power, HIGHEST_NS)),
    st.integers(0, 41).map(lambda power: min(2**power - 1, HIGHEST_NS)),
)
samples = st.lists(durations, max_size=60)


def reference(values):
    hdr = HdrHistogram(1, HIGHEST_NS, 3)
    for value in values:
        assert hdr.record_value(value)
    return hdr


def test_the_layout_has_as_many_buckets_as_hdrh_gives_it():
    assert HdrHistogram(1, HIGHEST_NS, 3).counts_len == COUNTS_LEN


@given(samples)
def test_values_fall_into_the_buckets_hdrh_puts_them_in(values):
    expected = np.frombuffer(reference(values).counts, np.int64)
    ours = Histogram.from_values(values)

    assert np.flatnonzero(expected).tolist() == ours.indices.tolist()
    assert expected[expected > 0].tolist() == ours.counts.tolist()


@given(samples.filter(len), st.floats(0, 100))
def test_every_percentile_equals_that_of_hdrh(values, q):
    expected = reference(values).get_value_at_percentile(q)

    assert expected == Histogram.from_values(values).percentile(q)


@settings(max_examples=20)  # hdrh walks all 33,792 buckets for each figure
@given(samples.filter(len))
def test_extremes_mean_and_deviation_equal_those_of_hdrh_bit_for_bit(values):
    hdr = reference(values)
    ours = Histogram.from_values(values)

    assert hdr.get_total_count() == ours.total
    assert hdr.get_min_value() == ours.min
    assert hdr.get_max_value() == ours.max
    assert hdr.get_mean_value() == ours.mean
    assert hdr.get_stddev() == ours.stdev


@given(samples.filter(len), st.floats(0, 100), st.floats(0, 100))
def test_percentiles_never_fall(values, one, other):
    histogram = Histogram.from_values(values)

    assert histogram.percentile(min(one, other)) <= histogram.percentile(max(one, other))


@given(samples, st.lists(st.integers(0, 3), min_size=60, max_size=60))
def test_any_partition_merges_to_the_histogram_of_all_values(values, parts):
    split = [
        [value for value, of in zip(values, parts, strict=False) if of == part] for part in range(4)
    ]

    assert Histogram.from_values(values) == Histogram.sum(map(Histogram.from_values, split))


@given(samples, st.lists(st.integers(0, 7), min_size=60, max_size=60), st.randoms())
def test_agents_and_their_workers_merge_to_the_same_bits_in_any_order_and_grouping(
    values, workers, order
):
    parts = [
        Histogram.from_values([v for v, of in zip(values, workers, strict=False) if of == worker])
        for worker in range(8)
    ]
    order.shuffle(parts)
    cut = order.randint(0, 8)
    agents = [Histogram.sum(parts[:cut]), Histogram.sum(parts[cut:])]
    one_by_one = Histogram.empty()
    for part in parts:
        one_by_one = part + one_by_one
    whole = Histogram.from_values(values)

    for merged in (Histogram.sum(agents), one_by_one):
        assert whole.indices.tobytes() == merged.indices.tobytes()
        assert whole.counts.tobytes() == merged.counts.tobytes()
        assert whole.encode() == merged.encode()


@given(samples, samples, samples)
def test_merging_is_commutative_and_associative(a, b, c):
    x, y, z = map(Histogram.from_values, (a, b, c))

    assert x + y == y + x
    assert (x + y) + z == x + (y + z)
    assert x == x + Histogram.empty()


def test_counts_beyond_the_floats_exact_integers_merge_exactly():
    big = Histogram.from_sparse([7], [2**53])

    assert 2**53 + 1 == (big + Histogram.from_sparse([7], [1])).total


@given(samples)
def test_encoding_and_decoding_gives_the_same_histogram(values):
    histogram = Histogram.from_values(values)

    assert histogram == Histogram.decode(histogram.encode())


@given(samples.filter(len))
def test_hdrh_reads_what_we_encode(values):
    hdr = HdrHistogram.decode(Histogram.from_values(values).encode())

    assert reference(values).equals(hdr)


@pytest.mark.parametrize("text", ["", "HIST", "not base64!", "HISTFAAAAB42pNpmSzMwMDAxAABzFCaEUo"])
def test_what_is_no_histogram_is_refused(text):
    with pytest.raises(ValueError, match="not an HdrHistogram"):
        Histogram.decode(text)


def test_a_histogram_of_another_layout_is_refused():
    other = HdrHistogram(1, 1_000_000, 2)
    other.record_value(5)

    with pytest.raises(ValueError, match="layout"):
        Histogram.decode(other.encode().decode())


def test_an_empty_histogram_has_no_statistics():
    empty = Histogram.empty()

    assert (0, None, None, None, None, None) == (
        empty.total,
        empty.min,
        empty.max,
        empty.mean,
        empty.stdev,
        empty.percentile(99),
    )


@given(samples)
def test_a_histogram_survives_pickling_and_hashes_alike(values):
    histogram = Histogram.from_values(values)
    copy = pickle.loads(pickle.dumps(histogram))  # noqa: S301 - our own bytes

    assert histogram == copy
    assert hash(histogram) == hash(copy)


def test_a_pickle_holds_only_the_used_buckets():
    histogram = Histogram.from_values(np.arange(1_000_000, 1_200_000, 1_000))

    assert len(pickle.dumps(histogram)) < 2_500


@pytest.mark.parametrize(
    ("indices", "counts", "message"),
    [
        ([1, 2], [1], "2 buckets and 1 counts"),
        ([2, 1], [1, 1], "rise"),
        ([1, 1], [1, 1], "rise"),
        ([-1], [1], "rise"),
        ([COUNTS_LEN], [1], "rise"),
        ([1], [-1], "negative"),
    ],
)
def test_impossible_buckets_are_refused(indices, counts, message):
    with pytest.raises(ValueError, match=message):
        Histogram.from_sparse(indices, counts)


@pytest.mark.parametrize("value", [-1, 2**43])
def test_values_outside_the_layout_are_refused(value):
    with pytest.raises(ValueError, match="values must lie within"):
        Histogram.from_values([value])


@pytest.mark.parametrize("q", [-0.1, 100.1, float("nan")])
def test_a_percentile_outside_0_to_100_is_refused(q):
    with pytest.raises(ValueError, match="within 0 and 100"):
        Histogram.from_values([1]).percentile(q)


@pytest.mark.parametrize(
    ("value", "expected"), [(-1, 0), (4, 0), (5, 2), (6, 2), (10, 3), (HIGHEST_NS, 3)]
)
def test_values_at_or_below_a_limit_are_counted(value, expected):
    assert expected == Histogram.from_values([5, 5, 10]).count_at_or_below(value)


def test_ranks_give_the_ordered_values_and_refuse_others():
    histogram = Histogram.from_values([30, 10, 20])

    assert [10, 20, 30] == [histogram.value_at_rank(rank) for rank in (1, 2, 3)]
    with pytest.raises(ValueError, match="rank 4 of 3"):
        histogram.value_at_rank(4)


def test_native_arrays_are_taken_and_can_not_be_changed_afterwards():
    histogram = Histogram.from_sparse(np.array([3, 9], np.uint32), np.array([1, 0], np.uint64))

    assert [3] == histogram.indices.tolist()
    with pytest.raises(ValueError, match="read-only"):
        histogram.counts[0] = 5


def test_three_thousand_histograms_merge_without_touching_values_one_by_one():
    rng = np.random.default_rng(1)
    one = Histogram.from_values(rng.integers(0, 10**7, 20_000))
    started = time.process_time()
    merged = Histogram.sum([one] * 3_000)

    assert 60_000_000 == merged.total
    # No limit of speed is judged; the figure is for who reads the test's output.
    print(f"merge of 3,000: {time.process_time() - started:.3f} s")  # noqa: T201 - as above
