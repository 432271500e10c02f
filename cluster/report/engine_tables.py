"""The tables about the engine: counters, memory, threads, hot functions, what can be measured."""

from collections.abc import Sequence
from typing import Final

from cluster.report.cells import (
    Cell,
    Table,
    columns,
    count,
    duration,
    missing,
    rate,
    ratio,
    reason_of,
    size,
    words,
    written,
)
from cluster.report.levels import level_name
from cluster.results.engine import Capability, Counter, HotFunction, ThreadUse
from cluster.results.summary import EngineSummary, LevelSummary, Memory

_SECOND_UNITS: Final = {"ns": 1.0, "msec": 1e6, "ms": 1e6}
# Ratios that are a share of something; others (ipc, instructions per order) are plain numbers.
_SHARE_SUFFIX: Final = "_ratio"
_NS_PER_ORDER: Final = "_ns_per_order"
_UNOBSERVED: Final = "the engine's threads could not be observed"


def counters_table(counters: Sequence[Counter]) -> Table:
    """What the processor and kernel counted; what they could not count says why."""
    rows = tuple((words(c.event), _counted(c), _running(c)) for c in counters)
    return Table(columns(("Counter", "Value", "Counted"), words=("Counter",)), rows)


def _counted(counter: Counter) -> Cell:
    if counter.value is None:
        return missing(counter.why)
    if counter.unit in _SECOND_UNITS:
        return duration(counter.value * _SECOND_UNITS[counter.unit])
    cell = count(counter.value)
    return Cell(f"{cell.text} {counter.unit}".rstrip())


def _running(counter: Counter) -> Cell:
    if counter.value is None:
        return Cell("")
    return ratio(counter.running_ratio, "perf does not say how long it counted")


def ratios_table(engine: EngineSummary) -> Table:
    """Instructions per cycle, miss and stall ratios."""
    rows = tuple(
        (words(_ratio_name(name)), _ratio_value(name, value, engine))
        for name, value in engine.ratios.items()
    )
    return Table(columns(("Ratio", "Value"), words=("Ratio",)), rows)


def _ratio_name(name: str) -> str:
    if name == "ipc":
        return "instructions per cycle"
    return name.replace(_NS_PER_ORDER, "_per_order").replace("_", " ")


def _ratio_value(name: str, value: float | None, engine: EngineSummary) -> Cell:
    why = engine.ratios_not_measured.get(name, "")
    if name.endswith(_NS_PER_ORDER):
        return duration(value, why)
    return ratio(value, why) if name.endswith(_SHARE_SUFFIX) else count(value, why)


def threads_table(threads: Sequence[ThreadUse]) -> Table:
    """The engine's threads, busiest first."""
    names = (
        "Thread",
        "On CPU",
        "Waiting to run",
        "Voluntary switches",
        "Involuntary switches",
    )
    ordered = sorted(threads, key=lambda thread: -thread.utilisation_ratio)
    rows = tuple(
        (
            words(f"{thread.name} ({thread.thread_id})"),
            ratio(thread.utilisation_ratio),
            ratio(thread.run_queue_ratio),
            count(thread.voluntary_switches),
            count(thread.involuntary_switches),
        )
        for thread in ordered
    )
    return Table(columns(names, words=("Thread",)), rows)


def engine_load_table(levels: Sequence[LevelSummary]) -> Table:
    """The busiest engine thread at every level, and the maximum that follows from it."""
    names = (
        "Level",
        "Thread",
        "On CPU",
        "Waiting to run",
        "Busy per order",
        "Predicted maximum",
    )
    return Table(
        columns(names, words=("Level", "Thread")), tuple(_load_row(level) for level in levels)
    )


def _load_row(level: LevelSummary) -> tuple[Cell, ...]:
    why = level.not_measured
    unobserved = reason_of(why, "engine_threads", "busy_ns_per_order") or _UNOBSERVED
    busiest = max(level.engine_threads, key=lambda t: t.utilisation_ratio, default=None)
    return (
        words(level_name(level)),
        words(busiest.name) if busiest else missing(unobserved),
        ratio(busiest.utilisation_ratio if busiest else None, unobserved),
        ratio(busiest.run_queue_ratio if busiest else None, unobserved),
        duration(level.busy_ns_per_order, reason_of(why, "busy_ns_per_order") or unobserved),
        rate(level.predicted_max_per_s, reason_of(why, "predicted_max_per_s") or unobserved),
    )


def memory_table(memory: Memory) -> Table:
    """Peak, growth, faults and allocations."""
    why = memory.not_measured
    rows = (
        (words("peak resident size"), size(memory.peak_bytes, reason_of(why, "peak_bytes"))),
        (
            words("growth of the resident size"),
            written(
                memory.growth_bytes_per_s,
                lambda value: f"{size(value).text}/s",
                reason_of(why, "growth_bytes_per_s"),
            ),
        ),
        (
            words("minor page faults per order"),
            count(memory.minor_faults_per_order, reason_of(why, "minor_faults_per_order")),
        ),
        (words("allocations"), count(memory.allocations, reason_of(why, "allocations"))),
    )
    return Table(columns(("Quantity", "Value"), words=("Quantity",)), rows)


def functions_table(functions: Sequence[HotFunction]) -> Table:
    """Functions by the share of samples that have them on top."""
    names = ("Function", "Module", "Self", "Total", "Samples")
    ordered = sorted(functions, key=lambda function: -function.self_ratio)
    rows = tuple(
        (
            words(function.name),
            words(function.module),
            ratio(function.self_ratio),
            ratio(function.total_ratio),
            count(function.samples),
        )
        for function in ordered
    )
    return Table(columns(names, words=("Function", "Module")), rows)


def waiting_table(functions: Sequence[HotFunction]) -> Table:
    """Functions in which threads left the CPU, by the share of the time off the CPU."""
    ordered = sorted(functions, key=lambda function: -function.self_ratio)
    rows = tuple(
        (
            words(function.name.removesuffix("_[k]")),
            ratio(function.self_ratio),
            ratio(function.total_ratio),
        )
        for function in ordered
    )
    return Table(columns(("Function", "Self", "Total"), words=("Function",)), rows)


def capabilities_table(capabilities: Sequence[Capability]) -> Table:
    """What can be measured on the engine's host; what can't be says why and what would help."""
    rows = tuple(
        (
            words(capability.what),
            Cell("yes", tone="good")
            if capability.available
            else words(f"no, because {capability.why}" if capability.why else "no", "bad"),
            words(capability.remedy),
        )
        for capability in sorted(capabilities, key=lambda c: c.available)
    )
    return Table(columns(names := ("Capability", "Available", "Remedy"), words=names), rows)
