"""What the host's facts mean for each lane: causes and the line to type. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from cluster.profile.events import (
    HARDWARE_GROUPS,
    SOFTWARE_EVENTS,
    TOPDOWN_GROUP,
    meaning_of_cache_misses,
    plain_event,
)
from cluster.profile.perf_messages import RIGHTS_REMEDY, cause_of
from cluster.results.engine import Capability

TOPDOWN: Final = "{" + ",".join(TOPDOWN_GROUP) + "}"  # probed as one: its members need each other
HARDWARE: Final = tuple(event for group in HARDWARE_GROUPS for event in group)
PROBED: Final = (*SOFTWARE_EVENTS, *HARDWARE, TOPDOWN)
EVENTS: Final = frozenset((*SOFTWARE_EVENTS, *HARDWARE, *TOPDOWN_GROUP))
_NAME: Final = 2  # column of perf stat -x
_FREE_KIB_MIN: Final = 512 * 1024
_CAP_PERFMON, _CAP_SYS_ADMIN, _CAP_SYSLOG = 38, 21, 34  # bit numbers, linux/capability.h
_INSTALL_PERF: Final = (
    "sudo apt-get install linux-perf (Debian), linux-tools-generic (Ubuntu), perf (Fedora)"
)


def sections(text: str) -> dict[str, str]:
    """Name → content of the sections that preflight.sh printed."""
    parts = re.split(r"^== (.*)$", text, flags=re.MULTILINE)[1:]
    return {name: content.strip() for name, content in zip(parts[::2], parts[1::2], strict=True)}


def status_of(said: str) -> int:
    """The exit status that our scripts print last; -1 where it is missing."""
    found = re.search(r"^status (\d+)\s*\Z", said, flags=re.MULTILINE)
    return int(found[1]) if found else -1


def tools(facts: Mapping[str, str]) -> list[Capability]:
    """Programs without which nothing is started there: it could outlive us."""
    present = facts.get("tools", "").split()
    needed = {"bash": "bash", "setpriv": "util-linux", "timeout": "coreutils"}
    return [
        Capability(
            what=f"supervision ({tool})",
            available=False,
            why=f"{tool} is not installed: nothing is left to run that could outlive us",
            remedy=f"sudo apt-get install {package}",
        )
        for tool, package in needed.items()
        if tool not in present
    ]


def perf_itself(facts: Mapping[str, str]) -> Capability:
    """Whether a perf is there that runs."""
    if facts.get("perf_path"):
        return Capability(what=facts.get("perf_version", "perf"), available=True)
    if facts.get("perf"):
        cause = cause_of(facts["perf"])
        return Capability(what="perf", available=False, why=cause.why, remedy=cause.remedy)
    return Capability(
        what="perf", available=False, why="perf is not installed", remedy=_INSTALL_PERF
    )


def rights(facts: Mapping[str, str]) -> Capability:
    """Whether perf may watch the engine's process."""
    said = facts.get("attach", "")
    what = "watching the engine's process"
    if status_of(said) == 0:
        return Capability(what=what, available=True)
    cause = cause_of(said)
    return Capability(what=what, available=False, why=cause.why, remedy=cause.remedy)


def why_not_counted(facts: Mapping[str, str], event: str) -> str:
    """Why one event can't be counted, from what its probe printed; empty: it can."""
    said = facts.get(f"event {event}")
    if said is None:
        rows = [line.split(";") for line in facts.get("events", "").splitlines()]
        of_event = [row for row in rows if len(row) > _NAME and plain_event(row[_NAME]) == event]
        said = ";".join(of_event[0]) + "\nstatus 0" if of_event else "perf did not mention it"
    if status_of(said) == 0 and "<not supported>" not in said:
        return ""
    return cause_of(said).why


def counters(
    facts: Mapping[str, str], events: frozenset[str], unavailable: Mapping[str, str]
) -> list[Capability]:
    """Hardware counters: one line when there is none at all, else one per event that is missing."""
    counted = [event for event in HARDWARE if event in events]
    if not counted:
        causes = sorted({unavailable[event] for event in HARDWARE})
        remedy = cause_of(facts.get("events", "") + facts.get(f"event {HARDWARE[0]}", "")).remedy
        return [
            Capability(
                what="hardware counters", available=False, why="; ".join(causes), remedy=remedy
            )
        ]
    meaning = meaning_of_cache_misses(facts.get("cpu_model", ""))
    listed = [
        Capability(what=f"hardware counters (cache-misses here: {meaning})", available=True),
        *(
            Capability(what=f"event {event}", available=False, why=unavailable[event])
            for event in HARDWARE
            if event in unavailable
        ),
    ]
    if TOPDOWN_GROUP[0] in unavailable:
        why = unavailable[TOPDOWN_GROUP[0]]
        listed.append(Capability(what="top-down analysis", available=False, why=why))
    return listed


def host_settings(facts: Mapping[str, str]) -> list[Capability]:
    """What the host's settings and the engine's binary allow."""
    return [
        *_kernel(facts),
        *_open_files(facts),
        *_free_disk(facts),
        *_symbols(facts),
        *_frame_pointers(facts),
    ]


def _kernel(facts: Mapping[str, str]) -> list[Capability]:
    paranoid = _number(facts, "perf_event_paranoid")
    watches = _may(facts, perfmon=_CAP_PERFMON, sys_admin=_CAP_SYS_ADMIN)
    if paranoid is None or watches or paranoid <= 1:
        why = ""
    else:
        why = f"perf_event_paranoid is {paranoid}: only user code is sampled"
    listed = [
        Capability(
            what="kernel stacks",
            available=not why,
            why=why,
            remedy=RIGHTS_REMEDY if why else "",
        )
    ]
    kptr = _number(facts, "kptr_restrict")
    names = _may(facts, syslog=_CAP_SYSLOG) or (kptr == 0 and (paranoid or 0) <= 1)
    if not why and kptr is not None and (kptr > 1 or not names):
        listed.append(
            Capability(
                what="names of kernel functions",
                available=False,
                why=f"kptr_restrict is {kptr}" + ("" if names else ", and perf has no CAP_SYSLOG"),
                remedy="sudo sysctl kernel.kptr_restrict=1" if names else RIGHTS_REMEDY,
            )
        )
    return listed


def _may(facts: Mapping[str, str], **capabilities: int) -> bool:
    """Whether perf will have one of them: as root, from the login, or as a program with rights."""
    if facts.get("uid") == "0":
        return True
    of_program = facts.get("perf_rights", "")
    if any(f"cap_{name}" in of_program for name in capabilities):
        return True
    try:
        bits = int(facts.get("capabilities", ""), 16)
    except ValueError:
        return False
    return any(bits & 1 << number for number in capabilities.values())


def _open_files(facts: Mapping[str, str]) -> list[Capability]:
    """Perf opens a file per thread, CPU and event; with a low limit it refuses to start."""
    limits = facts.get("open_files", "").split()
    threads, cpus = _number(facts, "threads"), _number(facts, "cpus")
    if not limits or threads is None or cpus is None or not limits[-1].isdigit():
        return []
    needed = threads * cpus * len(HARDWARE)
    if needed <= int(limits[-1]):
        return []
    return [
        Capability(
            what="open files",
            available=False,
            why=f"{threads} threads on {cpus} CPUs need up to {needed} open files, "
            f"the limit is {limits[-1]}",
            remedy="ulimit -Hn 1048576, or nofile in /etc/security/limits.conf",
        )
    ]


def _free_disk(facts: Mapping[str, str]) -> list[Capability]:
    free_kib = _number(facts, "free_kib")
    if free_kib is None or free_kib >= _FREE_KIB_MIN:
        return []
    return [
        Capability(
            what="room for samples",
            available=False,
            why=f"only {free_kib // 1024} MiB are free where perf writes",
            remedy="make room in /tmp, or point TMPDIR elsewhere",
        )
    ]


def _symbols(facts: Mapping[str, str]) -> list[Capability]:
    kind = facts.get("binary", "")
    if "ELF" not in kind:
        return []
    if re.search(r"(?<!not )stripped", kind):
        return [
            Capability(
                what="function names of the engine",
                available=False,
                why="its binary is stripped",
                remedy="build it with -g and do not strip it",
            )
        ]
    return [Capability(what="function names of the engine", available=True)]


def _frame_pointers(facts: Mapping[str, str]) -> list[Capability]:
    """What the compiler noted of its flags, where the binary holds debug information."""
    flags = facts.get("compiled", "")
    optimised = re.search(r"-O[123sfg]", flags)
    if not optimised or "GNU" not in flags:
        return []
    if "-fno-omit-frame-pointer" in flags:
        return [Capability(what="frame pointers of the engine", available=True)]
    return [
        Capability(
            what="frame pointers of the engine",
            available=False,
            why="it was built without them: callers are missing from its stacks",
            remedy="build it with -fno-omit-frame-pointer, or set profile.call_graph: dwarf",
        )
    ]


def _number(facts: Mapping[str, str], name: str) -> int | None:
    try:
        return int(facts.get(name, ""))
    except ValueError:
        return None
