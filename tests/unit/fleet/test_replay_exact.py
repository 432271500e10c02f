from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.fleet import replay_exact as exact

TICKS = st.sampled_from(["0.01", "0.05", "0.25", "1", "5", "0.00001", "0.125"])


def test_a_tenth_and_two_tenths_are_three_tenths() -> None:
    found = exact.of_floats(np.array([0.1 + 0.2, 0.3, 1.1 * 1.1]), Decimal("0.1"))

    assert found.steps[:2].tolist() == [3, 3]
    assert found.bad.tolist() == [False, False, True]


@given(TICKS, st.lists(st.integers(1, 10**8), min_size=1, max_size=20))
def test_every_multiple_comes_back_from_a_binary_number(tick: str, steps: list[int]) -> None:
    prices = np.array([float(Decimal(step) * Decimal(tick)) for step in steps])

    found = exact.of_floats(prices, Decimal(tick))

    assert not found.bad.any()
    assert found.steps.tolist() == steps


@given(TICKS, st.integers(1, 10**8), st.integers(1, 99))
def test_what_lies_between_two_multiples_is_refused(tick: str, step: int, percent: int) -> None:
    price = float((Decimal(step) + Decimal(percent) / 100) * Decimal(tick))

    assert exact.of_floats(np.array([price]), Decimal(tick)).bad.all()


def test_single_precision_is_refused_where_it_can_not_tell_ticks_apart() -> None:
    prices = np.array([10.25, 99_999.25], np.float32)

    assert exact.of_floats(prices, Decimal("0.01")).bad.tolist() == [False, True]


@given(TICKS, st.integers(-(10**12), 10**12))
def test_whole_prices_are_multiples_as_fractions_are(tick: str, price: int) -> None:
    found = exact.of_integers(np.array([price]), Decimal(tick))
    expected = Fraction(price) / Fraction(tick)

    assert found.bad[0] == (expected.denominator != 1)
    if not found.bad[0]:
        assert found.steps[0] == expected


def test_what_64_bits_can_not_hold_is_refused() -> None:
    assert exact.of_integers(np.array([2**62]), Decimal("0.01")).bad.all()
    halves = np.array([[0, 1], [5, 0], [-5, -1]])
    assert exact.of_scaled(halves, Decimal("0.01")).bad.tolist() == [True, False, False]


@pytest.mark.parametrize(("tick", "digits"), [("0.01", 2), ("5", 0), ("100", 0), ("0.250", 2)])
def test_a_step_says_how_many_digits_its_multiples_have(tick: str, digits: int) -> None:
    assert exact.scale_of(Decimal(tick)) == digits
