"""Folds a stream of samples and switches into one profile per window."""

import re
from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cluster.profile.events import SWITCH_TRACEPOINT, plain_event
from cluster.profile.stacks import KERNEL, UNKNOWN, Frame, Lost, Sample, Switch
from cluster.profile.window import HostWindow
from cluster.results.engine import HotFunction

WAITED: Final = "[waited]"
PREEMPTED: Final = "[preempted]"
LEFT_BEFORE: Final = "[left the CPU before the window]"
LAST_SAMPLE: Final = "[last sample before leaving the CPU]"
NO_STACK: Final = "[no stack]"
HOT_FUNCTIONS_MAX: Final = 50

Stack = tuple[str, tuple[Frame, ...]]  # root (thread's name, and what it did), innermost first


@dataclass
class WindowStacks:
    """What one window collected."""

    window: HostWindow
    on_cpu: Tally[Stack] = field(default_factory=Tally)
    off_cpu_ns: Tally[Stack] = field(default_factory=Tally)
    off_cpu_ns_with_stack: int = 0  # taken while leaving the CPU
    lost: int = 0

    @property
    def samples(self) -> int:
        """How many on-CPU samples."""
        return self.on_cpu.total()


@dataclass
class _Thread:
    """What is known of a thread since the window opened."""

    name: str
    left_ns: int | None = None
    preempted: bool = False
    left_before: bool = True
    last_sample: tuple[Frame, ...] = ()
    leaving: tuple[Frame, ...] = ()  # sampled while it left the CPU, this time
    # Kind of leaving → the last stack sampled while it left like that.
    known: dict[bool, tuple[Frame, ...]] = field(default_factory=dict)


class Aggregation:
    """Feeds one stream, in the order of time, into windows that don't overlap."""

    def __init__(self, windows: Sequence[HostWindow]) -> None:
        self.windows = [
            WindowStacks(window) for window in sorted(windows, key=lambda w: w.start_ns)
        ]
        self._next = 0
        self._threads: dict[int, _Thread] = {}

    def feed(self, events: Iterable[Sample | Switch | Lost]) -> list[WindowStacks]:
        """Take everything, and give the windows."""
        for event in events:
            if isinstance(event, Lost):
                if self._next < len(self.windows):
                    self.windows[self._next].lost += event.records
                continue
            into = self._window_at(event.time_ns)
            if into is None:
                continue
            if isinstance(event, Sample):
                self._sampled(into, event)
            else:
                self._switched(into, event)
        while self._next < len(self.windows):
            self._close()
        return self.windows

    def _window_at(self, time_ns: int) -> WindowStacks | None:
        while self._next < len(self.windows):
            into = self.windows[self._next]
            if time_ns <= into.window.end_ns:
                return into if time_ns >= into.window.start_ns else None
            self._close()
        return None

    def _close(self) -> None:
        """End a window: who is off the CPU then was so until its end."""
        into = self.windows[self._next]
        for thread in self._threads.values():
            if thread.left_ns is not None:
                self._came_back(into, thread, into.window.end_ns)
        self._threads = {}
        self._next += 1

    def _sampled(self, into: WindowStacks, sample: Sample) -> None:
        thread = self._thread(sample.thread_id, sample.thread_name)
        if plain_event(sample.event) == SWITCH_TRACEPOINT:
            thread.leaving = sample.frames
            return
        into.on_cpu[_as_root(sample.thread_name), sample.frames] += 1
        thread.last_sample = sample.frames
        thread.left_before = False

    def _switched(self, into: WindowStacks, switch: Switch) -> None:
        thread = self._thread(switch.thread_id, switch.thread_name)
        if switch.is_out:
            thread.left_ns = switch.time_ns
            thread.preempted = switch.preempted
            thread.left_before = False
            return
        if thread.left_ns is None and thread.left_before:
            thread.left_ns = into.window.start_ns
        self._came_back(into, thread, switch.time_ns)

    def _thread(self, thread_id: int, name: str) -> _Thread:
        thread = self._threads.get(thread_id)
        if thread is None:
            thread = self._threads[thread_id] = _Thread(name)
        thread.name = name
        return thread

    def _came_back(self, into: WindowStacks, thread: _Thread, time_ns: int) -> None:
        if thread.left_ns is not None:
            away_ns = time_ns - thread.left_ns
            kind, stack, is_of_leaving = _why_away(thread)
            into.off_cpu_ns[f"{_as_root(thread.name)};{kind}", stack] += away_ns
            if is_of_leaving:
                into.off_cpu_ns_with_stack += away_ns
        thread.left_ns = None
        thread.left_before = False
        thread.leaving = ()


def _why_away(thread: _Thread) -> tuple[str, tuple[Frame, ...], bool]:
    """What the thread did, with which stack, and whether that was taken while leaving the CPU."""
    if thread.left_before:
        return LEFT_BEFORE, (), False
    kind = PREEMPTED if thread.preempted else WAITED
    if thread.leaving:
        thread.known[thread.preempted] = thread.leaving
        return kind, thread.leaving, True
    if thread.preempted in thread.known:
        return kind, thread.known[thread.preempted], True
    if thread.last_sample:
        return f"{kind};{LAST_SAMPLE}", thread.last_sample, False
    return f"{kind};{NO_STACK}", (), False


def _as_root(thread_name: str) -> str:
    """A thread's name as the root of its stacks: its own text can't be taken for a separator."""
    return re.sub(r"\s", " ", thread_name.replace(";", ":")) or "[no name]"


def fold(stacks: Mapping[Stack, int], names: Mapping[str, str]) -> dict[str, int]:
    """Folded stacks `thread;outer;…;inner` → weight, the heaviest first.

    Args:
        stacks: With their weights.
        names: Mangled name → readable name, for those perf could not read.
    """
    folded: Tally[str] = Tally()
    for (root, frames), weight in stacks.items():
        if weight > 0:
            path = [root, *(frame_text(frame, names) for frame in reversed(frames))]
            folded[";".join(path)] += weight
    return dict(sorted(folded.items(), key=lambda item: (-item[1], item[0])))


def frame_text(frame: Frame, names: Mapping[str, str]) -> str:
    """A frame as text: `_[k]` marks kernel code; a function without a name is its module's."""
    if frame.name == UNKNOWN:
        return f"[{frame.module.strip('[]')}]" if frame.module != UNKNOWN else UNKNOWN
    name = names.get(frame.name, frame.name).replace(";", ":")
    return f"{name}_[k]" if frame.module == KERNEL else name


def hot_functions(
    stacks: Mapping[Stack, int], names: Mapping[str, str], most: int = HOT_FUNCTIONS_MAX
) -> list[HotFunction]:
    """The functions with the most samples on top, then anywhere in the stack.

    A function that calls itself counts once per sample.
    """
    total = sum(stacks.values())
    on_top: Tally[Frame] = Tally()
    anywhere: Tally[Frame] = Tally()
    for (_, frames), weight in stacks.items():
        if frames:
            on_top[frames[0]] += weight
        for frame in set(frames):
            anywhere[frame] += weight
    ranked = sorted(anywhere, key=lambda f: (-on_top[f], -anywhere[f], f))[:most]
    return [
        HotFunction(
            name=names.get(frame.name, frame.name),
            module=frame.module,
            self_ratio=on_top[frame] / total,
            total_ratio=anywhere[frame] / total,
            samples=on_top[frame],
        )
        for frame in ranked
    ]


def shallow_ratio(stacks: Mapping[Stack, int]) -> float | None:
    """Share of samples in the engine's own code whose function has no caller; None without any.

    Where that is often so, the engine was built without frame pointers. Libraries are left out:
    distributions build many without, whatever the engine is.
    """
    shallow = deep = 0
    for (_, frames), weight in stacks.items():
        user = [frame for frame in frames if not frame.in_kernel]
        if not user or ".so" in user[0].module or user[0].module.startswith("["):
            continue
        if len(user) > 1:
            deep += weight
        else:
            shallow += weight
    return shallow / (shallow + deep) if shallow + deep else None


def mangled_names(windows: Iterable[WindowStacks]) -> list[str]:
    """Names that perf could not make readable."""
    found = {
        frame.name
        for window in windows
        for stacks in (window.on_cpu, window.off_cpu_ns)
        for _, frames in stacks
        for frame in frames
        if frame.name.startswith(("_Z", "_R"))
    }
    return sorted(found)
