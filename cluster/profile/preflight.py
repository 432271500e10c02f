"""What can be measured on the engine's host, and what to type where something can't."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Final

from cluster.errors import ProcessNotFound
from cluster.experiment.model import Profile
from cluster.host.protocol import Host
from cluster.profile.events import SWITCH_TRACEPOINT, TOPDOWN_GROUP
from cluster.profile.perf_messages import cause_of
from cluster.profile.perf_record import sampling_options
from cluster.profile.requirements import (
    EVENTS,
    PROBED,
    TOPDOWN,
    counters,
    host_settings,
    perf_itself,
    rights,
    sections,
    status_of,
    tools,
    why_not_counted,
)
from cluster.results.engine import Capability

_TIMEOUT_S: Final = 60
# Arguments: private directory, perf, and the arguments of perf.
_TRY_RECORD: Final = """
export LC_ALL=C HOME="$1" PERF_CONFIG=/dev/null
perf=$2 data=$1/probe.data
shift 2
"$perf" "$@" -o "$data" -- sleep 0.05 </dev/null 2>&1
status=$?
"$perf" evlist -v -i "$data" </dev/null 2>&1
rm -f "$data"
echo "status $status"
"""


@dataclass(frozen=True)
class Preflight:
    """What the lanes may use."""

    capabilities: tuple[Capability, ...] = ()
    perf: str = ""  # path on the host; empty: none that runs
    events: frozenset[str] = frozenset()  # that perf stat can count
    unavailable: Mapping[str, str] = field(default_factory=dict)  # event → why not
    stat_as_json: bool = True
    sample_event: str = ""  # empty: perf can't sample here
    why_no_samples: str = ""
    switch_stacks: bool = False  # the stack at the moment of leaving the CPU
    tracefs_mounted: bool = True  # before perf came


def preflight(host: Host, pid: int, settings: Profile) -> Preflight:
    """Try everything that the lanes need, on the engine's process itself.

    Args:
        host: The engine's.
        pid: The engine's, on that host.
        settings: Decide how is sampled.

    Raises:
        ProcessNotFound: there is no such process.
        ConnectionFailed: the connection was lost.
    """
    directory = host.private_directory()
    script = resources.files("cluster.profile").joinpath("preflight.sh").read_bytes()
    done = host.run(
        ["sh", "-s", "--", str(pid), directory, *PROBED], timeout_s=_TIMEOUT_S, stdin=script
    )
    facts = sections(done.stdout)
    if facts.get("alive") != "yes":
        raise ProcessNotFound(host.name, f"there is no process {pid}", "is the engine running?")
    found = judge(facts)
    return probe_sampling(host, pid, settings, directory, found) if found.perf else found


def judge(facts: Mapping[str, str]) -> Preflight:
    """What the facts of preflight.sh mean; sampling itself is not yet tried."""
    perf = facts.get("perf_path", "")
    capabilities = [*tools(facts), perf_itself(facts)]
    if not perf:
        why = capabilities[-1].why
        return Preflight(
            capabilities=(*capabilities, *host_settings(facts)),
            unavailable=dict.fromkeys(EVENTS, why),
            why_no_samples=why,
        )
    watching = rights(facts)
    unavailable: dict[str, str] = {}
    for probed in PROBED:
        why = watching.why or why_not_counted(facts, probed)
        if why:
            asked = TOPDOWN_GROUP if probed == TOPDOWN else (probed,)
            unavailable |= dict.fromkeys(asked, why)
    countable = EVENTS - unavailable.keys()
    capabilities += [watching, *counters(facts, countable, unavailable), *host_settings(facts)]
    return Preflight(
        capabilities=tuple(capabilities),
        perf=perf,
        events=countable,
        unavailable=unavailable,
        stat_as_json=status_of(facts.get("json", "")) == 0,
        sample_event="cycles" if "cycles" in countable else "cpu-clock",
        why_no_samples=watching.why,
        tracefs_mounted=facts.get("tracefs", "0") != "0",
    )


def probe_sampling(
    host: Host, pid: int, settings: Profile, directory: str, found: Preflight
) -> Preflight:
    """Sample the process for a moment, with and without the tracepoint, and see what came out."""
    if found.why_no_samples:
        sampling = Capability(what="sampling", available=False, why=found.why_no_samples)
        return _with(found, (sampling,), sample_event="")

    def record(tracepoint: str) -> str:
        options = sampling_options(settings, found.sample_event, tracepoint)
        # Without build ids (-B): they take longer than the probe.
        argv = [directory, found.perf, "record", "-B", *options, "-p", str(pid)]
        return host.run(["sh", "-c", _TRY_RECORD, "sh", *argv], timeout_s=_TIMEOUT_S).stdout

    with_stacks = record(SWITCH_TRACEPOINT)
    is_ok, refused = status_of(with_stacks) == 0, cause_of(with_stacks)
    said = with_stacks if is_ok else record("")
    if status_of(said) != 0:
        cause = cause_of(said)
        sampling = Capability(what="sampling", available=False, why=cause.why, remedy=cause.remedy)
        return _with(found, (sampling,), sample_event="", why_no_samples=cause.why)
    recorded = recorded_event(said)
    sampling = Capability(what=f"sampling by {recorded}", available=True)
    switches = Capability(
        what="stacks of waiting threads",
        available=is_ok,
        why="" if is_ok else f"{refused.why}; the last sample before stands in",
        remedy="" if is_ok else refused.remedy,
    )
    return _with(found, (sampling, switches), sample_event=recorded, switch_stacks=is_ok)


def _with(
    found: Preflight,
    capabilities: tuple[Capability, ...],
    *,
    sample_event: str,
    why_no_samples: str = "",
    switch_stacks: bool = False,
) -> Preflight:
    return replace(
        found,
        capabilities=(*found.capabilities, *capabilities),
        sample_event=sample_event,
        why_no_samples=why_no_samples or found.why_no_samples,
        switch_stacks=switch_stacks,
    )


def recorded_event(evlist: str) -> str:
    """The event that perf really recorded: without counters it falls back and says nothing."""
    for line in evlist.splitlines():
        name = line.partition(": type:")[0]
        if name != line and name.partition(":")[0] in {"cycles", "cpu-clock", "task-clock"}:
            return name.partition(":")[0]
    return "cpu-clock"
