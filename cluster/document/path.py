"""Where a value stands in a document: `load.rates_per_s[0]` as written, as steps, and back."""

import re
from typing import Final

Path = tuple[str | int, ...]

_STEP: Final = re.compile(r"(?P<name>[^.\[\]=\s]+)(?P<indices>(?:\[\d{1,9}\])*)(?:\.(?=.)|$)")
_SHOWN_MAX: Final = 60


def parse_path(text: str) -> Path | None:
    """The steps of `load.rates_per_s[0]`, or None when it is not written like that."""
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            return None
        steps.append(step["name"])
        steps += [int(index) for index in re.findall(r"\d+", step["indices"])]
        position = step.end()
    return tuple(steps) or None


def format_path(path: Path) -> str:
    """Write steps as people do; keys that nobody meant to write are shortened."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + show_text(step)
    return text


def show_text(text: str) -> str:
    """One printable line of `text`, shortened."""
    printable = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: _SHOWN_MAX + 1])
    return printable if len(printable) <= _SHOWN_MAX else printable[: _SHOWN_MAX - 1] + "…"
