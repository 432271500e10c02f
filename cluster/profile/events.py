"""Which events are asked for, in which groups, and what their names mean on which processor."""

from collections.abc import Set as AbstractSet
from typing import Final

# At most four programmable counters a group: what every processor has, also with SMT and with
# the NMI watchdog on. The members of a group are counted together, so their ratio is exact
# even when groups take turns on the hardware.
HARDWARE_GROUPS: Final = (
    ("cycles", "instructions", "branches", "branch-misses"),
    ("cache-references", "cache-misses"),
    ("L1-dcache-loads", "L1-dcache-load-misses"),
    ("LLC-loads", "LLC-load-misses"),
    ("dTLB-loads", "dTLB-load-misses"),
    ("stalled-cycles-frontend", "stalled-cycles-backend"),
)
# Ice Lake and later: `slots` must lead, and the four shares come from one fixed counter.
TOPDOWN_GROUP: Final = (
    "slots",
    "topdown-retiring",
    "topdown-bad-spec",
    "topdown-fe-bound",
    "topdown-be-bound",
)
SOFTWARE_EVENTS: Final = (
    "task-clock",
    "context-switches",
    "cpu-migrations",
    "minor-faults",
    "major-faults",
)
ALL_EVENTS: Final = tuple(
    event for group in (*HARDWARE_GROUPS, TOPDOWN_GROUP) for event in group
) + (SOFTWARE_EVENTS)

# Sampled beside the processor's time: the stack at the moment a thread leaves the CPU.
SWITCH_TRACEPOINT: Final = "sched:sched_switch"


def event_arguments(supported: AbstractSet[str]) -> list[str]:
    """The `-e` arguments of perf stat: groups from the supported events only.

    One unsupported event in a group makes perf refuse the whole command, so nothing that was not
    probed is ever asked for. The members of the top-down group are useless one by one.
    """
    arguments = []
    for group in HARDWARE_GROUPS:
        members = [event for event in group if event in supported]
        if members:
            arguments.append("{" + ",".join(members) + "}" if len(members) > 1 else members[0])
    if supported >= set(TOPDOWN_GROUP):
        arguments.append("{" + ",".join(TOPDOWN_GROUP) + "}")
    arguments += [event for event in SOFTWARE_EVENTS if event in supported]
    return arguments


def plain_event(reported: str) -> str:
    """The name we asked for, from the one perf reports.

    perf adds modifiers (`cycles:u` where only user code may be counted) and, on processors with
    several kinds of cores, the unit (`cpu_core/cycles/`).
    """
    name = reported.strip()
    if name.startswith(("cpu/", "cpu_core/", "cpu_atom/")):
        name = name.split("/")[1]
    base, colon, modifier = name.rpartition(":")
    if colon and base and set(modifier) <= set("ukhGHpPDSW"):
        return base
    return name


def meaning_of_cache_misses(cpu_model: str) -> str:
    """What the kernel's generic event `cache-misses` counts on this make of processor.

    Source: the event tables of the Linux perf drivers (arch/x86/events, drivers/perf).
    """
    model = cpu_model.lower()
    if "intel" in model:
        return "misses of the last-level cache"
    if "amd" in model or "epyc" in model or "ryzen" in model:
        return "misses of the L2 cache (AMD)"
    if "arm" in model or "neoverse" in model or "graviton" in model or "aarch64" in model:
        return "refills of the L1 data cache (Arm)"
    return "whatever this processor's driver maps to it"
