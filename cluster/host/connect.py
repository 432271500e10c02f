"""From the experiment's `engine.host` to an open host."""

from typing import Literal

from cluster.experiment.model import SshHost as SshSpec
from cluster.host.local import LocalHost
from cluster.host.protocol import Host


def open_host(spec: Literal["local"] | SshSpec) -> Host:
    """Open the host that `spec` names; close it when done.

    Raises:
        ConnectionFailed: SSH could not be opened; the hint says what to do.
    """
    if spec == "local":
        return LocalHost()
    # Whoever only works here need not load the SSH library.
    from cluster.host.ssh_host import SshHost  # noqa: PLC0415 - see above

    return SshHost(spec)
