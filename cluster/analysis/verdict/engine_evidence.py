"""What speaks for and against the engine as the cause."""

from typing import Final

from cluster.analysis.clients.lag import BACK_PRESSURE_RWND, rwnd_limited_ratio
from cluster.analysis.load_rules import RATE_TOLERANCE
from cluster.analysis.utilisation import busiest
from cluster.analysis.verdict.case import (
    BUSY,
    ENGINE_SHARE_LOW,
    IDLE,
    PATH_SHARE_HIGH,
    UNREAD_BYTES,
    Case,
    answers_at_once,
    is_behind,
    row,
    rtt_us,
    times_of,
    unread_often,
    waits_for_orders,
)
from cluster.results.summary import Evidence
from cluster.units import NS_PER_US, format_bytes, format_ns, format_rate

PREDICTION_TOLERANCE: Final = 0.1
ENGINE_SHARE_HIGH: Final = 0.6
QUEUEING_FACTOR: Final = 3.0


def engine_cpu(case: Case) -> Evidence | None:
    """A busy engine thread is a limit; one that waits for a CPU would be, had it its own."""
    thread = busiest(case.seen.engine_threads)
    if thread is None:
        return None
    used, waits = thread.utilisation_ratio, thread.run_queue_ratio
    name, value = f"busiest engine thread ({thread.name})", f"{used:.0%} on the CPU"
    if case.spinning:
        return row(name, value, f"It says nothing here: {case.spinning}.")
    if used + waits >= BUSY:
        sentence = "The engine's busiest thread had no time left."
        weight = 2.5
        if used < BUSY:
            value += f", {waits:.0%} waiting for one"
            sentence = "It always wanted a CPU but did not always get one: others used its CPUs."
            weight = 1.0
        return row(name, value, sentence, supports="engine", weight=weight)
    if used + waits >= IDLE:
        sentence = "The engine was busy, but not all the time."
        return row(name, value, sentence, supports="engine", weight=0.3)
    if is_behind(case):
        sentence = "It had time to spare, and yet orders waited unread: it sleeps, or waits itself."
        return row(name, value, sentence)
    sentence = "The engine's threads had time to spare."
    return row(name, value, sentence, against=("engine",), weight=1.0)


def predicted_maximum(case: Case) -> Evidence | None:
    """Throughput at the limit against what another level's CPU time per order allows."""
    most, offered = case.seen.throughput.mean, case.seen.record.level.offered_per_s
    if offered and most and most > (1 - RATE_TOLERANCE) * offered:
        return None  # all that was offered was answered: this throughput is nobody's limit
    others = [
        level
        for level in case.levels
        if level.index != case.seen.index
        and level.predicted_max_per_s
        and level.throughput_per_s.mean
    ]
    if not most or not others:
        return None
    source = max(others, key=lambda level: level.throughput_per_s.mean or 0)
    predicted = source.predicted_max_per_s or 0
    name = "throughput against the predicted maximum"
    at = format_rate(source.throughput_per_s.mean or 0)
    value = f"{format_rate(most)}; {format_rate(predicted)} was predicted at {at}"
    if abs(most / predicted - 1) <= PREDICTION_TOLERANCE:
        return row(
            name,
            value,
            "It is what one engine thread's time per order allows.",
            supports="engine",
            weight=1.5,
        )
    if most < IDLE * predicted:
        return row(
            name,
            value,
            "The engine's CPU time per order allows far more.",
            against=("engine",),
            weight=0.5,
        )
    if most > predicted:
        return row(name, value, "Orders became cheaper with load, as batching makes them.")
    return row(name, value, "It neither meets the prediction nor falls far short of it.")


def engine_share(case: Case) -> Evidence | None:
    """How much of the service time passes between the engine's receive and its reply.

    Means, because only they add up: service = engine + everything outside. An order that waits in
    the engine's socket has not been received yet, so a small share does not clear a busy engine.
    """
    engine, service = times_of(case, "engine").mean, times_of(case, "service").mean
    if engine is None or not service:
        return None
    share = engine / service
    name, value = "engine time", f"{share:.0%} of the service time ({format_ns(engine)} mean)"
    if share >= ENGINE_SHARE_HIGH:
        return row(
            name,
            value,
            "Orders spend most of their time inside the engine.",
            supports="engine",
            against=("network",),
            weight=2.5,
        )
    thread = busiest(case.seen.engine_threads)
    calm = thread is not None and not case.spinning and thread.utilisation_ratio < IDLE
    if share <= ENGINE_SHARE_LOW and calm and not (_unread_bytes(case) or 0) >= UNREAD_BYTES:
        return row(
            name,
            value,
            "Orders spend their time outside an engine that is not busy.",
            against=("engine",),
            weight=1.0,
        )
    return row(name, value, "Time outside includes waiting in the engine's sockets: no side wins.")


def queue_growth(case: Case) -> Evidence | None:
    """Service time that grows with load while the network's does not is a queue at the engine."""
    lowest = min(
        (
            level
            for level in case.levels
            if level.arrivals != "closed"
            and level.index != case.seen.index
            and level.service_ns.p50
        ),
        key=lambda level: level.offered_per_s or 0,
        default=None,
    )
    service = times_of(case, "service").percentile(50)
    round_trip_us = rtt_us(case)
    if lowest is None or not service or not lowest.service_ns.p50 or round_trip_us is None:
        return None
    factor = service / lowest.service_ns.p50
    if factor < QUEUEING_FACTOR or round_trip_us * NS_PER_US > PATH_SHARE_HIGH * service:
        return None
    if waits_for_orders(case):
        return None  # they queue somewhere else: in a sender's kernel before a slow link
    return row(
        "service time p50 against the lowest level",
        f"{format_ns(service)}, {factor:.1f} times {format_ns(lowest.service_ns.p50)}",
        "Orders queue, and not in the network, whose round trip is "
        f"{format_ns(round_trip_us * NS_PER_US)}.",
        supports="engine",
        weight=1.0,
    )


def receive_window(case: Case) -> Evidence | None:
    """A closed receive window: the engine does not read what has arrived."""
    ratio = rwnd_limited_ratio(case.seen.record)
    if ratio is None:
        return None
    name, value = "engine's receive window closed", f"{ratio:.1%} of the sending time"
    if ratio >= BACK_PRESSURE_RWND and waits_for_orders(case):
        sentence = (
            "The engine had read what had come: its window is too small for what is on the way."
        )
        return row(name, value, sentence)
    if ratio >= BACK_PRESSURE_RWND:
        return row(
            name,
            value,
            "The engine did not read what had arrived.",
            supports="engine",
            against=("network",),
            weight=1.5,
        )
    return row(name, value, "The engine read what arrived, or its buffers were large enough.")


def connections(case: Case) -> Evidence | None:
    """Connections that ended while the load went on: at the engine's end, all at once."""
    record = case.seen.record
    last = [said[-1] for said in record.progress.values() if said]
    orders_lost = sum(agent.orders.lost for agent in record.agents)
    if not record.ended_early or not last or any(sample.connections_open for sample in last):
        return None
    return row(
        "connections",
        f"none left, {orders_lost:,} orders lost with them",
        "The engine closed every connection.",
        supports="engine",
        weight=4.0,
    )


def unread(case: Case) -> Evidence | None:
    """Bytes that wait in the engine's sockets."""
    waiting = _unread_bytes(case)
    if waiting is None:
        return None
    name, value = "unread in the engine's sockets", f"{format_bytes(waiting)} at most"
    window = case.seen.record.engine_control
    if window and window.unread_ratio is not None:
        value += f", something in {window.unread_ratio:.0%} of the looks"
    if is_behind(case):
        return row(
            name,
            value,
            "Orders had arrived and waited for the engine.",
            supports="engine",
            against=("network",),
            weight=2.0 if unread_often(case) else 1.5,
        )
    if waits_for_orders(case):
        # Behind a thread that reads there may be one that is late: the engine's own times tell.
        return row(
            name,
            value,
            "The engine had read what had come, and waited for more.",
            against=("engine",),
            weight=1.5 if answers_at_once(case) else 0.5,
        )
    return row(name, value, "No backlog of orders was seen waiting for the engine.")


def _unread_bytes(case: Case) -> int | None:
    window = case.seen.record.engine_control
    return window.receive_queue_bytes_max if window else None
