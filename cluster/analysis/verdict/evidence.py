"""All that speaks for and against each cause, and what follows from it.

Weights are log-odds: 1 makes a cause e times as likely against the others. They are judgements,
not fits; docs/measurement.md lists them. A row that says nothing either way has weight 0.
"""

import math
from collections.abc import Sequence
from typing import Final

from cluster.analysis.clients import calibration
from cluster.analysis.verdict import client_evidence as client
from cluster.analysis.verdict import client_honesty_evidence as honesty
from cluster.analysis.verdict import engine_evidence as engine
from cluster.analysis.verdict import network_evidence as network
from cluster.analysis.verdict.case import CAUSES, Case, Cause
from cluster.results.summary import Evidence

UNKNOWN: Final = 1.0  # e^0

OBSERVATIONS = (
    client.send_lag,
    client.worker_cpu,
    client.worker_wait,
    client.send_buffer,
    client.twice_the_clients,
    client.replies_unread,
    honesty.outlier_agent,
    honesty.arrival_law,
    honesty.pauses,
    honesty.jitter,
    honesty.steal,
    calibration.calibrated_share,
    calibration.reflector_floor,
    engine.engine_cpu,
    engine.predicted_maximum,
    engine.engine_share,
    engine.queue_growth,
    engine.receive_window,
    engine.unread,
    engine.connections,
    network.network_path,
    network.network_queue,
    network.retransmissions,
)


def gather(case: Case) -> list[Evidence]:
    """Every observation that could be made, the weightiest first."""
    rows = [observe(case) for observe in OBSERVATIONS]
    return sorted((row for row in rows if row), key=lambda row: -row.weight)


def probabilities(rows: Sequence[Evidence]) -> dict[Cause, float]:
    """How likely each cause is. The rest to 1 is a cause that none of the observations knows.

    A cause scores the weights of what supports it less those of what speaks against it, and the
    unknown one scores nothing; a probability is e^score over the sum of e^score of all four. So
    nobody is found guilty because the others have been cleared: that takes evidence of its own.
    """
    scores = {
        cause: sum(row.weight for row in rows if row.supports == cause)
        - sum(row.weight for row in rows if cause in row.against)
        for cause in CAUSES
    }
    odds = {cause: math.exp(score) for cause, score in scores.items()}
    return {cause: odds[cause] / (sum(odds.values()) + UNKNOWN) for cause in CAUSES}
