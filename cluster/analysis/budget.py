"""Where the mean response time goes, leg by leg.

    intended → sent → device of the client → engine's socket → engine → … → read by the client
      send lag   kernel out      network        engine queue   engine    kernel in

Means, because only they add up. What no clock saw is the remainder, and is called that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cluster.analysis.observed import Observed
from cluster.analysis.utilisation import service_demand
from cluster.analysis.verdict.case import BUSY
from cluster.results.histogram import Histogram
from cluster.results.summary import BudgetPart
from cluster.units import NS_PER_US

Known = Literal["measured", "inferred", "not measured"]

NO_STAMPS: Final = "the load hosts' kernel gave no time stamps"
NO_RTT: Final = "the kernel told no round trip"
NO_ENGINE_TIME: Final = (
    "the engine's answers do not carry its own times, and its CPU time per order is not known"
)


@dataclass(frozen=True)
class _Leg:
    part: Literal["client kernel, out", "network", "engine", "client kernel, in"]
    mean_ns: float | None
    known: Known
    how: str


def budget(seen: Observed) -> list[BudgetPart]:
    """The legs of a level's control window; they sum to the mean response time.

    Empty when orders stayed unanswered, whose time has no bound: then there is no mean.
    """
    window = seen.control
    response, service = window.response.mean, window.service.mean
    if response is None or service is None or window.unanswered or window.orders.unsent:
        return []
    legs = _fitted(_legs(seen), service)
    queue = service - sum(leg.mean_ns or 0 for leg in legs)
    parts = [_send_lag(seen, response - service)]
    for leg in legs:
        if leg.part == "engine":
            parts.append(_remainder(queue, legs))
        parts.append(BudgetPart(**vars(leg), share=None))
    return [part.model_copy(update={"share": _share(part.mean_ns, response)}) for part in parts]


def _share(mean_ns: float | None, response_ns: float) -> float | None:
    return mean_ns / response_ns if mean_ns is not None and response_ns else None


def _send_lag(seen: Observed, mean_ns: float) -> BudgetPart:
    if seen.closed_loop:
        how = "closed-loop there is no schedule to be late for"
        return BudgetPart(part="send lag", mean_ns=None, share=None, known="not measured", how=how)
    # Each histogram is exact to a thousandth: of nearly equal means the difference may be below 0.
    return BudgetPart(
        part="send lag",
        mean_ns=max(0.0, mean_ns),
        share=None,
        known="measured",
        how="mean response time less mean service time",
    )


def _legs(seen: Observed) -> list[_Leg]:
    """Every leg but the remainder, on the order's way."""
    return [
        _stamped(seen, "client kernel, out", "kernel_send", "handed over to handed to the device"),
        _network(seen),
        _engine(seen),
        _stamped(seen, "client kernel, in", "kernel_receive", "come from the device to read"),
    ]


def _stamped(
    seen: Observed,
    part: Literal["client kernel, out", "client kernel, in"],
    quantity: Literal["kernel_send", "kernel_receive"],
    what: str,
) -> _Leg:
    times = Histogram.sum(
        getattr(activity, quantity)
        for agent in seen.record.agents
        for activity in agent.activity
        if activity.index in seen.control.seconds
    )
    if not times.total:
        told = [agent.no_kernel_times for agent in seen.record.agents if agent.no_kernel_times]
        return _Leg(part, None, "not measured", told[0] if told else NO_STAMPS)
    how = f"kernel's time stamps (SO_TIMESTAMPING) of {times.total:,} orders, {what}"
    return _Leg(part, times.mean, "measured", how)


def _network(seen: Observed) -> _Leg:
    """The least round trip: the path without queues. What waits on it is in the remainder."""
    trips = [agent.tcp.min_rtt_us for agent in seen.record.agents if agent.tcp]
    if not trips:
        return _Leg("network", None, "not measured", NO_RTT)
    how = "kernel's least TCP round trip, mean over agents: there and back, without queues"
    return _Leg("network", sum(trips) / len(trips) * NS_PER_US, "measured", how)


def _engine(seen: Observed) -> _Leg:
    times = seen.control.engine
    if times.mean is not None:
        how = "the engine's own times: read to replied"
        return _Leg("engine", times.mean, "measured", how)
    demand = service_demand(seen.record)
    busiest = max((t.utilisation_ratio for t in seen.engine_threads), default=1.0)
    if demand.busy_ns_per_order is None or busiest > BUSY:
        # A thread that is always on the CPU may poll: its time per order is no work then.
        return _Leg("engine", None, "not measured", NO_ENGINE_TIME)
    how = "CPU time of the engine's busiest thread per order: waiting inside the engine is not in"
    return _Leg("engine", demand.busy_ns_per_order, "inferred", how)


def _fitted(legs: Sequence[_Leg], service_ns: float) -> list[_Leg]:
    """The legs, cut where those before them have used up the service time.

    They are means of other samples than the service time's: of a sample of orders, of the
    connections' whole life. The surest come first.
    """
    left = service_ns
    fitted: dict[str, _Leg] = {}
    for leg in sorted(legs, key=lambda leg: (leg.known == "inferred", _SURE.index(leg.part))):
        mean_ns = leg.mean_ns
        if mean_ns is not None and mean_ns > left:
            how = f"{leg.how}; more than is left of the service time, and cut to that"
            fitted[leg.part] = _Leg(leg.part, left, "inferred", how)
            left = 0.0
        else:
            fitted[leg.part] = leg
            left -= mean_ns or 0
    return [fitted[leg.part] for leg in legs]


# The engine's own times are of the very orders; time stamps of some of them; the round trip of
# other packets.
_SURE: Final = ("engine", "client kernel, out", "client kernel, in", "network")


def _remainder(mean_ns: float, legs: Sequence[_Leg]) -> BudgetPart:
    missing = [leg.part for leg in legs if leg.mean_ns is None]
    if not missing:
        how = "what is left: orders in the engine's sockets, and packets in queues on the way"
        return BudgetPart(
            part="engine queue", mean_ns=mean_ns, share=None, known="inferred", how=how
        )
    how = f"what is left, with {', '.join(missing)} in it"
    return BudgetPart(part="rest", mean_ns=mean_ns, share=None, known="inferred", how=how)
