"""Which threads the scheduler prefers: nice values and time slices of their own."""

import ctypes
import os
import platform
from contextlib import suppress
from typing import Final

FIRST: Final = -20  # the nice value of threads that nothing but the plant shall disturb
LAST: Final = 19
# A thread with a short slice takes the CPU from one with a long slice as soon as it wakes (Linux
# 6.12 and later, PREEMPT_SHORT); without, another program's slice of 3 ms delays it.
SHORT_SLICE_NS: Final = 100_000
USUAL_SLICE_NS: Final = 0
_SCHED_SETATTR: Final = {"x86_64": 314, "aarch64": 274}  # numbers of the system call
_FORMAT_SIZE: Final = 48


class _SchedAttr(ctypes.Structure):
    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),  # 0: SCHED_OTHER
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),  # of SCHED_OTHER: its slice, ns
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def prefer(thread_id: int, *, nice: int = 0, slice_ns: int = USUAL_SLICE_NS) -> None:
    """Set a thread's nice value and slice; 0 is the caller. What is forbidden stays as it was."""
    number = _SCHED_SETATTR.get(platform.machine())
    if number is not None:
        attr = _SchedAttr(size=_FORMAT_SIZE, nice=nice, runtime=slice_ns)
        if ctypes.CDLL(None).syscall(number, thread_id, ctypes.byref(attr), 0) == 0:
            return
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread_id, nice)
