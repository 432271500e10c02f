"""Reads the text of `perf script`: samples with their stacks, and when threads switched.

The text is a stream of any length; nothing of it is kept.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

SCRIPT_FIELDS: Final = "comm,pid,tid,cpu,time,event,period,ip,sym,dso"
UNKNOWN: Final = "[unknown]"
KERNEL: Final = "[kernel]"
# A thread's name may hold spaces and slashes, so the numbers behind it are the anchor.
_HEADER = re.compile(r"\s*(.*?)\s+(-?\d+)/(-?\d+)\s+\[(\d+)\]\s+(\d+)\.(\d{9}):\s*(.*)")
_SAMPLED = re.compile(r"(\d+)\s+(.+?):?\s*$")
_LOST = re.compile(r"PERF_RECORD_LOST\w*.*?\blost\s+(\d+)")
_SWITCH: Final = ": PERF_RECORD_SWITCH"
_KERNEL_ADDRESS: Final = "ffff"  # both x86-64 and arm64 put their kernel at the top
_ADDRESS_DIGITS: Final = 16


class Frame(NamedTuple):
    """One function of a stack."""

    name: str
    module: str  # file name of the binary, [kernel] or [unknown]

    @property
    def in_kernel(self) -> bool:
        """Whether it is kernel code."""
        return self.module == KERNEL


class Sample(NamedTuple):
    """One sample. `frames` begin with the function that ran: innermost first."""

    time_ns: int
    thread_id: int
    thread_name: str
    event: str
    frames: tuple[Frame, ...]


class Switch(NamedTuple):
    """A thread came onto a CPU or left it."""

    time_ns: int
    thread_id: int
    thread_name: str
    is_out: bool
    preempted: bool  # it left although it wanted to go on


class Lost(NamedTuple):
    """perf lost so many records."""

    records: int


def read_script(lines: Iterable[str]) -> Iterator[Sample | Switch | Lost]:
    """Everything in the output of perf script, in its order, which is that of time.

    Args:
        lines: Output of `perf script --ns --show-switch-events -F` with SCRIPT_FIELDS.
    """
    frames_by_line: dict[str, Frame | None] = {}
    stacks: dict[tuple[Frame, ...], tuple[Frame, ...]] = {}
    head: Sample | None = None
    frames: list[Frame] = []
    for line in lines:
        if line.startswith("\t"):
            if line not in frames_by_line:
                frames_by_line[line] = parse_frame(line)
            frame = frames_by_line[line]
            if frame is not None:
                frames.append(frame)
            continue
        if head is not None:
            stack = tuple(frames)
            yield head._replace(frames=stacks.setdefault(stack, stack))
            head = None
            frames = []
        event = parse_header(line)
        if isinstance(event, Sample):
            head = event
        elif event is not None:
            yield event
    if head is not None:
        yield head._replace(frames=tuple(frames))


def parse_header(line: str) -> Sample | Switch | Lost | None:
    """A line that begins a record; None for anything else. A sample's frames follow."""
    head, mark, tail = line.partition(_SWITCH)
    if mark:
        return _parse_switch(head, tail)
    found = _HEADER.match(line)
    if found is None:
        return None
    comm, _, thread, _, seconds, fraction, rest = found.groups()
    time_ns = int(seconds) * 1_000_000_000 + int(fraction)
    thread_id = int(thread)
    if rest.startswith("PERF_RECORD_"):
        lost = _LOST.match(rest)
        return Lost(int(lost[1])) if lost else None
    sampled = _SAMPLED.match(rest)
    if sampled is None:
        return None
    return Sample(time_ns, thread_id, comm, sampled[2].removesuffix(":"), ())


def _parse_switch(head: str, tail: str) -> Switch | None:
    """Nearly all lines of a busy engine are these, so they take the short way."""
    try:
        comm, ids, _, time = head.rsplit(None, 3)
        seconds, fraction = time.split(".")
        time_ns = int(seconds) * 1_000_000_000 + int(fraction)
        thread_id = int(ids.partition("/")[2])
    except ValueError:
        return None
    is_out = " OUT" in tail
    return Switch(time_ns, thread_id, comm.strip(), is_out, is_out and "preempt" in tail)


def parse_frame(line: str) -> Frame | None:
    """A line of a stack: address, function, and the binary in parentheses."""
    address, _, rest = line.strip().partition(" ")
    if not address:
        return None
    # A binary that was replaced since is shown as `(/path (deleted))`.
    body = rest.rstrip().removesuffix(")").removesuffix(" (deleted)")
    name, parenthesis, path = body.rpartition(" (")
    if not parenthesis:
        name, path = rest.strip(), ""
    if len(address) == _ADDRESS_DIGITS and address.startswith(_KERNEL_ADDRESS):
        module = KERNEL
    else:
        module = path.rpartition("/")[2] or UNKNOWN
    # Clones that the compiler made of one function are that function.
    name = re.sub(r"\.(?:cold|constprop|isra|part)(?:\.\d+)?(?=$|\.)", "", name.strip())
    return Frame(name or UNKNOWN, module)
