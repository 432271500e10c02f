"""Ratios of counters: pure arithmetic on what perf stat counted in a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cluster.results.engine import Counter


@dataclass(frozen=True)
class Ratios:
    """Every ratio by name; None has its reason in `not_measured`."""

    values: dict[str, float | None]
    not_measured: dict[str, str]


# name → (counted, per)
_OF_TWO: Final = {
    "ipc": ("instructions", "cycles"),
    "branch_mispredict_ratio": ("branch-misses", "branches"),
    "cache_miss_ratio": ("cache-misses", "cache-references"),
    "l1d_miss_ratio": ("L1-dcache-load-misses", "L1-dcache-loads"),
    "llc_miss_ratio": ("LLC-load-misses", "LLC-loads"),
    "dtlb_miss_ratio": ("dTLB-load-misses", "dTLB-loads"),
    "frontend_stall_ratio": ("stalled-cycles-frontend", "cycles"),
    "backend_stall_ratio": ("stalled-cycles-backend", "cycles"),
}
# Top-down level 1: shares of the pipeline's slots.
_OF_SLOTS: Final = {
    "topdown_retiring_ratio": "topdown-retiring",
    "topdown_bad_speculation_ratio": "topdown-bad-spec",
    "topdown_frontend_ratio": "topdown-fe-bound",
    "topdown_backend_ratio": "topdown-be-bound",
}
_PER_ORDER: Final = {
    "instructions_per_order": "instructions",
    "cycles_per_order": "cycles",
    "branch_misses_per_order": "branch-misses",
    "cache_misses_per_order": "cache-misses",
    "llc_misses_per_order": "LLC-load-misses",
    "task_clock_ns_per_order": "task-clock",
    "context_switches_per_order": "context-switches",
    "minor_faults_per_order": "minor-faults",
}
_NS_PER_MSEC: Final = 1e6


def ratios_of(counters: Sequence[Counter], orders: int | None) -> Ratios:
    """Every ratio the counters allow.

    Args:
        counters: Of one window.
        orders: Answered in the same window; None when unknown.
    """
    by_event = {counter.event: counter for counter in counters}
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    pairs = _OF_TWO | {name: (event, "slots") for name, event in _OF_SLOTS.items()}
    for name, (above, below) in pairs.items():
        reason = _missing(by_event, above) or _missing(by_event, below)
        divisor = _value(by_event, below)
        if not reason and not divisor:
            reason = f"{below} counted nothing in this window"
        dividend = _value(by_event, above)
        values[name] = dividend / divisor if dividend is not None and divisor else None
        if reason:
            reasons[name] = reason
    for name, event in _PER_ORDER.items():
        reason = _missing(by_event, event) or _no_orders(orders)
        dividend = _value(by_event, event)
        values[name] = dividend / orders if dividend is not None and orders else None
        if reason:
            reasons[name] = reason
    return Ratios(values, reasons)


def _value(by_event: Mapping[str, Counter], event: str) -> float | None:
    counter = by_event.get(event)
    if counter is None or counter.value is None:
        return None
    return counter.value * _NS_PER_MSEC if counter.unit == "msec" else counter.value


def _missing(by_event: Mapping[str, Counter], event: str) -> str:
    counter = by_event.get(event)
    if counter is None:
        return f"{event} was not counted"
    return f"{event}: {counter.why}" if counter.value is None else ""


def _no_orders(orders: int | None) -> str:
    if orders is None:
        return "the number of orders in this window is not known"
    return "" if orders else "no order was answered in this window"
