"""Indices of dispersion for counts: whether orders left more in clumps than their law has them."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import chdtri, stdtrit

from cluster.analysis.clients.send_law import SendLaw
from cluster.analysis.clients.send_sample import BinnedCounts
from cluster.experiment.arrivals import MEMORIES_ENOUGH, Hawkes

BINS_NEEDED: Final = 30  # to know a variance within a quarter
# The variance of self-exciting counts has no simple law of its own: besides what blocks of time
# differ by, it may be half or twice the expected.
BLOCKS_PER_S: Final = (10, 5, 4, 2)
BLOCKS_NEEDED: Final = 5
BINS_PER_BLOCK: Final = 10
HAWKES_FACTOR: Final = 2.0


@dataclass(frozen=True)
class Dispersion:
    """Variance over mean of counts, measured and of the law."""

    measured: float
    expected: float
    moved_ns: float  # the spread of the counts beyond the law and chance, as a time
    clumped: bool  # beyond it; or else more even


def raw_dispersion(orders: np.ndarray) -> float:
    """Variance over mean of counts."""
    return float(orders.var(ddof=1) / orders.mean())


def dispersion(counts: BinnedCounts, law: SendLaw, alpha: float) -> Dispersion | None:
    """Judge counts against their law; None with too few of them.

    Where the law does not run all the time, as in bursts, the counts vary with it as they should:
    what is judged is what they deviate from its mean. With variance V per length beyond all that
    law and chance allow, a client that sends λ in a unit of time has moved orders by √V / λ.

    Args:
        counts: orders by length.
        law: by which they were to leave.
        alpha: the chance with which the law itself may be told from what it says.
    """
    ran = counts.running_ns > 0
    if int(ran.sum()) < BINS_NEEDED:
        return None
    planned = counts.running_ns / counts.length_ns * counts.mean
    residual = counts.orders - planned
    bins, total = counts.orders.size, float(planned.sum())
    index = float((residual**2).sum()) / total * bins / (bins - 1)
    of_law = law.dispersion(counts.length_ns)
    low, high = _by_chance(residual, planned, law, of_law, alpha)
    beyond = max(low - index, index - high, 0.0)
    per_bin = total / int(ran.sum())
    return Dispersion(
        measured=raw_dispersion(counts.orders),
        expected=of_law + float(planned.var(ddof=1) / planned.mean()),
        moved_ns=math.sqrt(beyond * per_bin) * law.gap_ns,
        clumped=index > high,
    )


def _by_chance(
    residual: np.ndarray, planned: np.ndarray, law: SendLaw, of_law: float, alpha: float
) -> tuple[float, float]:
    mean = float((planned**2).sum() / planned.sum())
    if law.hawkes is not None:
        blocks = residual.size // _bins_per_block(residual.shape[1], law.hawkes)
        return _by_blocks(residual.reshape(blocks, -1), planned.reshape(blocks, -1), of_law, alpha)
    if law.gaps == "constant":
        # An order more or less at the ends: 1 / 4 is the most by the phase, the rest by jitter.
        return 0.0, of_law + 1 / mean
    # χ² for Poisson counts; of small ones the fourth moment is larger by 1 / mean.
    degrees = float(planned.sum()) / mean / (1 + 0.5 / mean)
    upper = float(chdtri(degrees, alpha / 2)) / degrees
    return float(chdtri(degrees, 1 - alpha / 2)) / degrees, upper


def _bins_per_block(bins_per_s: int, law: Hawkes) -> int:
    """The bins of a block that is nearly independent of the next: of ten memories, and ten bins."""
    for parts in BLOCKS_PER_S:
        if parts * MEMORIES_ENOUGH * law.memory_s <= 1 and bins_per_s >= parts * BINS_PER_BLOCK:
            return bins_per_s // parts
    return bins_per_s


def _by_blocks(
    residual: np.ndarray, planned: np.ndarray, of_law: float, alpha: float
) -> tuple[float, float]:
    """The interval of Student's t for the blocks' logarithms, and HAWKES_FACTOR to either side."""
    blocks = len(residual)
    if blocks < BLOCKS_NEEDED:
        return 0.0, math.inf
    logs = np.log((residual**2).sum(axis=1) / planned.sum(axis=1) + 1e-9)
    error = float(logs.std(ddof=1)) / math.sqrt(blocks)
    wide = math.exp(float(stdtrit(blocks - 1, 1 - alpha / 2)) * error) * HAWKES_FACTOR
    return of_law / wide, of_law * wide
