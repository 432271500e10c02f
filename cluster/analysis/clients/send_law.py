"""The law by which orders were to leave: its gaps, its counts, and the clock in which it runs."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cluster.experiment.model import Bursts, Hawkes
from cluster.experiment.plan import Level
from cluster.units import NS_PER_S

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SendLaw:
    """An arrival law with a rate: one agent's share of it, or all of it."""

    rate_per_s: float  # while it runs: in bursts, of the time that they are on
    gaps: Literal["exponential", "constant"] | None
    no_gaps: str = ""  # why the gaps of the law are not known
    hawkes: Hawkes | None = None
    bursts: Bursts | None = None

    @property
    def gap_ns(self) -> float:
        """The mean gap while it runs."""
        return NS_PER_S / self.rate_per_s

    def clock(self, times_ns: ArrayLike) -> Floats:
        """The time that the law has run at these times after the start: in bursts, on-time only.

        Other laws always run. In this clock a schedule within bursts is a plain one.
        """
        times = np.asarray(times_ns, np.float64)
        if self.bursts is None:
            return times
        whole, within = np.divmod(times, self.bursts.period_ns)
        on: Floats = whole * self.bursts.on_ns + np.minimum(within, self.bursts.on_ns)
        return on

    def gap_quantile(self, shares: Floats) -> Floats:
        """The gap below which a share of all gaps lies, ns: 0 to ∞ beyond the shares 0 and 1."""
        inside = np.clip(shares, 0, 1)
        if self.gaps == "exponential":
            with np.errstate(divide="ignore"):
                exponential: Floats = -np.log1p(-inside) * self.gap_ns
            return exponential
        return np.select([shares <= 0, shares >= 1], [0.0, np.inf], self.gap_ns)

    def dispersion(self, length_ns: int) -> float:
        """The index of dispersion of counts over a length of the law's clock: variance by mean.

        Source:
            Hawkes: Da Fonseca and Zaatour, 2014. A constant schedule looked at from any phase holds
            ⌊m⌋ or ⌈m⌉ orders, with variance f (1 - f), f the fraction of the mean m.
        """
        if self.hawkes is not None:
            n = self.hawkes.branching_ratio
            kappa_2 = 1 / (1 - n) ** 2
            decays = (1 - n) * length_ns / self.hawkes.decay_ns
            return kappa_2 - (1 - kappa_2) * math.expm1(-decays) / decays
        if self.gaps == "constant":
            mean = length_ns / self.gap_ns
            fraction = mean - math.floor(mean + 1e-9)
            return max(fraction * (1 - fraction), 0.0) / mean
        return 1.0


def send_law(level: Level, rate_per_s: float) -> SendLaw | None:
    """The law of a level, for a client, or all, with a mean rate; None closed-loop or recorded."""
    match level.arrivals, level.law:
        case "constant", _:
            return SendLaw(rate_per_s, "constant")
        case "poisson", _:
            return SendLaw(rate_per_s, "exponential")
        case "hawkes", Hawkes() as law:
            why = "a self-exciting order's gap depends on all orders before it, most not sampled"
            return SendLaw(rate_per_s, None, why, hawkes=law)
        case "bursts", Bursts() as law:
            rate = rate_per_s * law.period_ns / law.on_ns
            if law.within == "constant":
                return SendLaw(rate, "constant", bursts=law)
            return SendLaw(rate, "exponential", bursts=law)
    return None
