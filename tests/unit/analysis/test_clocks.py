"""Clocks of known offset and drift, read over a network that delays as it likes."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cluster.analysis.clocks import KEPT, best_of_parts, drift_of, move_of, offset_at
from cluster.results.clock import ClockReading
from cluster.units import NS_PER_MS, NS_PER_S, NS_PER_US

PPM = 1e-6
# When it was read, the two ways' delays.
LOOKS = st.lists(
    st.tuples(
        st.integers(0, 3_600 * NS_PER_S), st.integers(0, NS_PER_MS), st.integers(0, NS_PER_MS)
    ),
    min_size=1,
    max_size=200,
)
OFFSET = st.integers(-(10**17), 10**17)
DRIFT = st.floats(-100, 100)


def readings(offset_ns: int, ppm: float, looks: list[tuple[int, int, int]]) -> list[ClockReading]:
    return [
        ClockReading(
            at_ns=at_ns,
            # An exchange is wrong by half the difference of its ways, by half their sum at most.
            offset_ns=offset_ns + round(ppm * PPM * at_ns) + (there_ns - back_ns) // 2,
            error_ns=(there_ns + back_ns) // 2 + 1,
        )
        for at_ns, there_ns, back_ns in looks
    ]


def evenly(ppm: float, seconds: int, error_ns: int = 100 * NS_PER_US) -> list[ClockReading]:
    return readings(0, ppm, [(s * NS_PER_S, error_ns, error_ns) for s in range(seconds)])


@given(OFFSET, DRIFT, LOOKS)
def test_the_true_drift_lies_within_its_error(
    offset_ns: int, ppm: float, looks: list[tuple[int, int, int]]
) -> None:
    drift = drift_of(readings(offset_ns, ppm, looks))

    if drift is None:
        assert 1 == len({at_ns for at_ns, _, _ in looks})
    else:
        assert abs(drift.ppm - ppm) <= drift.error_ppm * (1 + 1e-9) + 1e-6


@given(OFFSET, DRIFT, LOOKS, st.integers(0, 3_600 * NS_PER_S))
def test_the_true_offset_lies_within_its_error_at_any_time(
    offset_ns: int, ppm: float, looks: list[tuple[int, int, int]], at_ns: int
) -> None:
    found = offset_at(readings(offset_ns, ppm, looks), at_ns)

    assert found is not None
    assert abs(found.offset_ns - offset_ns - ppm * PPM * at_ns) <= found.error_ns + 20


@given(OFFSET, DRIFT, LOOKS)
def test_a_sound_clock_never_counts_as_moved(
    offset_ns: int, ppm: float, looks: list[tuple[int, int, int]]
) -> None:
    assert move_of(readings(offset_ns, ppm * 0.999, looks)) is None


@given(
    st.integers(-(10**15), 10**15).filter(lambda step: abs(step) > 3 * NS_PER_MS),
    st.integers(1, 599),
)
def test_a_step_is_found_with_its_size_and_time(step_ns: int, at_s: int) -> None:
    even = evenly(5, 600)
    stepped = [
        replace(r, offset_ns=r.offset_ns + (step_ns if r.at_ns >= at_s * NS_PER_S else 0))
        for r in even
    ]

    move = move_of(stepped)

    assert move is not None
    assert abs(move.by_ns - step_ns) <= move.error_ns + 600 * NS_PER_S * 5 * PPM
    assert move.from_ns < at_s * NS_PER_S <= move.to_ns
    assert move.to_ns - move.from_ns <= 2 * 600 / KEPT * NS_PER_S


def test_a_clock_that_is_slewed_faster_than_quartz_drifts_is_a_move() -> None:
    move = move_of(evenly(300, 60))

    assert move is not None
    assert 300_000 * 59 == move.by_ns


def test_the_longer_a_clock_is_read_the_better_its_drift_is_known() -> None:
    short, long = drift_of(evenly(20, 3)), drift_of(evenly(20, 61))

    assert short is not None
    assert long is not None
    assert (20, 20) == (round(short.ppm), round(long.ppm))
    # Two intervals of ± 100 µs, 2 s apart and a minute apart.
    assert (100, 3.3) == (round(short.error_ppm), round(long.error_ppm, 1))


def test_one_look_says_nothing_of_drift() -> None:
    assert drift_of([]) is None
    assert drift_of(evenly(20, 1)) is None
    assert move_of([]) is None
    assert move_of(evenly(20, 1)) is None
    assert offset_at([], 0) is None


def test_of_many_looks_the_best_of_each_part_is_kept_in_order() -> None:
    many = evenly(0, 10_000)
    many[5_000] = replace(many[5_000], error_ns=7)

    kept = best_of_parts(many)

    assert KEPT <= len(kept) <= KEPT + 2
    assert (many[0], many[-1]) == (kept[0], kept[-1])
    assert many[5_000] in kept
    assert sorted(kept, key=lambda reading: reading.at_ns) == kept
