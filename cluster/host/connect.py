"""From the experiment's `engine.host` to an open host."""

from typing import Literal

from cluster.experiment.model import SshHost as SshSpec
from cluster.host.protocol import Host


def open_host(spec: Literal["local"] | SshSpec) -> Host:
    """Open the host that `spec` names. Raises ConnectionFailed, with advice."""
    raise NotImplementedError
