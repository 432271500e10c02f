"""Where each field of a message stands: offsets, gaps, overlaps, texts of any length."""

from collections.abc import Sequence
from dataclasses import dataclass

from cluster.document.path import Path
from cluster.protocol.expand import Leaf
from cluster.protocol.field import BYTES_MAX
from cluster.protocol.mistakes import Mistakes
from cluster.protocol.plan import Place

SEPARATOR = b"\x01"


@dataclass(frozen=True)
class Slot:
    """A field at its place. Texts of any length (`width` None) end their chunk."""

    leaf: Leaf
    start: Place  # of the field with its tag
    at: Place  # of its value
    width: int | None
    end: Place  # the byte after the field with its separator

    @property
    def before(self) -> bytes:
        """The tag before the value."""
        return b"" if self.leaf.field.tag is None else f"{self.leaf.field.tag}=".encode()

    @property
    def after(self) -> bytes:
        """The separator after the value."""
        return b"" if self.leaf.field.tag is None else SEPARATOR


@dataclass(frozen=True)
class Layout:
    """All fields at their places, and the length of each chunk."""

    slots: tuple[Slot, ...]
    lengths: tuple[int, ...]

    @property
    def end(self) -> Place:
        """The byte after the message."""
        return Place(len(self.lengths) - 1, self.lengths[-1])

    def span(self, name: str) -> tuple[Place, Place] | None:
        """From the first byte of the field or group of this name to the byte after it."""
        named = [slot for slot in self.slots if name in (slot.leaf.name, *slot.leaf.within)]
        return (named[0].start, named[-1].end) if named else None


def lay_out(
    sized: Sequence[tuple[Leaf, int | None]], length: int | None, path: Path, mistakes: Mistakes
) -> Layout:
    """Put fields at their places.

    Args:
        sized: The fields in their order, each with its width; None: a text of any length.
        length: Bytes of the whole message, when it says so.
        path: The message, for what concerns it as a whole.
        mistakes: Where overlaps and fields beyond the end are told.
    """
    slots: list[Slot] = []
    ends = [0]  # per chunk, the furthest byte
    here = Place(0, 0)
    for leaf, width in sized:
        if leaf.field.at is not None:
            here = _jump(leaf, here, mistakes)
        slot = _slot(leaf, width, here)
        slots.append(slot)
        here = slot.end
        inside = slot.at.at if width is None else slot.end.at
        ends[slot.start.chunk] = max(ends[slot.start.chunk], inside)
        if here.chunk == len(ends):
            ends.append(here.at)
    _tell_overlaps(slots, mistakes)
    if length is not None:
        _tell_beyond(slots, length, path, mistakes)
        ends[-1] = max(ends[-1], length) if len(ends) == 1 else ends[-1]
    if sum(ends) > BYTES_MAX:
        mistakes.add(path, f"has more than {BYTES_MAX:_} bytes")
        ends = [min(end, BYTES_MAX) for end in ends]
    return Layout(tuple(slots), tuple(ends))


def _jump(leaf: Leaf, here: Place, mistakes: Mistakes) -> Place:
    if leaf.field.tag is not None:
        mistakes.add((*leaf.path, "at"), "tagged fields follow each other: leave `at` out")
    elif here.chunk > 0:
        mistakes.add((*leaf.path, "at"), "stands after a text of any length: leave `at` out")
    elif leaf.repeated:
        mistakes.add((*leaf.path, "at"), "stands in a group that repeats: leave `at` out")
    else:
        return Place(0, leaf.field.at or 0)
    return here


def _slot(leaf: Leaf, width: int | None, start: Place) -> Slot:
    before = 0 if leaf.field.tag is None else len(f"{leaf.field.tag}=")
    after = 0 if leaf.field.tag is None else len(SEPARATOR)
    at = Place(start.chunk, start.at + before)
    end = Place(at.chunk + 1, after) if width is None else Place(at.chunk, at.at + width + after)
    return Slot(leaf, start, at, width, end)


def _tell_overlaps(slots: Sequence[Slot], mistakes: Mistakes) -> None:
    """Each field against the one that reaches furthest before it, in the order of their places."""
    placed = sorted(
        (slot for slot in slots if slot.width is not None),
        key=lambda slot: (slot.start.chunk, slot.start.at),
    )
    furthest: Slot | None = None
    for slot in placed:
        if (
            furthest is not None
            and furthest.start.chunk == slot.start.chunk
            and furthest.end.at > slot.start.at
        ):
            # The later one in the file is the one to look at.
            first, second = sorted((furthest, slot), key=slots.index)
            mistakes.add(
                second.leaf.path,
                f"`{second.leaf.name}` ({_bytes(second)}) overlaps `{first.leaf.name}` "
                f"({_bytes(first)})",
            )
        if furthest is None or (slot.end.chunk, slot.end.at) > (
            furthest.end.chunk,
            furthest.end.at,
        ):
            furthest = slot


def _tell_beyond(slots: Sequence[Slot], length: int, path: Path, mistakes: Mistakes) -> None:
    if any(slot.width is None for slot in slots):
        mistakes.add(
            (*path, "length"), "holds a text of any length, so its `length` can't be given"
        )
        return
    for slot in slots:
        if slot.end.at > length:
            mistakes.add(
                slot.leaf.path,
                f"`{slot.leaf.name}` ({_bytes(slot)}) reaches beyond the message's `length` "
                f"of {length}",
            )


def _bytes(slot: Slot) -> str:
    last = slot.end.at - 1
    return f"bytes {slot.start.at} to {last}" if last > slot.start.at else f"byte {last}"
