"""The lab's switch, a bridge in a network namespace of its own, and the links of its hosts."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Literal, get_args

from lab.errors import LabError, command
from lab.layout import PREFIX, LabHost
from lab.namespaces import network_of

Link = Literal["up", "down", "deaf", "mute"]
LINKS: Final[tuple[str, ...]] = get_args(Link)
BRIDGE: Final = "switch"
INTERFACE: Final = "eth0"


def build_switch(switch: int) -> None:
    """Make the bridge in the network of process `switch`."""
    # One that snoops would hold multicast back for a while; nothing here needs it.
    _ip(switch, "link", "add", BRIDGE, "type", "bridge", "mcast_snooping", "0")
    _ip(switch, "link", "set", BRIDGE, "up")


def plug_in(switch: int, host: LabHost, pid: int) -> None:
    """Connect a host, whose init is `pid`, to the switch; its port is called as the host."""
    ends = ["link", "add", host.name, "type", "veth", "peer", "name", INTERFACE]
    _ip(switch, *ends, "address", host.mac, "netns", str(pid))
    _ip(switch, "link", "set", host.name, "master", BRIDGE, "up")
    _ip(pid, "link", "set", "lo", "up")
    _ip(pid, "address", "add", f"{host.address}/{PREFIX}", "dev", INTERFACE)
    _ip(pid, "link", "set", INTERFACE, "up")


def introduce(hosts: Sequence[LabHost], pid: int) -> None:
    """Tell a host the hardware addresses of all.

    One that hears nothing could not ask for them, and then would not be heard either.
    """
    words = "neighbour replace {0.address} lladdr {0.mac} nud permanent dev " + INTERFACE
    lines = "".join(words.format(host) + "\n" for host in hosts)
    command([*network_of(pid), "ip", "-batch", "-"], "the lab's network", given=lines)


def set_link(switch: int, host: LabHost, link: Link) -> None:
    """Cut a host off, or connect it again, at its port of the switch.

    Args:
        switch: a process in the switch's network.
        host: whose link.
        link: up; down: nothing passes, and the host sees that; deaf: nothing reaches the host;
            mute: nothing of the host's reaches others. The host does not see these two.
    """
    port = ["bridge", "link", "set", "dev", host.name]
    hears = "off" if link == "deaf" else "on"
    # A locked port takes frames only from addresses that were learned there: from none.
    speaks = ("locked", "on") if link == "mute" else ("locked", "off")
    learns = "on" if link in {"up", "down"} else "off"
    options = [*speaks, "learning", learns, "flood", hears, "bcast_flood", hears]
    what = f"the link of {host.name}"
    command([*network_of(switch), *port, *options], what)
    if learns == "off":
        known = ["bridge", "fdb", "del", host.mac, "dev", host.name, "master"]
        with suppress(LabError):  # not known there: it said nothing lately
            command([*network_of(switch), *known], what)
    _ip(switch, "link", "set", host.name, "down" if link == "down" else "up")


def impair(host: LabHost, pid: int, netem: list[str]) -> None:
    """Delay, lose or reorder what a host sends, as `tc netem` says; nothing given: as it was.

    Raises:
        LabError: the kernel has no netem, or refuses the words.
    """
    qdisc = [*network_of(pid), "tc", "qdisc"]
    what = f"what {host.name} sends"
    with suppress(LabError):  # there may be none
        command([*qdisc, "del", "dev", INTERFACE, "root"], what)
    if not netem:
        return
    try:
        command([*qdisc, "add", "dev", INTERFACE, "root", "netem", *netem], what)
    except LabError as error:
        if "qdisc kind is unknown" not in str(error):
            raise
        raise LabError(
            "this kernel has no netem (CONFIG_NET_SCH_NETEM): links can be cut, but neither delay "
            "nor lose packets"
        ) from error


def _ip(pid: int, *words: str) -> None:
    command([*network_of(pid), "ip", *words], "the lab's network")
