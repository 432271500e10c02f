"""The records that say how far a level can be believed; made up, but they agree with each other."""

from collections.abc import Sequence

from cluster.results.clock import ClockSummary
from cluster.results.summary import (
    ArrivalTest,
    BudgetPart,
    Calibration,
    Gaps,
    Invariance,
    Latency,
    LittlesLaw,
    OutlierAgent,
    RepeatedFigure,
    SeriesTest,
    Steadiness,
    Uncertainty,
)

SPANS = ("1 ms", "10 ms", "100 ms", "1 s")


def with_intervals(latency: Latency) -> Latency:
    """Wider intervals towards the tail; the highest percentile has none."""
    widths = {"mean": 0.01, "p50": 0.01, "p95": 0.03, "p99": 0.06}
    intervals = {
        name: Uncertainty(low=value * (1 - w), high=value * (1 + w), effective_count=20_000.0)
        for name, w in widths.items()
        if (value := getattr(latency, name))
    }
    why = "p99.9 needs 3,840 effective orders; there are 2,100"
    return latency.model_copy(update={"intervals": intervals, "no_interval": {"p99_9": why}})


def gaps(p50_ns: int) -> Gaps:
    """Pauses with a tail."""
    return Gaps(p50=p50_ns, p99=4 * p50_ns, p99_9=9 * p50_ns, max=60 * p50_ns)


def arrival_tests(agents: Sequence[str]) -> list[ArrivalTest]:
    """Poisson arrivals that were kept, by each agent and by all together."""
    return [
        ArrivalTest(
            who=who,
            gaps=9_800,
            distance=0.0071,
            anderson_darling=0.61,
            dispersion=dict.fromkeys(SPANS, 1.02),
            dispersion_expected=dict.fromkeys(SPANS, 1.0),
            kept=True,
        )
        for who in (*agents, "all agents")
    ]


def steadiness(rate_per_s: float, service_mean_ns: float) -> Steadiness:
    """A level that was steady, and one test that its length did not allow."""
    in_flight = rate_per_s * service_mean_ns / 1e9
    return Steadiness(
        discarded_s=1,
        warm_up_ends_s=0.75,
        series=[
            SeriesTest(
                series=name,
                points=24,
                step_s=0.25,
                drift_ratio=0.004,
                mann_kendall_p=0.41,
                adf_p=0.002,
                kpss_p=0.1,
                change_at_s=None,
                steady=True,
            )
            for name in ("rate", "response p50", "in flight")
        ]
        + [
            SeriesTest(
                series="response p99",
                points=6,
                step_s=1,
                drift_ratio=0.02,
                mann_kendall_p=0.3,
                adf_p=None,
                kpss_p=None,
                change_at_s=None,
                steady=True,
                not_measured=dict.fromkeys(("adf_p", "kpss_p"), "6 points are too few for it"),
            )
        ],
        littles_law=LittlesLaw(
            in_flight_mean=in_flight * 1.002,
            rate_times_service=in_flight,
            deviation_ratio=0.002,
            tolerance_ratio=0.02,
        ),
        steady=True,
    )


def budget(response_mean_ns: float) -> list[BudgetPart]:
    """Legs that add up; the kernel's time stamps are missing on the way back."""
    shares = {
        "send lag": (0.03, "measured"),
        "client kernel, out": (0.05, "measured"),
        "network": (0.22, "measured"),
        "rest": (0.4, "inferred"),
        "engine": (0.3, "measured"),
        "client kernel, in": (None, "not measured"),
    }
    return [
        BudgetPart.model_validate(
            {
                "part": part,
                "mean_ns": None if share is None else share * response_mean_ns,
                "share": share,
                "known": known,
                "how": "as the sample says",
            }
        )
        for part, (share, known) in shares.items()
    ]


def calibrations() -> list[Calibration]:
    """One host measured, and one that could not be measured beside the engine."""
    return [
        Calibration(
            host="load-1",
            against="loopback",
            measured_at="2026-11-20T09:00:00Z",
            floor_p50_ns=11_000,
            floor_p99_ns=24_000,
            clean_rate_per_s=1_850_000.0,
            cached=True,
        ),
        Calibration(
            host="load-1",
            against="engine host",
            measured_at="2026-11-23T14:04:00Z",
            floor_p50_ns=None,
            floor_p99_ns=None,
            clean_rate_per_s=None,
            not_measured="the engine's host is not reached over SSH",
        ),
    ]


def repeated(rate_per_s: float) -> list[RepeatedFigure]:
    """A throughput and a p99 over three trials."""
    return [
        RepeatedFigure(
            offered_per_s=rate_per_s,
            figure=figure,
            values=[mean * 0.99, mean, mean * 1.01],
            mean=mean,
            low=mean * 0.975,
            high=mean * 1.025,
            half_width_ratio=0.025,
        )
        for figure, mean in (("throughput_per_s", rate_per_s), ("response p99", 119_000.0))
    ]


def outlier(agent: str, host: str) -> OutlierAgent:
    """An agent that makes most of the tail."""
    return OutlierAgent(
        agent=agent,
        host=host,
        order_share=0.5,
        tail_share=0.93,
        p_value=1e-9,
        p99_ns=400_000,
        p99_without_ns=140_000,
        influence=0.65,
    )


def invariance() -> Invariance:
    """Twice the clients measured the same."""
    return Invariance(
        level=3,
        twin=5,
        clients=2,
        clients_twin=4,
        p50_ns=[78_000, 77_000],
        p99_ns=[429_000, 431_000],
        differs=False,
        sentence="The same 200,000/s from 2 and from 4 clients have the same p50 and p99.",
    )


def clocks() -> list[ClockSummary]:
    """Two load hosts, one of which is the driver's, and the engine's host."""
    mine = ClockSummary(
        who="agent-0",
        host="load-0",
        same=True,
        readings=12,
        offset_ns=0,
        error_ns=0,
        drift_ppm=0,
        drift_error_ppm=0,
        start_skew_ns=3_200,
        not_measured={},
    )
    far = {
        "who": "agent-1",
        "host": "load-1",
        "same": False,
        "offset_ns": -7_204_000_000,
        "error_ns": 41_000,
        "drift_ppm": -12.34,
        "drift_error_ppm": 0.81,
        "start_skew_ns": -28_000,
    }
    engine = {
        "who": "engine",
        "host": "engine-host",
        "readings": 1,
        "drift_ppm": None,
        "drift_error_ppm": None,
        "start_skew_ns": None,
        "not_measured": {"drift_ppm": "its clock was read once only", "start_skew_ns": "no orders"},
    }
    return [mine, mine.model_copy(update=far), mine.model_copy(update=far | engine)]
