"""Functions out of folded stacks."""

from collections import Counter
from collections.abc import Mapping

from cluster.results.engine import HotFunction

SHOWN = 50


def functions_of(folded: Mapping[str, int]) -> list[HotFunction]:
    """The functions of folded stacks, the one most often on top first.

    Args:
        folded: stacks "a;b;c" with their weight: samples on the CPU, or ns off it.

    Returns:
        At most SHOWN functions; `samples` is the weight with the function on top.
    """
    on_top: Counter[str] = Counter()
    anywhere: Counter[str] = Counter()
    for stack, weight in folded.items():
        frames = stack.split(";")
        on_top[frames[-1]] += weight
        # A function that calls itself counts once per stack, or its share would pass 1.
        for frame in set(frames):
            anywhere[frame] += weight
    total = on_top.total()
    if not total:
        return []
    return [
        HotFunction(
            name=name,
            module="[unknown]",
            self_ratio=weight / total,
            total_ratio=anywhere[name] / total,
            samples=weight,
        )
        for name, weight in sorted(on_top.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
        if weight
    ]
