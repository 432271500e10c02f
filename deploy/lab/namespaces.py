"""A host of the lab as a set of namespaces, held by one process: its init.

The init reads its stdin and does nothing else. When that ends, because the lab's keeper closed it
or is dead, so does the init, and the kernel ends every process of the host with it.
"""

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

from lab.errors import LabError
from lab.layout import LabHost

END_S: Final = 10.0
SYS: Final = ("class/net", "devices/virtual/net")  # what of /sys tells of the network

# Children that nobody waits for are reaped by the kernel: the init ignores SIGCHLD.
_INIT: Final = """
set -e
hostname "$NAME"
mount -t tmpfs -o mode=1777 lab /dev/shm
mount -t tmpfs -o mode=0755 lab /run
mount --bind "$HOSTS_FILE" /etc/hosts
mount -t sysfs lab "$SYS"
for part in $PARTS; do mount --bind "$SYS/$part" "/sys/$part"; done
echo ready
exec env --ignore-signal=CHLD cat >/dev/null
"""
_PR_SET_PDEATHSIG: Final = 1
_EVERY_NAMESPACE: Final = 0x08000000 | 0x02000000 | 0x04000000 | 0x20000000 | 0x40000000 | 0x20000
_NEW_TIME: Final = 0x80


def own_clock() -> bool:
    """Whether this kernel can give a host a monotonic clock of its own."""
    return Path("/proc/self/ns/time").exists()


class Holder:
    """The processes that hold a host's namespaces: `unshare`, and the init as its child."""

    def __init__(self, host: LabHost, home: Path, hosts_file: Path) -> None:
        """Make the host's namespaces; `sys/` in its home becomes a mount point.

        Raises:
            LabError: the kernel does not let us.
        """
        self.name = host.name
        clock = ["--time", "--monotonic", str(host.clock_ahead_s)] if own_clock() else []
        spaces = ["--net", "--uts", "--ipc", "--mount", "--pid", "--mount-proc", *clock]
        self._process = subprocess.Popen(
            ["unshare", *spaces, "--fork", "--kill-child", "sh", "-c", _INIT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                "PATH": os.environ["PATH"],
                "NAME": host.name,
                "HOSTS_FILE": str(hosts_file),
                "SYS": str(home / "sys"),
                "PARTS": " ".join(SYS),
            },
        )
        assert self._process.stdout is not None  # noqa: S101  (it was made with a pipe)
        if self._process.stdout.readline() != "ready\n":
            said = self._process.communicate(timeout=END_S)[1].strip()
            raise LabError(f"{host.name}: no namespaces of its own: {said}")
        self.pid = _child(self._process.pid)

    def close(self) -> None:
        """End the host and everything that runs on it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # and with it the init: --kill-child
            self._process.wait(END_S)


def inside(pid: int, argv: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The command that runs `argv` on the host with that init, with exactly that environment."""
    variables = [f"{name}={value}" for name, value in environment.items()]
    return ["nsenter", "--all", "--target", str(pid), "env", "-i", *variables, *argv]


def network_of(pid: int) -> list[str]:
    """What to put before a command to run it in the host's network alone."""
    return ["nsenter", "--net", "--target", str(pid)]


def run_inside(pid: int, argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command on the host with that init, in this directory and on this terminal.

    Ctrl-C reaches it by the terminal; SIGTERM and SIGHUP are handed on; when this process is
    killed, it gets SIGTERM.

    Returns:
        Its exit status, as a shell says it.

    Raises:
        LabError: the host can't be entered.
    """
    directory = Path.cwd()
    try:
        where = os.pidfd_open(pid)
    except OSError as error:
        raise LabError(f"the host is gone: {error.strerror}") from error
    libc = ctypes.CDLL(None, use_errno=True)
    flags = _EVERY_NAMESPACE | (_NEW_TIME if own_clock() else 0)
    if libc.setns(where, flags) != 0:
        raise LabError(f"the host can't be entered: {os.strerror(ctypes.get_errno())}")
    child = os.fork()
    if child == 0:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        _become(argv, environment, directory)
    signal.signal(signal.SIGINT, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, _: os.kill(child, got))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status >= 0 else 128 - status


def _become(argv: Sequence[str], environment: Mapping[str, str], directory: Path) -> NoReturn:
    try:
        os.chdir(directory)
        os.execvpe(argv[0], list(argv), dict(environment))  # noqa: S606  (no shell)
    except OSError as error:
        os.write(2, f"lab: {argv[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _child(parent: int) -> int:
    """The pid of its only child."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            return int(entry.parent.name)
    raise LabError("the init of a host ended at once")
