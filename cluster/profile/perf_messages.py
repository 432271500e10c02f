"""What perf says when it can't, in words that help.

perf fails in many ways that look alike to a program: exit statuses repeat and some failures exit
with 0. Its texts are stable, so causes are told from them.
"""

import re
from dataclasses import dataclass
from typing import Final

RIGHTS_REMEDY: Final = (
    "run as root, or: sudo setcap cap_perfmon,cap_sys_ptrace,cap_syslog=ep $(command -v perf), "
    "or: sudo sysctl kernel.perf_event_paranoid=1"
)


@dataclass(frozen=True)
class Cause:
    """Why perf could not, and the line to type."""

    why: str
    remedy: str = ""


# Pattern of perf's text → cause. The first match wins, so special ones come first.
_CAUSES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), Cause(why, remedy))
    for pattern, why, remedy in (
        (
            r"perf not found for kernel|linux-tools-\S+ is not installed|linux-perf\S* is not inst",
            "the perf on PATH is a wrapper without a perf for the running kernel",
            "sudo apt-get install linux-tools-generic linux-tools-$(uname -r)",
        ),
        (
            r"Python scripting not supported",
            "this perf is built without Python",
            "",
        ),
        (
            r"monitoring and observability operations is limited|No permission to enable",
            "the kernel does not let this user watch the process (perf_event_paranoid)",
            RIGHTS_REMEDY,
        ),
        (
            r"No such process|Problems finding threads of monitor",
            "the process is gone, or in another pid namespace",
            "run perf on the host itself, with the pid that the host sees",
        ),
        (
            r"Too many events are opened|Too many open files",
            "perf opens one file per thread, CPU and event, and the limit is too low",
            "raise the limit: ulimit -n 102400",
        ),
        (
            r"counters are busy|taken by another profiler",
            "another profiler holds the counters",
            "end the other profiler",
        ),
        (
            r"Permission error mapping pages|failed to mmap.*Operation not permitted",
            "perf may not lock enough memory for its buffers",
            "sudo sysctl kernel.perf_event_mlock_kb=8192",
        ),
        (
            r"doesn't support sampling|overflow-interrupts",
            "the counters of this host can count, but not sample",
            "",
        ),
        (
            r"can't access trace events|Unable to find debugfs|tracefs|No permission to read",
            "the kernel's trace points can't be read by this user",
            "run as root, or: sudo mount -o remount,mode=755 /sys/kernel/tracing",
        ),
        (
            r"Operation not permitted|EPERM|Permission denied",
            "not permitted; in a container, its seccomp profile forbids perf",
            "run perf on the host itself, or start the container with --cap-add PERFMON",
        ),
        (
            r"<not supported>|is not supported|Cannot find PMU",
            "the processor or the hypervisor does not offer it",
            "use bare metal, or a virtual machine with a virtual PMU",
        ),
        (
            r"event syntax error|Cannot find metric|unknown event",
            "this perf does not know it",
            "install a newer perf",
        ),
        (
            r"unknown (?:option|switch)|Usage: perf",
            "this perf is too old for an option",
            "install a newer perf",
        ),
        (
            r"No space left on device",
            "the disk is full",
            "make room in /tmp, or point TMPDIR elsewhere",
        ),
        (
            r"data size field is 0|Was the 'perf record' command properly terminated",
            "perf was ended by force before it could finish its file",
            "",
        ),
        (
            r"command not found|not found|No such file or directory",
            "perf is not installed",
            "sudo apt-get install linux-perf (Debian), linux-tools-generic (Ubuntu), perf (Fedora)",
        ),
    )
)


def cause_of(said: str) -> Cause:
    """The cause of a failure, from everything that perf printed.

    What we do not recognise is quoted: its last line, or that it said nothing.
    """
    for pattern, cause in _CAUSES:
        if pattern.search(said):
            return cause
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return Cause(f'perf said: "{lines[-1][:200]}"' if lines else "perf gave no reason")


def lost_chunks(said: str) -> int:
    """How many pieces of data perf says it lost; 0 when it says nothing of that."""
    found = re.search(r"lost (\d+) chunks", said)
    return int(found[1]) if found else 0
