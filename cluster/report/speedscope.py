"""Exports of folded stacks for other tools: folded text, and speedscope's file format.

Source: https://www.speedscope.app/file-format-schema.json (sampled profiles, shared frames).
"""

import json
from collections.abc import Mapping
from typing import Final

_SCHEMA: Final = "https://www.speedscope.app/file-format-schema.json"


def folded_text(folded: Mapping[str, int]) -> str:
    """One line "a;b;c 42" per stack, sorted, as every flame graph tool reads."""
    return "".join(f"{_one_line(stack)} {value}\n" for stack, value in sorted(folded.items()))


def _one_line(stack: str) -> str:
    return " ".join(stack.splitlines())


def speedscope_json(profiles: Mapping[str, tuple[Mapping[str, int], str]]) -> str:
    """Write profiles as one speedscope file.

    Args:
        profiles: name → (folded stacks, unit); the unit is "samples" or "ns".
    """
    frames: dict[str, int] = {}
    written = [
        _profile(name, folded, unit, frames) for name, (folded, unit) in profiles.items() if folded
    ]
    document = {
        "$schema": _SCHEMA,
        "exporter": "loadcluster",
        "shared": {"frames": [{"name": name} for name in frames]},
        "profiles": written,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _profile(
    name: str, folded: Mapping[str, int], unit: str, frames: dict[str, int]
) -> dict[str, object]:
    samples, weights = [], []
    for stack, value in sorted(folded.items()):
        samples.append([frames.setdefault(frame, len(frames)) for frame in stack.split(";")])
        weights.append(value)
    return {
        "type": "sampled",
        "name": name,
        "unit": "nanoseconds" if unit == "ns" else "none",
        "startValue": 0,
        "endValue": sum(weights),
        "samples": samples,
        "weights": weights,
    }
