"""Unit constants and the one way numbers are written for people."""

from typing import Final

NS_PER_US: Final = 1_000
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000


def format_ns(value_ns: float) -> str:
    """Write a duration in the unit that leaves one to three digits before the point."""
    for limit, divisor, unit in (
        (NS_PER_US, 1, "ns"),
        (NS_PER_MS, NS_PER_US, "µs"),
        (NS_PER_S, NS_PER_MS, "ms"),
    ):
        if abs(value_ns) < limit:
            return f"{value_ns / divisor:.3g} {unit}"
    return f"{value_ns / NS_PER_S:.4g} s"


def format_rate(value_per_s: float) -> str:
    """Write a rate in orders per second, with thousands separated."""
    return f"{value_per_s:,.0f}/s"


def format_bytes(value_bytes: float) -> str:
    """Write a size in binary units."""
    for unit in ("B", "KiB", "MiB"):
        if abs(value_bytes) < 1024:
            return f"{value_bytes:.4g} {unit}"
        value_bytes /= 1024
    return f"{value_bytes:.4g} GiB"
