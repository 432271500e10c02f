"""Text that others wrote: engines, hosts, files. It must show, and never act."""

import unicodedata
from typing import Final

_HARMLESS: Final = "\n\t"
# Control and format characters (the bidirectional ones among them), surrogates, private and
# unassigned ones, and what ends a line where nobody expects it.
_ACTING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    r"""`text` in which what acts on a terminal or turns the reading order shows: \x1b, \u202e."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) if _acts(c) else c for c in text)


def _acts(character: str) -> bool:
    return character not in _HARMLESS and unicodedata.category(character) in _ACTING


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", errors="surrogatepass").decode("ascii")
