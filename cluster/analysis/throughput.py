"""Answered orders per second, from the counts at the moments they were really read."""

import numpy as np

from cluster.analysis.series import answered, covered, mean_rate, samples, total_at
from cluster.results.level import LevelRecord
from cluster.results.summary import Throughput

NOT_SAMPLED = "the load was not sampled twice within the measured seconds"


def throughput(record: LevelRecord, seconds: range) -> Throughput:
    """Answered orders per second over `seconds` of the level.

    The mean is taken over the whole window. Least and most are of the spans between consecutive
    samples of the first agent, about a second each; the other agents' counts at those moments are
    read off between their own samples. Dividing by nominal seconds instead would turn a late
    sample into a dip and a peak that never happened.
    """
    agents = samples(record)
    mean = mean_rate(agents, seconds.start, seconds.stop, answered)
    if mean is None:
        return Throughput(
            min=None,
            mean=None,
            max=None,
            not_measured=dict.fromkeys(("min", "mean", "max"), NOT_SAMPLED),
        )
    times = agents[0].elapsed_s
    middles = (times[1:] + times[:-1]) / 2
    sampled = covered(agents, -np.inf, np.inf) or (0.0, 0.0)
    inside = (
        (middles >= seconds.start)
        & (middles < seconds.stop)
        & (times[:-1] >= sampled[0])
        & (times[1:] <= sampled[1])
        & (np.diff(times) > 0)
    )
    if not inside.any():
        reasons = dict.fromkeys(("min", "max"), NOT_SAMPLED)
        return Throughput(min=None, mean=mean, max=None, not_measured=reasons)
    rates = (np.diff(total_at(agents, times, answered))[inside]) / np.diff(times)[inside]
    return Throughput(min=float(rates.min()), mean=mean, max=float(rates.max()))
