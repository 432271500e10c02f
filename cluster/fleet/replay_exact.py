"""Whole multiples of a step, exactly: 0.1 + 0.2 is three tenths. Arrays in, arrays out."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

INT_MAX: Final = np.iinfo(np.int64).max
ROUNDING_BITS: Final = 4  # what a few operations on binary numbers leave, in units of the last bit
ROUNDING_MAX: Final = 0.01  # of a step; a type that rounds by more can't tell one from the next


@dataclass(frozen=True)
class Multiples:
    """How many steps each value is; `bad` marks those that are no whole number of steps."""

    steps: Ints
    bad: Mask


def scale_of(step: Decimal) -> int:
    """Digits after the point that multiples of the step may have."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def of_scaled(halves: npt.NDArray[np.int64], step: Decimal) -> Multiples:
    """Of decimals, as integers of 10^-scale_of(step): rows of the low and the high 64 bits."""
    low, high = halves[:, 0], halves[:, 1]
    return _divided(low, high != (low >> 63), int(step.scaleb(scale_of(step))))


def of_integers(values: Ints, step: Decimal) -> Multiples:
    """Of whole numbers."""
    numerator, denominator = step.as_integer_ratio()
    limit = INT_MAX // denominator
    too_large = (values > limit) | (values < -limit)
    return _divided(np.where(too_large, 0, values) * denominator, too_large, numerator)


def of_floats(values: npt.NDArray[Any], step: Decimal) -> Multiples:
    """Of binary numbers: what lies within their rounding of a multiple is meant to be it."""
    with np.errstate(invalid="ignore", over="ignore"):
        ratio = values.astype(np.float64) / float(step)
        rounding = ROUNDING_BITS * np.finfo(values.dtype).eps * np.abs(ratio)
        nearest = np.rint(ratio)
        is_near = (np.abs(ratio - nearest) <= rounding) & (rounding <= ROUNDING_MAX)
    return Multiples(np.where(is_near, nearest, 0).astype(np.int64), ~is_near)


def _divided(units: Ints, bad: Mask, divisor: int) -> Multiples:
    steps, rest = np.divmod(units, np.int64(min(divisor, INT_MAX)))
    return Multiples(np.where(bad, 0, steps), bad | (rest != 0))
