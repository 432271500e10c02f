"""A real sshd on a loopback port, with keys and a configuration of its own."""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from cluster.experiment.model import SshHost as SshSpec
from fakes.left_behind import Footprint

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
PRIVILEGE_SEPARATION = Path("/run/sshd")


def why_not() -> str:
    """Why no sshd can be started here; empty when it can."""
    if SSHD is None or shutil.which("ssh-keygen") is None:
        return "openssh-server is not installed"
    return ""


class Sshd:
    """One server; `with` starts and ends it. All its files are in `directory`."""

    def __init__(
        self,
        directory: Path,
        *,
        sftp: bool = True,
        host_keys: tuple[str, ...] = ("ed25519",),
        wrapper: tuple[str, ...] = (),
    ) -> None:
        """A command in `wrapper` becomes the server: `unshare` gives it namespaces of its own."""
        self.directory = directory
        self._wrapper = wrapper
        self.port = _free_port()
        self.user_key = _make_key(directory / "user_key", "ed25519")
        self.host_keys = [_make_key(directory / f"host_{kind}", kind) for kind in host_keys]
        self.known_hosts = directory / "known_hosts"
        self.know(*self.host_keys)
        authorized = directory / "authorized_keys"
        authorized.write_bytes(self.user_key.with_suffix(".pub").read_bytes())
        # What commands over SSH leave behind shows in here.
        self.footprint = Footprint(directory / "tmp")
        self.config = directory / "sshd_config"
        self.config.write_text(
            "\n".join(
                [
                    f"Port {self.port}",
                    "ListenAddress 127.0.0.1",
                    *(f"HostKey {key}" for key in self.host_keys),
                    f"AuthorizedKeysFile {authorized}",
                    f"PidFile {directory / 'pid'}",
                    "UsePAM no",
                    "StrictModes no",
                    "PasswordAuthentication no",
                    "KbdInteractiveAuthentication no",
                    "PermitRootLogin prohibit-password",
                    "MaxSessions 100",
                    f"SetEnv TMPDIR={self.footprint.directory}",
                    *(["Subsystem sftp internal-sftp"] if sftp else []),
                ]
            )
        )
        self._process: subprocess.Popen[bytes] | None = None

    def know(self, *keys: Path) -> None:
        """Make known_hosts hold exactly these keys for this server."""
        lines = [
            f"[127.0.0.1]:{self.port} " + " ".join(key.with_suffix(".pub").read_text().split()[:2])
            for key in keys
        ]
        self.known_hosts.write_text("".join(f"{line}\n" for line in lines))

    def spec(self, **changes: object) -> SshSpec:
        """How an experiment names this server."""
        settings: dict[str, object] = {
            "ssh": "127.0.0.1",
            "user": getpass.getuser(),
            "port": self.port,
            "identity_file": str(self.user_key),
            "known_hosts_file": str(self.known_hosts),
            "config_file": "/dev/null",
            "timeout_s": 20,
        }
        return SshSpec.model_validate(settings | changes)

    def sessions(self) -> list[int]:
        """The pids of the processes that serve connections."""
        listener = self._listener()
        return [pid for pid in descendants(listener.pid) if _command_line(pid).startswith("sshd")]

    def cut_connections(self) -> None:
        """Kill what serves connections, so that clients and commands see them break."""
        for pid in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def freeze_connections(self) -> None:
        """Stop what serves connections: they stay open and nothing is answered any more."""
        for pid in self.sessions():
            os.kill(pid, signal.SIGSTOP)

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            # As the service does at each boot: an empty directory that sshd of root insists on. It
            # stays, because the sshd of another test run may need it now.
            PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
        log = (self.directory / "log").open("wb")
        with log:
            self._process = subprocess.Popen(
                [*self._wrapper, str(SSHD), "-D", "-e", "-f", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._process.poll() is None:
            with (
                contextlib.suppress(ConnectionRefusedError),
                socket.create_connection(("127.0.0.1", self.port), 1),
            ):
                return self
            time.sleep(0.05)
        self.__exit__()
        raise RuntimeError((self.directory / "log").read_text())

    def __exit__(self, *_: object) -> None:
        listener = self._listener()
        self.cut_connections()
        listener.terminate()
        listener.wait(10)

    def _listener(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process


def _make_key(path: Path, kind: str) -> Path:
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def descendants(ancestor: int) -> list[int]:
    """The pids of its children, their children and so on."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name in brackets may hold anything; what follows the last one is regular.
            fields = status.read_text().rpartition(")")[2].split()
            parents[int(status.parent.name)] = int(fields[1])
    found, generation = [], [ancestor]
    while generation:
        generation = [pid for pid, parent in parents.items() if parent in generation]
        found += generation
    return found


def _command_line(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    return ""
