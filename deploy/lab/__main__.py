"""Many hosts on one machine, to try loadcluster with: `python deploy/lab up`, `… exec head CMD`."""

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import layout
from lab.errors import LabError
from lab.homes import environment_of
from lab.keeper import READY, keep
from lab.layout import LabHost, all_hosts
from lab.namespaces import run_inside
from lab.network import LINKS, impair, set_link
from lab.services import start_ray
from lab.state import State, load_state
from lab.teardown import take_down

FAILED = 1
_HOW_TO_USE = """\
The lab is up. Its Ray cluster and its engine's host are reached from its head:

  {lab} exec head loadcluster run configs/lab.yaml

  {lab} link load-1 down    # cut a host off; up connects it again
  {lab} down                # nothing is left of it
"""


def main() -> int:
    """Do what the arguments say; 0 when it was done."""
    arguments = _parser().parse_args()
    arguments.directory = arguments.directory.absolute()
    if os.geteuid() != 0:
        return _complain("the lab needs root: it makes network, mount and process namespaces")
    try:
        status: int = arguments.verb(arguments)
    except LabError as error:
        return _complain(str(error))
    return status


def _complain(sentence: str) -> int:
    sys.stderr.write(f"lab: {sentence}\n")
    return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description=__doc__)
    parser.add_argument(
        "--directory", type=Path, default=layout.DIRECTORY, help="of the lab (%(default)s)"
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    up = verbs.add_parser("up", help="bring it up; it stays until `down`")
    up.set_defaults(verb=_up)
    tied = verbs.add_parser("keep", help="bring it up and keep it until stdin ends")
    tied.set_defaults(verb=_keep)
    tied.add_argument("--until-signal", action="store_true", help="… until SIGTERM instead")
    for verb in (up, tied):
        verb.add_argument("--load-hosts", type=_count, default=2, help="(%(default)s)")

    verbs.add_parser("down", help="take it down; nothing is left of it").set_defaults(verb=_down)
    verbs.add_parser("status", help="the hosts that are up").set_defaults(verb=_status)

    run = verbs.add_parser("exec", help="run a command on a host, here and on this terminal")
    run.set_defaults(verb=_exec)
    run.add_argument("host")
    run.add_argument("command", nargs=argparse.REMAINDER)

    link = verbs.add_parser("link", help="cut a host off (down, deaf, mute), connect it again (up)")
    link.set_defaults(verb=_link)
    link.add_argument("host")
    link.add_argument("state", choices=LINKS)

    netem = verbs.add_parser("netem", help="delay or lose what a host sends: the words of tc netem")
    netem.set_defaults(verb=_netem)
    netem.add_argument("host")
    netem.add_argument("words", nargs=argparse.REMAINDER)

    join = verbs.add_parser("join", help="start Ray on a load host anew")
    join.set_defaults(verb=_join)
    join.add_argument("host")
    return parser


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= layout.LOAD_HOSTS_MAX:
        raise argparse.ArgumentTypeError(f"1 to {layout.LOAD_HOSTS_MAX} load hosts, not {count}")
    return count


def _up(arguments: argparse.Namespace) -> int:
    """Start a keeper that outlives us, and wait until it says that the lab is up."""
    keeper = subprocess.Popen(
        [*_ourselves(arguments), "keep", "--until-signal", f"--load-hosts={arguments.load_hosts}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    assert keeper.stdout is not None  # noqa: S101  (it was made with a pipe)
    for line in keeper.stdout:
        if line.strip() == READY:
            lab = shlex.join(_ourselves(arguments))
            sys.stdout.write(_HOW_TO_USE.format(lab=lab))
            return 0
        sys.stderr.write(line)
    return keeper.wait() or FAILED


def _keep(arguments: argparse.Namespace) -> int:
    keep(arguments.directory, arguments.load_hosts, tied=not arguments.until_signal)
    return 0


def _down(arguments: argparse.Namespace) -> int:
    was_up = take_down(arguments.directory)
    sys.stdout.write("the lab is down\n" if was_up else "no lab was up\n")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    for host, init in _up_hosts(arguments).items():
        sys.stdout.write(f"{host.name:8} {host.address:12} init {init}\n")
    return 0


def _exec(arguments: argparse.Namespace) -> int:
    command = arguments.command
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        raise LabError("say what to run: `exec HOST COMMAND…`")
    host, state = _named(arguments)
    environment = environment_of(arguments.directory, host)
    return run_inside(state.init_of(host.name), command, environment)


def _link(arguments: argparse.Namespace) -> int:
    host, state = _named(arguments)
    set_link(state.switch_pid, host, arguments.state)
    return 0


def _netem(arguments: argparse.Namespace) -> int:
    host, state = _named(arguments)
    impair(host, state.init_of(host.name), arguments.words)
    return 0


def _join(arguments: argparse.Namespace) -> int:
    host, state = _named(arguments)
    start_ray(arguments.directory, host, state.init_of(host.name)).wait()
    return 0


def _state(arguments: argparse.Namespace) -> State:
    state = load_state(arguments.directory)
    if state is None:
        raise LabError(f"no lab is up in {arguments.directory}: bring one up with `up`")
    return state


def _up_hosts(arguments: argparse.Namespace) -> dict[LabHost, int]:
    state = _state(arguments)
    return {host: state.init_of(host.name) for host in all_hosts(state.load_hosts)}


def _named(arguments: argparse.Namespace) -> tuple[LabHost, State]:
    state = _state(arguments)
    for host in all_hosts(state.load_hosts):
        if host.name == arguments.host:
            return host, state
    names = ", ".join(host.name for host in all_hosts(state.load_hosts))
    raise LabError(f"the lab has no host `{arguments.host}`; it has {names}")


def _ourselves(arguments: argparse.Namespace) -> list[str]:
    command = [sys.executable, str(Path(__file__).parent)]
    if arguments.directory == layout.DIRECTORY:
        return command
    return [*command, "--directory", str(arguments.directory)]


if __name__ == "__main__":
    sys.exit(main())
