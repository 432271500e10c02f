"""The life of a lab: one process brings it up, keeps it, and takes it down, whatever happens.

It holds the stdin of every host's init. When it dies, by whatever signal, the hosts end.
"""

import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from lab.errors import LabError, require
from lab.homes import furnish, home_of, hosts_file, make_directory
from lab.layout import ENGINE, HEAD, LabHost, all_hosts, load_hosts
from lab.namespaces import Holder
from lab.network import build_switch, introduce, plug_in
from lab.services import start_ray, start_sshd
from lab.state import Running, State, ourselves

SWITCH: Final = LabHost("switch", 0)
PROGRAMS: Final = ("ip", "bridge", "unshare", "nsenter", "mount", "sshd", "ssh-keygen")
READY: Final = "the lab is up"
REMOVE_S: Final = 10.0


def keep(directory: Path, count: int, *, tied: bool) -> None:
    """Bring a lab up, keep it until told to end, and take it down.

    Args:
        directory: of the lab; made here, removed at the end.
        count: of load hosts.
        tied: it ends when stdin does, that is with whoever started us; else by a signal only.

    Raises:
        LabError: it did not come up; nothing is left of it.
    """
    require(*PROGRAMS)
    with _signals_end_it():
        try:
            make_directory(directory)
            with ExitStack() as undo:
                undo.callback(_remove, directory)
                _bring_up(directory, count, undo)
                sys.stdout.write(f"{READY}\n")
                sys.stdout.flush()
                if tied:
                    sys.stdin.read()
                else:
                    signal.pause()
        except _ToldToEndError:
            return


def _bring_up(directory: Path, count: int, undo: ExitStack) -> None:
    hosts = all_hosts(count)
    State(ourselves(), count).save(directory)
    furnish(directory, hosts)
    (home_of(directory, SWITCH) / "sys").mkdir(parents=True)
    holders = {}
    for host in (SWITCH, *hosts):
        holder = Holder(host, home_of(directory, host), hosts_file(directory))
        undo.callback(holder.close)
        holders[host.name] = holder
    switch = holders[SWITCH.name].pid
    build_switch(switch)
    for host in hosts:
        plug_in(switch, host, holders[host.name].pid)
        introduce([other for other in hosts if other != host], holders[host.name].pid)
    start_sshd(directory, holders[ENGINE.name].pid)
    start_ray(directory, HEAD, holders[HEAD.name].pid).wait()
    nodes = [start_ray(directory, host, holders[host.name].pid) for host in load_hosts(count)]
    for node in nodes:
        node.wait()
    inits = {host.name: Running.of(holders[host.name].pid) for host in hosts}
    State(ourselves(), count, Running.of(switch), inits).save(directory)


class _ToldToEndError(Exception):
    """A signal asked us to."""


@contextmanager
def _signals_end_it() -> Iterator[None]:
    def told(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)  # once is enough: taking it down is bounded
        raise _ToldToEndError

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        signal.signal(number, told)
    yield


def _remove(directory: Path) -> None:
    deadline = time.monotonic() + REMOVE_S
    while directory.exists():
        # What is just dying may still write there.
        shutil.rmtree(directory, ignore_errors=True)
        if time.monotonic() > deadline:
            raise LabError(f"{directory} can't be removed")
