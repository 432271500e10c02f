"""The stall oracle: an engine that froze once, and what arithmetic says of its response times.

Orders that are due at a constant rate while the engine is frozen for S wait until it wakes: S, and
less for each that was due later. In a window of T the share (S - x) / T of all orders waits longer
than x, so that R(p) = S - (1 - p) T for p above 1 - S / T.
"""

from pathlib import Path

import numpy as np
import pytest

from cluster.units import NS_PER_MS, NS_PER_S
from integration.known_engine import (
    ahead_of_all,
    needs_two_cpus,
    run_against,
    undisturbed_level,
)

pytestmark = [pytest.mark.integration, needs_two_cpus]

WARMUP_S = 1
WINDOW_S = 6
# The stall must lie in the control window: a warm-up that ends by test could reach beyond it.
MEASURE = {
    "warmup_s": WARMUP_S,
    "warmup_at_most_s": WARMUP_S,
    "control_s": WINDOW_S,
    "drain_s": 2,
}
TOLERANCE = 0.01
BUCKET = 0.001  # three significant digits
HIDES = "closed-loop-hides-waiting"


def freezing(frozen_ms: int) -> list[str]:
    """Options of an engine that freezes once, wholly within the control window."""
    begins_ms = 1000 * WARMUP_S + 700
    return ["--reflect", "--stall-at-ms", str(begins_ms), "--stall-ms", str(frozen_ms)]


@pytest.mark.parametrize("frozen_ratio", [0.05, 0.2])
@pytest.mark.parametrize("rate_per_s", [1_000, 5_000, 20_000])
def test_a_stall_is_found_in_every_percentile_as_arithmetic_has_it(
    tmp_path: Path, rate_per_s: int, frozen_ratio: float
) -> None:
    frozen_ms = round(frozen_ratio * WINDOW_S * 1000)

    level, response = undisturbed_level(
        tmp_path,
        lambda folder: run_against(
            folder,
            *freezing(frozen_ms),
            ahead=ahead_of_all(),
            load={"rates_per_s": [rate_per_s], "arrivals": "constant", "timeout_s": 5},
            abort={"response_p99_ms": 5_000},
            agents={"count": 1, "connections": 8},  # their sockets hold what is due meanwhile
            measure=MEASURE,
        ),
    )

    assert level.orders.answered == level.orders.intended == rate_per_s * (WARMUP_S + WINDOW_S)
    assert response.total == rate_per_s * WINDOW_S
    assert response.value_at_rank(response.total // 2) < frozen_ms * NS_PER_MS / 50
    # Below 0.7 S, what the engine needs to catch up is more than 1 % of what is left.
    for later_ratio in np.linspace(0, 0.3, 21):
        share_beyond = later_ratio * frozen_ratio
        expected_ns = (1 - later_ratio) * frozen_ms * NS_PER_MS
        found_ns = response.percentile(100 * (1 - share_beyond))
        assert found_ns is not None
        # A percentile is the time of a whole order: the next one waits an interval less.
        slack_ns = (TOLERANCE + BUCKET) * expected_ns + NS_PER_S / rate_per_s
        assert abs(found_ns - expected_ns) <= slack_ns, share_beyond
    assert HIDES not in {finding.code for finding in level.findings}


def test_the_same_stall_measured_closed_loop_is_hidden_and_the_level_says_so(
    tmp_path: Path,
) -> None:
    frozen_ms = 200
    response_p99_ns = (frozen_ms - 0.01 * 1000 * WINDOW_S) * NS_PER_MS

    level, response = undisturbed_level(
        tmp_path,
        lambda folder: run_against(
            folder,
            *freezing(frozen_ms),
            "--sleep-us",
            "200",
            ahead=ahead_of_all(),
            load={"rates_per_s": [], "maximum": {"in_flight": 16}, "timeout_s": 5},
            agents={"count": 1, "connections": 8},  # their sockets hold what is due meanwhile
            measure=MEASURE,
        ),
        calm_ns=5 * NS_PER_MS,  # nothing fine is asked of it
        disturbed={"client-waits-for-cpu", "engine-waits-for-cpu"},
    )

    found = {finding.code: finding.message for finding in level.findings}
    assert level.offered_per_s is None
    assert response.max is not None
    assert response.max > 0.9 * frozen_ms * NS_PER_MS
    p99_ns = response.percentile(99)
    assert p99_ns is not None
    assert p99_ns < 0.2 * response_p99_ns  # what the reader must not believe
    assert HIDES in found
    assert "a schedule at the same rate would have found" in found[HIDES]
