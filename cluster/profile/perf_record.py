"""The sampling lane: the command lines of perf record, and of what makes its data readable."""

from collections.abc import Sequence
from typing import Final

from cluster.experiment.model import Profile
from cluster.profile.stacks import SCRIPT_FIELDS

DATA: Final = "perf.data"  # in the lane's private directory
REPORT: Final = "perf-report.txt"
SAMPLES: Final = "samples.txt.gz"
DATA_BYTES_MAX: Final = "1G"
# A DWARF sample carries a piece of the stack: 48 times the data, and unwinding takes as long.
DWARF_FREQUENCY_HZ_MAX: Final = 199
_DWARF_STACK_BYTES: Final = 8192
_REPORT_PERCENT_MIN: Final = "0.5"


def sampling_frequency_hz(settings: Profile) -> int:
    """How often a thread is sampled; DWARF stacks are too large for a high frequency."""
    if settings.call_graph == "dwarf":
        return min(settings.frequency_hz, DWARF_FREQUENCY_HZ_MAX)
    return settings.frequency_hz


def sampling_options(settings: Profile, event: str, tracepoint: str = "") -> list[str]:
    """Options of perf record that decide what is in the data.

    CLOCK_MONOTONIC puts samples on the clock of the windows; the switch events tell when threads
    ran and did not, without a tracepoint's rights; `-N` leaves nothing in ~/.debug. The
    tracepoint is sampled at the same frequency: it bounds its cost however often threads switch.
    """
    graph = (
        ["--call-graph", f"dwarf,{_DWARF_STACK_BYTES}"]
        if settings.call_graph == "dwarf"
        else ["-g"]
    )
    options = ["-F", str(sampling_frequency_hz(settings)), *graph, "-k", "CLOCK_MONOTONIC"]
    options += ["--switch-events", "--sample-cpu", "-N", "-e", event]
    return [*options, "-e", tracepoint] if tracepoint else options


def record_argv(
    perf: Sequence[str], pid: int, settings: Profile, event: str, tracepoint: str
) -> list[str]:
    """The command line of perf record, disabled until its control fifo enables it."""
    return [
        *perf,
        "record",
        *sampling_options(settings, event, tracepoint),
        *("--max-size", DATA_BYTES_MAX),
        *("-p", str(pid), "-D", "-1", "--control=fifo:{ctl},{ack}"),
        *("-o", "{dir}/" + DATA),
    ]


def symbolise_argv(perf: str, directory: str, timeout_s: int) -> list[str]:
    """Turn perf.data into the report and the compressed samples, where the binaries are.

    Inlined functions are not resolved (`--no-inline`): that turns seconds into hours. Both
    commands may take `timeout_s` each. Newer perfs ask questions on stdin, so it is closed.
    """
    script = """
export LC_ALL=C HOME="$1" PERF_CONFIG=/dev/null
cd "$1" || exit 1
perf=$2 limit=$3
{
    timeout -k 5 "$limit" "$perf" report -n --stdio --no-inline --percent-limit "$4" -i "$5" >"$6"
    echo "report $?"
    { timeout -k 5 "$limit" "$perf" script --ns --no-inline --show-switch-events \
        --show-lost-events -F "$8" -i "$5"; echo "script $?" >&2; } | gzip -1 >"$7"
    echo "gzip $?"
    "$perf" evlist -v -i "$5"
} </dev/null 2>&1
"""
    arguments = [perf, str(timeout_s), _REPORT_PERCENT_MIN, DATA, REPORT, SAMPLES, SCRIPT_FIELDS]
    return ["sh", "-c", script, "sh", directory, *arguments]
