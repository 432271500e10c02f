"""What runs on the hosts: Ray on the head and on every load host, sshd on the engine's."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lab.errors import LabError
from lab.homes import SSHD_CONFIG, environment_of, home_of
from lab.layout import ENGINE, HEAD, RAY_PORT, LabHost
from lab.namespaces import inside

SSHD: Final = "/usr/sbin/sshd"
START_TIMEOUT_S: Final = 60.0
OBJECT_STORE_BYTES: Final = 80_000_000  # little more than the least that Ray takes
LOAD_RESOURCE: Final = "loadgen"  # as cluster/fleet/ray_fleet.py asks for


class Starting:
    """A command that brings something up on a host, and then ends."""

    def __init__(self, directory: Path, host: LabHost, pid: int, argv: list[str]) -> None:
        self._what = f"{Path(argv[0]).name} on {host.name}"
        self._log = home_of(directory, host) / "start.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                inside(pid, argv, environment_of(directory, host)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=home_of(directory, host),
            )

    def wait(self) -> None:
        """Wait until it is up. Raises LabError: it is not, or not in time."""
        try:
            status = self._process.wait(START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise LabError(f"{self._what} was not up within {START_TIMEOUT_S:g} s") from None
        if status != 0:
            said = self._log.read_text(errors="replace").strip().splitlines()[-3:]
            raise LabError(f"{self._what} did not start: {' | '.join(said)}")


def start_sshd(directory: Path, pid: int) -> None:
    """Start the sshd of the engine's host."""
    config = home_of(directory, ENGINE) / SSHD_CONFIG
    # /run is the host's own and empty; sshd of root insists on this directory.
    script = 'mkdir -p -m 0755 /run/sshd && exec "$0" "$@"'
    log = str(home_of(directory, ENGINE) / "sshd.log")
    argv = ["sh", "-c", script, SSHD, "-f", str(config), "-E", log]
    Starting(directory, ENGINE, pid, argv).wait()


def start_ray(directory: Path, host: LabHost, pid: int) -> Starting:
    """Start Ray on a host: on the head the cluster, on a load host a node that joins it."""
    is_head = host.name == HEAD.name
    role = (
        ["--head", f"--port={RAY_PORT}", "--include-dashboard=false", "--no-monitor"]
        if is_head
        else [f"--address={HEAD.address}:{RAY_PORT}"]
    )
    resources: Mapping[str, int] = {} if is_head else {LOAD_RESOURCE: 1}
    argv = [
        *(sys.executable, "-m", "ray.scripts.scripts", "start", *role),
        f"--node-ip-address={host.address}",
        f"--temp-dir={home_of(directory, host)}/ray",
        f"--resources={json.dumps(resources)}",
        f"--object-store-memory={OBJECT_STORE_BYTES}",
        # Agents need no CPU of Ray's, and so none of the workers it would start ahead.
        "--num-cpus=0",
        "--include-log-monitor=false",
        "--disable-usage-stats",
    ]
    return Starting(directory, host, pid, argv)
