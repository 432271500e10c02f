"""What both hosts share: how a command is bounded in time, and what its end means."""

import math
import re
from collections.abc import Sequence

from cluster.errors import CommandFailed, HostError, MissingTool
from cluster.host.protocol import Completed, Host

_PACKAGES = {
    "perf": "linux-perf (Debian) or linux-tools-$(uname -r) (Ubuntu)",
    "valgrind": "valgrind",
    "bash": "bash, version 5 or later",
    "bash5": "bash, version 5 or later",
    "setpriv": "util-linux",
    "setsid": "util-linux",
    "taskset": "util-linux",
    "timeout": "coreutils",
    "mkfifo": "coreutils",
    "ss": "iproute2",
}
_NOT_THERE = re.compile(
    r"^(env|timeout): .*(No such file or directory|not found|can't execute)", re.MULTILINE
)
_NOT_ALLOWED = re.compile(r"^(env|timeout): .*Permission denied", re.MULTILINE)
MARK_VARIABLE = "LOADCLUSTER"
NOT_FOUND_STATUS = 127
NOT_EXECUTABLE_STATUS = 126


def bounded(argv: Sequence[str], timeout_s: float) -> list[str]:
    """`argv` so that the host itself ends it, even when we no longer can.

    The host's limit is two seconds later than ours, so that ours tells the story.
    """
    limit_s = math.ceil(timeout_s) + 2
    return ["env", "LC_ALL=C", "timeout", "-k", "2", str(limit_s), *argv]


def marked(argv: Sequence[str], mark: str) -> list[str]:
    """`argv` so that it and its children can be told from everything else on the host."""
    return ["env", "LC_ALL=C", f"{MARK_VARIABLE}={mark}", *argv]


def missing_tool(host: str, tool: str) -> MissingTool:
    """The error for a program that is not there, with how to install it."""
    shown = "bash 5" if tool == "bash5" else tool
    package = _PACKAGES.get(tool)
    hint = (
        f"install it there: {package}"
        if package
        else "give its full path, or install it on that host"
    )
    return MissingTool(host, f"`{shown}` can't be run: not there, not on PATH, or no program", hint)


def completed(
    host: str, argv: Sequence[str], exit_status: int, stdout: bytes, stderr: bytes
) -> Completed:
    """A command run as `bounded(argv)` that ended. Raises MissingTool if it was not there."""
    said = stderr.decode(errors="replace")
    if exit_status == NOT_FOUND_STATUS and _NOT_THERE.search(said):
        tool = "timeout" if said.startswith("env:") else argv[0]
        raise missing_tool(host, tool)
    if exit_status == NOT_EXECUTABLE_STATUS and _NOT_ALLOWED.search(said):
        raise MissingTool(host, f"`{argv[0]}` may not be executed", f"chmod +x {argv[0]}")
    return Completed(tuple(argv), exit_status, stdout.decode(errors="replace"), said)


def timed_out(host: str, argv: Sequence[str], timeout_s: float) -> HostError:
    """The error for a command that took too long."""
    return HostError(host, f"`{' '.join(argv)}` took longer than {timeout_s:g} s; it was ended")


def checked(
    host: Host, argv: Sequence[str], *, timeout_s: float = 10.0, stdin: bytes = b""
) -> Completed:
    """As `host.run`. Raises CommandFailed when the command ends with anything but 0."""
    ended = host.run(argv, timeout_s=timeout_s, stdin=stdin)
    if not ended.ok:
        raise CommandFailed(host.name, argv, ended.exit_status, ended.stderr)
    return ended
