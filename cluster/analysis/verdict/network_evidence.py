"""What speaks for and against the network as the cause."""

from typing import Final

from cluster.analysis.environment_rules import RETRANSMIT_RATIO
from cluster.analysis.verdict.case import (
    PATH_SHARE_HIGH,
    Case,
    answers_at_once,
    row,
    rtt_us,
    times_of,
    waits_for_orders,
)
from cluster.results.summary import Evidence
from cluster.units import NS_PER_US, format_ns

PATH_SHARE_LOW: Final = 0.1
PATH_SHARE_NEARLY_ALL: Final = 0.8
QUEUE_SHARE: Final = 0.2
# A full link shows as packets that wait before it. Below both no packet waits to speak of.
CALM_FACTOR: Final = 2.0
CALM_US: Final = 1_000.0
# Linux holds an acknowledgement back for 40 ms (TCP_DELACK_MIN) while it hopes for data to ride on.
DELAYED_ACK_US: Final = 40_000.0
RETRANSMIT_MUCH: Final = 0.01  # TCP's rate falls with the root of it: no healthy path is near


def network_path(case: Case) -> Evidence | None:
    """The least TCP round trip the kernel saw is the path's: no host's software is in it."""
    least_us = _least_rtt_us(case)
    service = times_of(case, "service").percentile(50)
    if least_us is None or not service:
        return None
    share = least_us * NS_PER_US / service
    name = "TCP round trip, least"
    value = f"{format_ns(least_us * NS_PER_US)}, {share:.0%} of the service time p50"
    if share >= PATH_SHARE_HIGH:
        return row(
            name,
            value,
            "Most of an order's time is the way there and back.",
            supports="network",
            against=("engine",),
            weight=3.5 if share >= PATH_SHARE_NEARLY_ALL else 2.5,
        )
    if share <= PATH_SHARE_LOW:
        # It clears the distance, not the bandwidth: packets may wait before a link that is full.
        return row(
            name, value, "The way there and back hardly counts.", against=("network",), weight=0.5
        )
    return row(name, value, "The way there and back is a part of an order's time.")


def _least_rtt_us(case: Case) -> float | None:
    return min(
        (agent.tcp.min_rtt_us for agent in case.seen.record.agents if agent.tcp), default=None
    )


def network_queue(case: Case) -> Evidence | None:
    """The smoothed round trip bounds the way from above.

    It is no measure of it: an acknowledgement that waits for the engine's reply to ride on makes
    it longer. So a short one clears the network, and a long one accuses nobody, unless it is longer
    than acknowledgements are held back and the engine had read all that came.
    """
    mean_us = rtt_us(case)
    service = times_of(case, "service").percentile(50)
    if mean_us is None or not service:
        return None
    share = mean_us * NS_PER_US / service
    name = "TCP round trip, smoothed"
    value = f"{format_ns(mean_us * NS_PER_US)}, {share:.0%} of the service time p50"
    least_us = _least_rtt_us(case) or 0
    inflated_us = mean_us - least_us
    if inflated_us <= max(CALM_FACTOR * least_us, CALM_US) and share <= QUEUE_SHARE:
        return row(name, value, "Packets do not wait on the way.", against=("network",), weight=1.0)
    if inflated_us < DELAYED_ACK_US or not waits_for_orders(case):
        return row(
            name, value, "Packets wait on the way, or acknowledgements for the engine's replies."
        )
    return row(
        name,
        f"{value}, at least {format_ns(least_us * NS_PER_US)}",
        "Packets wait on the way, longer than acknowledgements do, to an engine that reads them.",
        supports="network",
        weight=2.0 if answers_at_once(case) else 1.0,
    )


def retransmissions(case: Case) -> Evidence | None:
    """Lost packets."""
    stats = [agent.tcp for agent in case.seen.record.agents if agent.tcp]
    sent = sum(agent.orders.sent for agent in case.seen.record.agents)
    if not stats or not sent:
        return None
    lost = sum(tcp.retransmits for tcp in stats)
    name, value = "TCP retransmissions", f"{lost:,} for {sent:,} orders"
    if lost > RETRANSMIT_RATIO * sent:
        weight = 2.0 if lost > 10 * RETRANSMIT_RATIO * sent else 0.5
        if lost > RETRANSMIT_MUCH * sent:
            weight = 3.0
        return row(
            name,
            value,
            "Packets were lost on the way, or their receipt was told late.",
            supports="network",
            weight=weight,
        )
    return row(
        name, value, "Next to no packet was lost on the way.", against=("network",), weight=0.3
    )
