"""Folded stacks as a tree of frames, laid out for drawing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from cluster.report.frames import Kind, enters_kernel, frame_kind

# Narrower than half a pixel on a page of 1,000 pixels: nobody can see or click it.
SMALLEST_SHOWN_RATIO: Final = 0.0005


@dataclass
class _Node:
    """A frame while the tree is built."""

    name: str
    kind: Kind
    in_kernel: bool
    total: int = 0
    children: dict[str, "_Node"] = field(default_factory=dict)


@dataclass(frozen=True)
class Frame:
    """One box: `total` of the unit from `start`, `own` of it with this frame on top."""

    name: str
    kind: Kind
    depth: int  # 0: the root that holds everything
    start: int
    total: int
    own: int


ROOT_NAME: Final = "all"


def layout(folded: Mapping[str, int]) -> tuple[Frame, ...]:
    """Lay out folded stacks, parents before children, siblings by name.

    Children below `SMALLEST_SHOWN_RATIO` of everything become one box per parent, so a hundred
    thousand different stacks still make a small graph and every total stays exact.

    Args:
        folded: stacks "root;…;leaf" → samples or ns, each above 0.

    Returns:
        Frames; the first holds all. Empty when there are no stacks.
    """
    root = _grow(folded)
    return tuple(_walk(root)) if root.total else ()


def _grow(folded: Mapping[str, int]) -> _Node:
    root = _Node(ROOT_NAME, Kind.THREAD, in_kernel=False)
    for stack, value in folded.items():
        if value <= 0:
            continue
        node = root
        node.total += value
        for name in stack.split(";"):
            child = node.children.get(name)
            if child is None:
                child = _child_of(node, name, is_thread=node is root)
                node.children[name] = child
            child.total += value
            node = child
    return root


def _child_of(parent: _Node, name: str, *, is_thread: bool) -> _Node:
    kind = frame_kind(name, in_kernel=parent.in_kernel, is_root=is_thread)
    in_kernel = parent.in_kernel or (not is_thread and enters_kernel(name))
    return _Node(name, kind, in_kernel)


def _walk(root: _Node) -> Iterator[Frame]:
    smallest = root.total * SMALLEST_SHOWN_RATIO
    # An own stack rather than recursion: engines may recurse deeper than Python does.
    waiting = [(root, 0, 0)]
    while waiting:
        node, depth, start = waiting.pop()
        own = node.total - sum(child.total for child in node.children.values())
        yield Frame(node.name, node.kind, depth, start, node.total, own)
        shown = []
        position = start
        for child in _shown_children(node, smallest):
            shown.append((child, depth + 1, position))
            position += child.total
        waiting.extend(reversed(shown))


def _shown_children(node: _Node, smallest: float) -> list[_Node]:
    large = [child for child in node.children.values() if child.total >= smallest]
    small = [child for child in node.children.values() if child.total < smallest]
    large.sort(key=lambda child: child.name)
    if len(small) == 1:
        large.append(small[0])
    elif small:
        merged = _Node(f"[{len(small)} small frames]", Kind.MERGED, node.in_kernel)
        merged.total = sum(child.total for child in small)
        large.append(merged)
    return large
