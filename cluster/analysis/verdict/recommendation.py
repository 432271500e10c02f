"""What to do, from the seed plan's next actions: by scenario and by what holds the engine back."""

from collections.abc import Sequence
from dataclasses import dataclass

from cluster.analysis.environment_rules import RUN_QUEUE_BAD
from cluster.analysis.utilisation import busiest
from cluster.analysis.verdict.capacity import Capacity
from cluster.analysis.verdict.case import IDLE
from cluster.analysis.verdict.scenario import Bottleneck, Scenario
from cluster.results.engine import EngineExit, HotFunction, ThreadUse
from cluster.results.summary import LevelSummary
from cluster.units import NS_PER_S, format_ns, format_rate

HOT_SHOWN = 3


@dataclass(frozen=True)
class Advice:
    """What to do about the outcome, and the one thing to do next."""

    recommendation: str
    next_action: str


def advise(
    scenario: Scenario | None,
    bottleneck: Bottleneck,
    found: Capacity,
    hot: Sequence[HotFunction],
    engine_exit: EngineExit | None,
) -> Advice:
    """The recommendation in words with numbers."""
    if engine_exit is not None:
        return Advice(
            f"{engine_exit.sentence} Nothing beyond that rate can be said before it stays up.",
            "Reproduce the end at that rate under a debugger or with a core dump, and fix it.",
        )
    if bottleneck == "client":
        return _for_client(found)
    if bottleneck == "network":
        return _for_network(found)
    if bottleneck == "engine":
        return _for_engine(scenario, found, hot)
    return _for_open_question(scenario, found)


def _for_client(found: Capacity) -> Advice:
    rate = _rate_of(found.deciding)
    return Advice(
        f"The load clients could not offer {rate} on time: what was measured there is the clients, "
        "and says nothing about the engine. Add load hosts or workers, give each worker a CPU of "
        "its own (`cpus`), and use `wait: spin` where cores are free.",
        "Run the same experiment with twice the load hosts: if the figures change, it was them.",
    )


def _for_network(found: Capacity) -> Advice:
    trip = _least_trip(found.deciding)
    waits = f" of {format_ns(trip)} there and back" if trip else ""
    return Advice(
        f"The way to the engine{waits} is most of an order's time. Co-locate the services with the "
        "engine, or shorten the way (raw sockets, UDP, kernel bypass), and keep more orders in "
        "flight where order does not matter.",
        "Run the load from the engine's own host: what remains is the engine's share.",
    )


def _for_engine(scenario: Scenario | None, found: Capacity, hot: Sequence[HotFunction]) -> Advice:
    level = found.deciding
    thread = busiest(level.engine_threads) if level else None
    if thread is not None and thread.utilisation_ratio + thread.run_queue_ratio < IDLE:
        return Advice(
            f"The engine is what orders wait for, yet its busiest thread {thread.name} was on the "
            f"CPU only {thread.utilisation_ratio:.0%} of the time: it waits, for a lock, a disk, "
            "another thread or a sleep. More CPU or faster code will not help.",
            "Look at where it leaves the CPU (off-CPU flame graph) and take that wait off the "
            "order's path.",
        )
    cost = _cost(level)
    where = _hot_sentence(hot) + _shared_cpu_sentence(thread)
    if scenario in ("A", "beyond-1M"):
        return Advice(
            f"The engine is fast; the API in front of it is what to replace first (low-latency "
            f"protocol, raw socket or UDP, co-located services). To go further in the "
            f"engine: {cost}{where}",
            "Design the low-latency protocol in front of the engine.",
        )
    if scenario == "B":
        return Advice(
            f"The matching engine is the limit: {cost}{where} Look at the order book's data "
            "structures and algorithm first, allocations and locks next, SIMD last.",
            "Optimise the hottest function, and run this experiment again to see the gain.",
        )
    return Advice(
        f"Both sides contribute. In the engine: {cost}{where} In front of it: calls that wait for "
        "one another.",
        "Take the engine's hottest function and the API's round trips in turn, measuring after "
        "each.",
    )


def _for_open_question(scenario: Scenario | None, found: Capacity) -> Advice:
    if found.limit == "none" and found.sustained_per_s:
        more = format_rate(2 * found.sustained_per_s)
        fast = scenario in ("A", "beyond-1M")
        lead = (
            "The engine is fast enough for the network or API in front to have been the limit. "
            if fast
            else ""
        )
        return Advice(
            f"{lead}The offered load never reached a limit of the engine, so what would hold it "
            "back is not known.",
            f"Offer more: add {more} and above to `load.rates_per_s`, or set `load.maximum`.",
        )
    if found.sustained_per_s is None and found.closed_loop_max_per_s is None:
        return Advice(
            "No level gave a measurement that can be trusted: see the findings.",
            "Offer less, until a level is valid.",
        )
    return Advice(
        "The evidence does not single out engine, network or client: often they share CPUs.",
        "Run engine and clients on hosts or CPUs of their own (`cpus: apart`), and again with "
        "twice the load hosts.",
    )


def _rate_of(level: LevelSummary | None) -> str:
    if level is None:
        return "the load"
    if level.offered_per_s is None:
        return f"{level.in_flight or 0:,} orders in flight"
    return format_rate(level.offered_per_s)


def _least_trip(level: LevelSummary | None) -> float | None:
    trips = [a.tcp_min_rtt_us for a in level.agents if a.tcp_min_rtt_us] if level else []
    return min(trips) * 1_000 if trips else None


def _cost(level: LevelSummary | None) -> str:
    if level is None or not level.busy_ns_per_order:
        return "see its profile."
    limit = format_rate(NS_PER_S / level.busy_ns_per_order)
    return (
        f"its busiest thread spends {format_ns(level.busy_ns_per_order)} per order, which allows "
        f"{limit}; halve that, or share the symbols over twice the threads, to double it."
    )


def _shared_cpu_sentence(thread: ThreadUse | None) -> str:
    if thread is None or thread.run_queue_ratio <= RUN_QUEUE_BAD:
        return ""
    return (
        f" It waited for a CPU {thread.run_queue_ratio:.0%} of the time: with CPUs of its own it "
        "would take more."
    )


def _hot_sentence(hot: Sequence[HotFunction]) -> str:
    if not hot:
        return ""
    named = ", ".join(f"{f.name} ({f.self_ratio:.0%})" for f in hot[:HOT_SHOWN])
    return f" Most samples fall into {named}."
