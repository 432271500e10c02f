"""What one frame of a stack is: its kind, its colour, and a name short enough to read."""

import colorsys
import re
import zlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Where the code of a frame belongs. The value is what the legend says."""

    THREAD = "thread"
    USER = "engine code"
    STD = "C and C++ library"
    MEMORY = "allocation"
    LOCK = "lock"
    SYSCALL = "system call"
    KERNEL = "kernel"
    REMARK = "remark"
    UNKNOWN = "no symbol"
    MERGED = "small frames"


# Hue, saturation and lightness; the name moves the hue by a few degrees so that neighbours differ.
_PALETTE: Final = {
    Kind.THREAD: (220, 0.06, 0.76),
    Kind.USER: (30, 0.78, 0.67),
    Kind.STD: (95, 0.42, 0.66),
    Kind.MEMORY: (330, 0.58, 0.75),
    Kind.LOCK: (355, 0.68, 0.68),
    Kind.SYSCALL: (172, 0.42, 0.62),
    Kind.KERNEL: (208, 0.55, 0.70),
    Kind.REMARK: (262, 0.40, 0.80),
    Kind.UNKNOWN: (220, 0.05, 0.70),
    Kind.MERGED: (220, 0.05, 0.82),
}
_HUE_SPREAD_DEGREES: Final = 9

# Functions through which every entry into the kernel goes (x86-64, arm64): what they call is
# kernel code too, although a folded stack does not name the module of a frame.
_KERNEL_ENTRY: Final = re.compile(
    r"entry_SYSCALL|do_syscall_64|__(x64|arm64|se|do)_sys_|asm_(sysvec|exc|common)_|el0t?_|"
    r"ret_from_fork|x64_sys_call|invoke_syscall|error_entry|page_fault"
)
_SYSCALL: Final = re.compile(
    r"entry_SYSCALL|do_syscall_64|__(x64|arm64|se|do)_sys_|x64_sys_call|"
    r"invoke_syscall|el0t?_64_sync|el0_svc|syscall$|^__vdso_|^\[vdso\]"
)
# Frames that stand for a remark of the profiler on a stack: why a thread left the CPU, or that
# the stack is not known.
_REMARK: Final = re.compile(r"^\[(waited|preempted|left the CPU|last sample|no stack|no name)")
_MEMORY: Final = re.compile(
    r"^(operator (new|delete)|(__libc_|_int_|__|je_|tc_|mi_)?(malloc|free|calloc|realloc|"
    r"memalign|posix_memalign)\b|std::allocator<)"
)
_LOCK: Final = re.compile(
    r"futex|^_*pthread_(mutex|cond|rwlock|spin)|^_*lll_lock|"
    r"^std::(mutex|condition_variable|lock_guard|unique_lock|shared_mutex)"
)
_STD: Final = re.compile(
    r"(^|\s)(std|__gnu_cxx|__cxxabiv1)::|^__cxa_|^(__libc_|_IO_|__GI_|__mem|__str|mem(cpy|set|move))|"
    r"^\[(libc|libstdc\+\+|libm|libpthread|ld-linux)(?=[.\]-])"
)
# The C library's thin functions around system calls, and where it starts programs and threads.
_LIBC: Final = re.compile(
    r"^_*(sendto|send|sendmsg|recvfrom|recv|recvmsg|readv?|writev?|epoll_p?wait2?|p?poll|p?select|"
    r"accept4?|close|clock_gettime|(clock_)?nanosleep|sched_yield|clone3?|start_thread|start)$"
)

_OPERATOR: Final = re.compile(
    r"operator\s?(\(\)|\[\]|<=>|<<=|>>=|->\*|<<|>>|<=|>=|->|<|>)(?=[\s(<]|$)"
)
_OPENING, _CLOSING = "(<", ")>"
_ANONYMOUS: Final = "(anonymous namespace)"


def frame_kind(name: str, *, in_kernel: bool = False, is_root: bool = False) -> Kind:
    """Tell the kind of a frame from its name and where it stands.

    `in_kernel` says that a caller is kernel code; the suffix `_[k]` that some folders write
    says it too.
    """
    if is_root:
        return Kind.THREAD
    kind = _first_match(
        name, ((Kind.REMARK, _REMARK), (Kind.LOCK, _LOCK), (Kind.SYSCALL, _SYSCALL))
    )
    if kind is None and (in_kernel or name.endswith("_[k]") or name.startswith("[kernel")):
        return Kind.KERNEL
    kind = kind or _first_match(name, ((Kind.MEMORY, _MEMORY), (Kind.STD, _STD), (Kind.STD, _LIBC)))
    return kind or (Kind.UNKNOWN if name.startswith("[") else Kind.USER)


def _first_match(name: str, patterns: Sequence[tuple[Kind, re.Pattern[str]]]) -> Kind | None:
    return next((kind for kind, pattern in patterns if pattern.search(name)), None)


def enters_kernel(name: str) -> bool:
    """Whether the callees of this frame are kernel code."""
    return name.endswith("_[k]") or _KERNEL_ENTRY.search(name) is not None


def frame_colour(name: str, kind: Kind) -> str:
    """Colour of a frame as #rrggbb: the same name has the same colour in every graph."""
    hue, saturation, lightness = _PALETTE[kind]
    # CRC-32 rather than hash(): Python salts the latter anew in every process.
    shift = (
        zlib.crc32(name.encode(errors="replace")) % (2 * _HUE_SPREAD_DEGREES + 1)
        - _HUE_SPREAD_DEGREES
    )
    if kind in (Kind.THREAD, Kind.UNKNOWN, Kind.MERGED):
        shift = 0
    channels = colorsys.hls_to_rgb(((hue + shift) % 360) / 360, lightness, saturation)
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def legend_colour(kind: Kind) -> str:
    """The middle colour of a kind."""
    hue, saturation, lightness = _PALETTE[kind]
    channels = colorsys.hls_to_rgb(hue / 360, lightness, saturation)
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def short_name(name: str) -> str:
    """A C++ name without arguments: `std::map<…>::find` for its whole demangled form."""
    name = name.removesuffix("_[k]")
    if "(" not in name and "<" not in name:
        return name
    parts: list[str] = []
    position = 0
    while position < len(name):
        operator = _OPERATOR.match(name, position)
        if operator:
            parts.append(operator.group())
            position = operator.end()
        elif name.startswith(_ANONYMOUS, position):
            parts.append(_ANONYMOUS)
            position += len(_ANONYMOUS)
        elif name[position] in _OPENING:
            if name[position] == "<":
                parts.append("<…>")
            position = _after_group(name, position)
        else:
            parts.append(name[position])
            position += 1
    text = "".join(parts).strip()
    return text.removesuffix(" const") or name


def _after_group(name: str, start: int) -> int:
    """The position behind the bracket that closes the one at `start`; the end when none does."""
    depth = 0
    for position in range(start, len(name)):
        if name[position] in _OPENING:
            depth += 1
        elif name[position] in _CLOSING and name[position - 1] != "-":
            depth -= 1
            if depth == 0:
                return position + 1
    return len(name)
