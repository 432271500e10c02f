"""One level: from its record to its summary."""

from collections.abc import Sequence

from cluster.analysis.budget import budget
from cluster.analysis.clients.client_host import gaps, involuntary_switches, poll_gaps
from cluster.analysis.clients.lag import AgentWindow
from cluster.analysis.clock_summary import start_of
from cluster.analysis.observed import Observed, observe
from cluster.analysis.replies import reject_reasons, reply_counts, reply_times
from cluster.analysis.steady.steadiness import steadiness
from cluster.analysis.timeline import timeline
from cluster.analysis.uncertainty.latency import curve, latency, withheld
from cluster.analysis.uncertainty.pieces import ENGINE, RESPONSE, SEND_LAG, SERVICE, Pieces
from cluster.analysis.utilisation import NO_WINDOW, service_demand
from cluster.analysis.validity import findings, unstable_reason
from cluster.analysis.windows import Merged, total_orders
from cluster.experiment.model import Abort
from cluster.results.finding import Severity
from cluster.results.histogram import Histogram
from cluster.results.level import LevelRecord
from cluster.results.summary import AgentSummary, Calibration, Latency, LevelSummary
from cluster.units import NS_PER_S


def summarise_level(
    record: LevelRecord,
    abort: Abort | None = None,
    calibrations: Sequence[Calibration] = (),
) -> LevelSummary:
    """Everything a level says by itself.

    Args:
        record: the level as carried out.
        abort: the experiment's guards; its defaults, if left out.
        calibrations: what the load hosts can do by themselves.
    """
    return summarise_observed(observe(record), abort or Abort(), calibrations)


def summarise_observed(
    seen: Observed, abort: Abort, calibrations: Sequence[Calibration] = ()
) -> LevelSummary:
    """As `summarise_level`, for a level whose windows are merged already."""
    record, control = seen.record, seen.control
    demand = service_demand(record)
    unstable = unstable_reason(seen)
    steady = steadiness(seen, unstable)
    found = findings(seen, abort.error_ratio, steady, calibrations)
    missing: dict[str, str] = {}
    if demand.why:
        missing |= dict.fromkeys(("busy_ns_per_order", "predicted_max_per_s"), demand.why)
    if unstable:
        missing["curve"] = unstable
    if not seen.engine_threads:
        missing["engine_threads"] = NO_WINDOW
    if not seen.profile.orders.intended:
        missing["profiled_response_ns"] = "no profiler ran at this level"
    if seen.outliers.why_none:
        missing["outlier_agents"] = seen.outliers.why_none
    replies = reply_times(control, record.manners)
    missing |= replies.not_measured
    response = seen.over_time(control, RESPONSE)
    return LevelSummary(
        index=record.level.index,
        arrivals=record.level.arrivals,
        arrivals_in_words=record.level.arrivals_in_words,
        offered_per_s=record.level.offered_per_s,
        in_flight=record.level.in_flight,
        speed=record.level.speed,
        throughput_per_s=seen.throughput,
        orders=total_orders(agent.orders for agent in record.agents),
        window_orders=control.orders,
        replies=reply_counts(record),
        reject_reasons=reject_reasons(record),
        response_ns=withheld(_response(control, response), unstable),
        service_ns=withheld(
            latency(
                control.service, control.unanswered, over_time=seen.over_time(control, SERVICE)
            ),
            unstable,
        ),
        send_lag_ns=_send_lag(control, seen, seen.over_time(control, SEND_LAG)),
        engine_ns=_engine_time(control, seen.over_time(control, ENGINE)),
        profiled_response_ns=withheld(
            _response(seen.profile, seen.over_time(seen.profile, RESPONSE)), unstable
        )
        if seen.profile.orders.intended
        else None,
        timed_reply=record.manners.timed_reply,
        first_reply_ns=replies.first_ns and withheld(replies.first_ns, unstable),
        last_reply_ns=replies.last_ns and withheld(replies.last_ns, unstable),
        curve=[]
        if unstable
        else curve(control.response, control.unanswered + control.orders.unsent, response),
        engine_threads=seen.engine_threads,
        busy_ns_per_order=demand.busy_ns_per_order,
        predicted_max_per_s=demand.predicted_max_per_s,
        valid=all(f.severity is not Severity.INVALID for f in found),
        findings=found,
        agents=[_agent(window, seen, unstable) for window in seen.agents],
        seconds=timeline(record),
        ended_early=record.ended_early,
        not_measured=missing,
        trial=record.level.trial,
        clients=record.level.clients,
        steadiness=steady,
        budget=budget(seen),
        arrival_tests=[judged.test for judged in seen.arrivals],
        outlier_agents=list(seen.outliers.agents),
    )


def _response(window: Merged, pieces: Sequence[Pieces] = ()) -> Latency:
    """Response time starts when an order is due: one that was never sent has no end either."""
    return latency(window.response, window.unanswered + window.orders.unsent, over_time=pieces)


def _send_lag(window: Merged, seen: Observed, pieces: Sequence[Pieces] = ()) -> Latency:
    if seen.closed_loop:
        return latency(Histogram.empty(), empty="closed-loop there is no schedule to be late for")
    return latency(window.send_lag, window.orders.unsent, "no order was sent", pieces)


def _engine_time(window: Merged, pieces: Sequence[Pieces]) -> Latency:
    if not window.engine.total and window.orders.answered:
        why = "the engine's answers do not carry its own times"
        return latency(Histogram.empty(), empty=why)
    return latency(window.engine, window.unanswered, over_time=pieces)


def _agent(window: AgentWindow, seen: Observed, unstable: str) -> AgentSummary:
    agent, own = window.agent, window.own
    seconds, jitter = seen.control.seconds, agent.jitter
    tcp = agent.tcp
    start = start_of(agent, seen.record.start_ns)
    return AgentSummary(
        agent=agent.agent,
        host=agent.host,
        orders=agent.orders,
        response_ns=withheld(_response(own), unstable),
        send_lag_ns=_send_lag(own, seen),
        worker_cpu_ratio=_worst([worker.cpu_ns for worker in agent.workers], seen.sending_s),
        worker_run_queue_ratio=_worst(
            [worker.run_queue_wait_ns for worker in agent.workers], seen.sending_s
        ),
        tcp_rtt_us_mean=tcp.rtt_us_mean if tcp else None,
        tcp_min_rtt_us=tcp.min_rtt_us if tcp else None,
        retransmits=tcp.retransmits if tcp else None,
        rwnd_limited_ratio=tcp.rwnd_limited_us / tcp.busy_us if tcp and tcp.busy_us else None,
        sndbuf_limited_ratio=tcp.sndbuf_limited_us / tcp.busy_us if tcp and tcp.busy_us else None,
        peak_rss_bytes=agent.peak_rss_bytes or None,
        errors=agent.errors,
        lost=agent.lost,
        on_time_ratio=window.lag.on_time_ratio if window.lag else None,
        poll_gap_ns=gaps(poll_gaps(agent, seconds)),
        jitter_before_ns=gaps(jitter.before if jitter else None),
        jitter_during_ns=gaps(jitter.during if jitter else None),
        involuntary_switches=involuntary_switches(agent),
        steal_ratio=agent.steal_ratio,
        start_skew_ns=start.skew_ns if start else None,
        start_error_ns=start.error_ns if start else None,
    )


def _worst(times_ns: Sequence[int], sending_s: float) -> float | None:
    """The largest share of the sending time, at most 1: the drain's CPU time is in it too."""
    if not times_ns or sending_s <= 0:
        return None
    return min(1.0, max(times_ns) / (sending_s * NS_PER_S))
