"""How the CPU time of an agent's host was spent, as its kernel counts it."""

from pathlib import Path

STAT = Path("/proc/stat")

# Columns of the line `cpu` (man 5 proc). What follows, guest time, is part of user time.
_COLUMNS = 8
_STEAL = 7

Ticks = tuple[int, ...]


def cpu_ticks(stat: Path = STAT) -> Ticks | None:
    """CPU time of the whole host since it booted, by kind.

    Returns:
        None where the kernel does not tell it, or not how much was stolen.
    """
    try:
        words = stat.read_text().partition("\n")[0].split()
    except OSError:
        return None
    if words[:1] != ["cpu"] or len(words) <= _COLUMNS:
        return None
    return tuple(int(word) for word in words[1 : _COLUMNS + 1])


def steal_ratio(begin: Ticks | None, end: Ticks | None) -> float | None:
    """Which share of the host's CPU time between two readings its hypervisor gave to others.

    Returns:
        None when it was not told, or no time has passed.
    """
    if begin is None or end is None:
        return None
    spent = [after - before for before, after in zip(begin, end, strict=True)]
    total = sum(spent)
    return spent[_STEAL] / total if total > 0 else None
