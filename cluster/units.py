"""Unit constants and the one way numbers are written for people."""

from typing import Final

NS_PER_US: Final = 1_000
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000

# From here on three digits round to 1000, which belongs to the next unit.
_NEXT_UNIT: Final = 999.5
_NEXT_BINARY_UNIT: Final = 1023.95


def format_ns(value_ns: float) -> str:
    """Write a duration with three digits, in the unit that leaves one to three before the point."""
    for divisor, unit in ((1, "ns"), (NS_PER_US, "µs"), (NS_PER_MS, "ms")):
        if abs(value_ns) < _NEXT_UNIT * divisor:
            return f"{value_ns / divisor:.3g} {unit}"
    seconds = value_ns / NS_PER_S
    return f"{seconds:.3g} s" if abs(seconds) < _NEXT_UNIT else f"{seconds:,.0f} s"


def format_rate(value_per_s: float) -> str:
    """Write a rate in orders per second, with thousands separated."""
    return f"{value_per_s:,.0f}/s"


def format_bytes(value_bytes: float) -> str:
    """Write a size in binary units."""
    for unit in ("B", "KiB", "MiB"):
        if abs(value_bytes) < _NEXT_BINARY_UNIT:
            return f"{value_bytes:.4g} {unit}"
        value_bytes /= 1024
    return f"{value_bytes:.4g} GiB"


def format_speed(speed: float) -> str:
    """How fast recorded times pass."""
    return "as recorded" if speed == 1 else f"{speed:g} times as fast as recorded"


def format_half_width(ratio: float) -> str:
    """How exactly something is known, with two digits: ± 5%, ± 0.12%."""
    return f"± {100 * ratio:.2g}%"
