"""The native client counts within a second where results/over_time.py reads."""

import random

import numpy as np
import pytest

from cluster.results.histogram import HIGHEST_NS
from cluster.results.over_time import COARSE_LEN, SampleSlice, coarse_bucket, coarse_edges

native = pytest.importorskip("cluster._native", reason="the native module is not built")


def test_both_have_the_same_coarse_buckets() -> None:
    source = random.Random(5)
    values = [min(source.getrandbits(source.randint(1, 42)), HIGHEST_NS) for _ in range(20_000)]
    edges = [int(edge) for edge in coarse_edges() if edge <= HIGHEST_NS]
    values += [0, HIGHEST_NS, *edges, *(edge - 1 for edge in edges[1:])]

    expected = [native.coarse_index(value) for value in values]

    assert expected == coarse_bucket(np.array(values)).tolist()
    assert native.COARSE_LEN == COARSE_LEN


@pytest.mark.parametrize("width_ns", [0, 1, 20_480_000, 999_999_999, 1_000_000_000])
def test_both_sample_the_same_part_of_every_second(width_ns: int) -> None:
    seconds = [*range(100), 3_599, 86_399, 10**9]

    expected = [native.sample_start_ns(width_ns, second) for second in seconds]

    assert expected == [SampleSlice(width_ns).start_ns(second) for second in seconds]
