"""The address that an agent connects to: the one that was checked, in digits."""

import contextlib
import socket
from typing import Final

from cluster.errors import ClusterError
from cluster.experiment.target import addresses_of, refusal

ANSWER_S: Final = 1.0


class TargetError(ClusterError):
    """The engine can't be found from this host, or may not be loaded."""


def checked_address(name: str, port: int, *, authorized: bool) -> str:
    """What `name` stands for on this host; of several addresses the first one that answers.

    A name may stand for something else here than at the driver, or by now: so it is looked up once,
    here, and who connects is given digits.

    Raises:
        TargetError: it stands for nothing, or for an address that load may not go to.
    """
    addresses = addresses_of(name)
    if not addresses:
        raise TargetError(f"the engine's address {name} can't be resolved here")
    if not authorized and (why := refusal(name, addresses)):
        raise TargetError(f"{why}; the experiment claims no authority for it")
    if len(addresses) == 1:
        return addresses[0]
    return next((one for one in addresses if _listens(one, port)), addresses[0])


def _listens(address: str, port: int) -> bool:
    with (
        contextlib.suppress(OSError),
        socket.create_connection((address, port), ANSWER_S),
    ):
        return True
    return False
