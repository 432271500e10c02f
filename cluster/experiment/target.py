"""Where load may go without a word of authority: this machine, private networks, and the link.

Sources:
    RFC 1122 (loopback), RFC 1918 and RFC 4193 (private), RFC 3927 and RFC 4291 (link-local).
    Not among them: 100.64.0.0/10 (RFC 6598), which belongs to the carrier and not to whoever uses
    it, and the ranges for documentation and benchmarks, which nobody is known to own.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from cluster.document.reader import Places
from cluster.document.sentences import Mistake
from cluster.errors import ConfigError, Problem
from cluster.experiment.model import Engine, Experiment

KEY: Final = ("engine", "address")
AUTHORITY: Final = ("engine", "i_am_authorized_to_load")
PERMITTED: Final = tuple(
    ip_network(text)
    for text in (
        "127.0.0.0/8",
        "::1/128",
        "0.0.0.0/32",  # Linux connects to itself
        "::/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
        "169.254.0.0/16",
        "fe80::/10",
    )
)

Resolve = Callable[[str], Sequence[str]]


def is_permitted(address: str) -> bool:
    """Whether load may go to this address, in digits, without authority."""
    found = ip_address(address)
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in PERMITTED)


def addresses_of(name: str) -> tuple[str, ...]:
    """Every address, in digits, that a name or an address stands for here; none: unknown here."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(_digits(place[4]) for place in found))


def refusal(name: str, addresses: Sequence[str]) -> str:
    """Why no load may go to `name`, which stands for `addresses`; empty: it may."""
    foreign = [address for address in addresses if not is_permitted(address)]
    if not foreign:
        return ""
    which = name if list(addresses) == [name] else f"{name}, which is {', '.join(foreign)},"
    return (
        f"{which} is outside loopback, private and link-local networks: load may go there only "
        "with the consent of whoever owns it"
    )


def require_permitted(experiment: Experiment, resolve: Resolve = addresses_of) -> tuple[str, ...]:
    """The addresses that the engine's name stands for here; none: unknown here.

    Raises:
        ConfigError: load may not go to one of them.
    """
    engine = experiment.engine
    addresses = tuple(resolve(engine.address))
    if not engine.i_am_authorized_to_load and (why := refusal(engine.address, addresses)):
        problem = Problem(experiment.name, None, ".".join(KEY), f"{why}; {REMEDY}")
        raise ConfigError([problem])
    return addresses


def misplaced(engine: Engine, places: Places, resolve: Resolve = addresses_of) -> list[Mistake]:
    """What is wrong with the engine's address, with authority that stands beside another one."""
    why = refusal(engine.address, resolve(engine.address))
    if not why:
        return []
    if not engine.i_am_authorized_to_load:
        return [Mistake(KEY, f"{why}; {REMEDY}")]
    if places.is_in_file(KEY) != places.is_in_file(AUTHORITY):
        beside = "as another --set" if places.is_in_file(AUTHORITY) else "in the file"
        key = ".".join(AUTHORITY)
        return [Mistake(KEY, f"{why}; `{key}` was said of another address: say it {beside}")]
    return []


REMEDY: Final = "say so with `i_am_authorized_to_load: true` beside the address"


def _digits(place: tuple[str | int, ...] | tuple[int, bytes]) -> str:
    # With the interface, where an address means something only on that link.
    return socket.getnameinfo(place, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]  # type: ignore[arg-type]  # one of two
