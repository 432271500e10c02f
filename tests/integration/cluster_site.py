"""A cluster of one host behind a real sshd, bundles for it, and what runs on this machine."""

import base64
import contextlib
import hashlib
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from integration.deploying import ROOT, script
from integration.sshd import Sshd


class Site:
    """A head behind sshd, with everything of it in one directory."""

    def __init__(self, sshd: Sshd, directory: Path) -> None:
        self.directory = directory
        self.installed = directory / "installed"
        self.token = directory / "here" / "auth_token"
        self.config = directory / "ssh_config"
        self.config.write_text(
            f"Host host-1\n  HostName 127.0.0.1\n  Port {sshd.port}\n"
            f"  IdentityFile {sshd.user_key}\n  UserKnownHostsFile {sshd.known_hosts}\n"
        )
        self.port = free_ports(7)
        self.hosts = directory / "hosts"
        self.hosts.write_text(f"# a comment\nport {self.port}\nhead host-1 127.0.0.1\n")

    def run(self, verb: str, *options: object) -> "subprocess.CompletedProcess[str]":
        """Run cluster.sh; its token file is the same here and there, as both are one machine."""
        return script(
            *("cluster.sh", verb, self.hosts, "--directory", self.installed),
            *("--token-file", self.token, "--ssh-config", self.config, *options),
        )

    def install_by_hand(self) -> None:
        """What `install` leaves, with this test's own environment in the place of the bundle's."""
        self.installed.mkdir()
        shutil.copytree(ROOT / "deploy", self.installed / "deploy")
        programs = self.installed / "venv" / "bin"
        programs.mkdir(parents=True)
        for name in ("python", "ray"):
            # Through the environment's own Python, wherever it is.
            program = programs / name
            start = f"'{sys.executable}'" + (" -m ray.scripts.scripts" if name == "ray" else "")
            program.write_text(f'#!/bin/sh\nexec {start} "$@"\n')
            program.chmod(0o755)


def free_ports(count: int) -> int:
    """The first of some ports in a row that nobody listens on, below outgoing connections'."""
    for first in range(11_100, 15_000, count):
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for port in range(first, first + count):
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
    raise RuntimeError("no free ports")


def wheel(directory: Path, name: str, version: str, files: dict[str, str]) -> None:
    """A wheel of a few lines of Python."""
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    with zipfile.ZipFile(directory / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest())
            rows.append(f"{path},sha256={digest.decode().rstrip('=')},{len(content)}")
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]))


def bundle_of(directory: Path, version: str) -> Path:
    """A bundle as bundle.sh makes it, with small stand-ins for the packages."""
    import ensurepip  # noqa: PLC0415  (Debian packs it apart)

    wheels = directory / "wheels"
    shutil.rmtree(directory, ignore_errors=True)
    wheels.mkdir(parents=True)
    bundled = sorted(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
    if not bundled:
        pytest.skip("this Python has no pip of its own to put into a bundle")
    shutil.copy(bundled[-1], wheels)
    wheel(wheels, "loadcluster", version, {"cluster/__init__.py": "", "cluster/_native.so": ""})
    wheel(wheels, "ray", "2.60.0", {"ray/__init__.py": ""})
    (directory / "requirements.txt").write_text("ray==2.60.0\n")
    shutil.copytree(ROOT / "deploy", directory / "deploy")
    names = sorted(str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file())
    sums = subprocess.run(
        ["sha256sum", *names], cwd=directory, capture_output=True, text=True, check=True
    )
    (directory / "SHA256SUMS").write_text(sums.stdout)
    return directory


def listening(pids: list[int]) -> set[int]:
    """The TCP ports on which these processes listen."""
    inodes = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
            with contextlib.suppress(OSError):
                inodes.add(str(descriptor.readlink()).removeprefix("socket:[").rstrip("]"))
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    listens = "0A"
    return {
        int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == listens and row[9] in inodes
    }


def command_lines() -> list[str]:
    """Of every process; those that end meanwhile are left out."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
