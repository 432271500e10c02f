"""The native recorder counts where HdrHistogram counts, bit by bit."""

import random

import pytest
from hdrh.histogram import HdrHistogram

from cluster.results.histogram import COUNTS_LEN, HIGHEST_NS, LOWEST_NS, SIGNIFICANT_DIGITS

native = pytest.importorskip("cluster._native", reason="the native module is not built")


def hdrh_index(histogram: HdrHistogram, value_ns: int) -> int:
    return histogram._counts_index_for(value_ns)


@pytest.fixture(scope="module")
def histogram() -> HdrHistogram:
    return HdrHistogram(LOWEST_NS, HIGHEST_NS, SIGNIFICANT_DIGITS)


def test_both_have_the_same_range_and_length(histogram):
    assert (COUNTS_LEN, HIGHEST_NS) == (native.HISTOGRAM_COUNTS_LEN, native.HISTOGRAM_HIGHEST_NS)
    assert histogram.counts_len == native.HISTOGRAM_COUNTS_LEN


def test_every_power_of_two_and_its_neighbours_has_the_same_index(histogram):
    values = {2**power + offset for power in range(42) for offset in (-1, 0, 1)}
    values = {value for value in values if value <= HIGHEST_NS} | {0, HIGHEST_NS, HIGHEST_NS - 1}

    expected = {value: hdrh_index(histogram, value) for value in values}

    assert expected == {value: native.histogram_index(value) for value in values}


def test_random_values_of_every_magnitude_have_the_same_index(histogram):
    source = random.Random(5)
    values = [min(source.getrandbits(source.randint(1, 42)), HIGHEST_NS) for _ in range(20_000)]

    expected = [hdrh_index(histogram, value) for value in values]

    assert expected == [native.histogram_index(value) for value in values]


def test_a_value_beyond_an_hour_has_no_index():
    with pytest.raises(ValueError, match="at most HISTOGRAM_HIGHEST_NS"):
        native.histogram_index(HIGHEST_NS + 1)
