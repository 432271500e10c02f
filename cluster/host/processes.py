"""Which process on a host is meant by a name or a pid."""

from dataclasses import dataclass

from cluster.errors import ProcessNotFound
from cluster.host.commands import checked
from cluster.host.protocol import Host

# The kernel keeps so many characters of a process's name.
_COMM_LENGTH = 15
_SHOWN_CANDIDATES = 8
_SHOWN_CMDLINE = 120

# One process a line: pid, start in clock ticks after boot, name, program, command line.
# Kernel threads have no command line. bash reads all of it without a fork per process.
_LIST = r"""
getconf CLK_TCK
for directory in /proc/[0-9]*; do
    words=()
    mapfile -d '' -t words 2>/dev/null <"$directory/cmdline" || continue
    ((${#words[@]})) || continue
    IFS= read -r stat 2>/dev/null <"$directory/stat" || continue
    IFS= read -r name 2>/dev/null <"$directory/comm" || continue
    set -- ${stat##*) }
    line=${words[*]}
    printf '%s\t%s\t%s\t%s\t%s\n' "${directory#/proc/}" "${20}" \
        "${name//[$'\t\n']/ }" "${words[0]//[$'\t\n']/ }" "${line//[$'\t\n']/ }"
done 2>/dev/null
"""
# Part of its text, by which the processes that do the listing are told from others.
_MARK = "for directory in /proc/[0-9]*; do"


@dataclass(frozen=True)
class ProcessFacts:
    """A process on a host. Pid and start time together are unique until the next boot."""

    pid: int
    name: str
    cmdline: str
    start_time_s: float  # after boot

    def __str__(self) -> str:
        shown = self.cmdline[:_SHOWN_CMDLINE]
        return f"pid {self.pid}: {shown}{'…' if shown != self.cmdline else ''}"


@dataclass(frozen=True)
class _Listed:
    facts: ProcessFacts
    program: str  # file name of its first word

    def is_called(self, name: str) -> bool:
        return name == self.program or name[:_COMM_LENGTH] == self.facts.name


def find_process(host: Host, name_or_pid: str | int) -> ProcessFacts:
    """The one process of that pid, or of that name: the file name of its program.

    Raises:
        ProcessNotFound: none matches, or more than one; the message lists the candidates.
        MissingTool: bash is not there.
    """
    listed = _listed(checked(host, ["bash", "-c", _LIST], timeout_s=20).stdout)
    if isinstance(name_or_pid, int):
        found = [process for process in listed if process.facts.pid == name_or_pid]
    else:
        found = [process for process in listed if process.is_called(name_or_pid)]
    match found:
        case [one]:
            return one.facts
        case []:
            raise _none(host, listed, name_or_pid)
        case several:
            raise ProcessNotFound(
                host.name,
                f"{len(several)} processes are called `{name_or_pid}`: {_shown(several)}",
                "give the pid of the engine as `engine.process`",
            )


def _none(host: Host, listed: list[_Listed], name_or_pid: str | int) -> ProcessNotFound:
    if isinstance(name_or_pid, int):
        return ProcessNotFound(
            host.name, f"no process has pid {name_or_pid}", "does the engine still run?"
        )
    similar = [p for p in listed if name_or_pid.lower() in p.facts.cmdline.lower()]
    candidates = f"; its name is in the command line of {_shown(similar)}" if similar else ""
    return ProcessNotFound(
        host.name,
        f"no process is called `{name_or_pid}`{candidates}",
        "does the engine run? give its program's file name, or its pid, as `engine.process`",
    )


def _shown(processes: list[_Listed]) -> str:
    shown = "; ".join(str(process.facts) for process in processes[:_SHOWN_CANDIDATES])
    more = len(processes) - _SHOWN_CANDIDATES
    return f"{shown}; and {more} more" if more > 0 else shown


def _listed(text: str) -> list[_Listed]:
    """Read what `_LIST` printed, without the processes that do the listing."""
    first, *lines = text.splitlines()
    ticks_per_s = int(first)
    listed = []
    for line in lines:
        pid, start, name, program, cmdline = line.split("\t", 4)
        if _MARK in cmdline:
            continue
        facts = ProcessFacts(int(pid), name, cmdline, int(start) / ticks_per_s)
        listed.append(_Listed(facts, program.rpartition("/")[2]))
    return listed
