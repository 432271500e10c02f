"""Facts of hosts and events of the run, as tables, whatever shape they have."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cluster.report.cells import Cell, Table, columns, missing, words
from cluster.units import NS_PER_S, format_bytes, format_ns

_TIME_KEYS: Final = ("time_ns", "at_ns", "time_s")
_KIND_KEYS: Final = ("kind", "event", "what")
_HOST_KEYS: Final = ("host", "hostname", "name")
_REASONS: Final = "not_measured"
_UNITS: Final = {"_bytes": format_bytes, "_ns": format_ns}
EVENTS_SHOWN: Final = 1_000


def hosts_of(facts: object) -> dict[str, Mapping[str, object]]:
    """Facts by host, from a mapping host → facts or from a list of facts that name their host."""
    if isinstance(facts, Mapping):
        hosts = facts.get("hosts")
        if isinstance(hosts, Mapping | list | tuple):
            return hosts_of(hosts)
        return {str(host): own for host, own in facts.items() if isinstance(own, Mapping)}
    if isinstance(facts, Sequence) and not isinstance(facts, str):
        return {
            _first(own, _HOST_KEYS) or f"host {i + 1}": own
            for i, own in enumerate(facts)
            if isinstance(own, Mapping)
        }
    return {}


def _first(mapping: Mapping[str, object], keys: Sequence[str]) -> str:
    return next((str(mapping[key]) for key in keys if mapping.get(key) is not None), "")


def facts_table(facts: Mapping[str, object]) -> Table:
    """One host's facts, nested ones with dotted names; what is null says why."""
    reasons = dict(_reasons(facts))
    rows = tuple(
        (words(_fact_name(name)), _fact(name, value, reasons.get(name, "")))
        for name, value in _flat(facts)
    )
    return Table(columns(names := ("Fact", "Value"), words=names), rows)


def _fact_name(name: str) -> str:
    for suffix in _UNITS:
        name = name.removesuffix(suffix)
    return name.replace("_", " ")


def _flat(facts: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in facts.items():
        if key == _REASONS:
            continue
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _reasons(facts: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in facts.items():
        if not isinstance(value, Mapping):
            continue
        if key == _REASONS:
            yield from ((f"{prefix}{name}", str(why)) for name, why in value.items())
        else:
            yield from _reasons(value, f"{prefix}{key}.")


def _fact(name: str, value: object, reason: str) -> Cell:
    if value is None:
        return missing(reason)
    if isinstance(value, bool):
        return words("yes" if value else "no")
    if isinstance(value, list | tuple):
        return words("; ".join(_item(item) for item in value))
    write = next((write for suffix, write in _UNITS.items() if name.endswith(suffix)), None)
    if write is not None and isinstance(value, int | float):
        return words(write(value))
    return words(str(value))


def _item(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in _flat(value) if item is not None)
    return str(value)


def events_table(events: Sequence[Mapping[str, object]]) -> Table:
    """Events in order, in seconds since the first."""
    shown = events[:EVENTS_SHOWN]
    start = next((t for t in map(_time_s, shown) if t is not None), 0.0)
    rows = [(_event_time(event, start), words(_kind(event)), _details(event)) for event in shown]
    if len(events) > EVENTS_SHOWN:
        rest = f"{len(events) - EVENTS_SHOWN:,} more are in events.jsonl"
        rows.append((Cell(""), words("…"), words(rest)))
    return Table(columns(("Time", "Event", "Details"), words=("Event", "Details")), tuple(rows))


def _time_s(event: Mapping[str, object]) -> float | None:
    for key in _TIME_KEYS:
        value = event.get(key)
        if isinstance(value, int | float):
            return value / NS_PER_S if key.endswith("_ns") else float(value)
    return None


def _event_time(event: Mapping[str, object], start_s: float) -> Cell:
    time_s = _time_s(event)
    return missing("this event has no time") if time_s is None else Cell(f"{time_s - start_s:.3f}")


def _kind(event: Mapping[str, object]) -> str:
    return _first(event, _KIND_KEYS)


def _details(event: Mapping[str, object]) -> Cell:
    told = (*_TIME_KEYS, *_KIND_KEYS, "at")
    return words(", ".join(f"{k} {v}" for k, v in event.items() if k not in told))
