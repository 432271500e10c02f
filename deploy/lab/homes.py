"""The files of the lab: each host has a home with what a user has there, and nowhere else.

The head's home holds the key to the engine's host and its host key, every home the token of the
Ray cluster. So configs/lab.yaml names neither.
"""

import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lab.errors import PATH, LabError, command
from lab.layout import ENGINE, HEAD, LONGEST_DIRECTORY, LabHost

ONLY_OURS: Final = 0o700
SSHD_CONFIG: Final = "sshd_config"
KEPT: Final = ("LANG", "LC_ALL", "TERM", "COLORTERM", "NO_COLOR", "COLUMNS", "PYTHONPATH")

_SSH_CONFIG: Final = """\
Host {name}
    HostName {address}
    User root
    IdentityFile {key}
    IdentitiesOnly yes
    UserKnownHostsFile {known_hosts}
"""
_SSHD_CONFIG: Final = """\
ListenAddress {address}
HostKey {host_key}
AuthorizedKeysFile {authorized_keys}
PidFile {home}/sshd.pid
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
SetEnv TMPDIR={home}/tmp
Subsystem sftp internal-sftp
"""


def make_directory(directory: Path) -> None:
    """Make the lab's directory, which nobody else may read.

    Raises:
        LabError: it is there already, or Ray's socket paths below it would be too long.
    """
    if len(str(directory)) > LONGEST_DIRECTORY:
        raise LabError(
            f"{directory} is too long: Ray's sockets lie in it, give a directory of at most "
            f"{LONGEST_DIRECTORY} characters"
        )
    try:
        directory.mkdir(mode=ONLY_OURS)
    except FileExistsError:
        raise LabError(
            f"{directory} is there already: is a lab up? take it down (`down`), or give another "
            "--directory"
        ) from None
    except OSError as error:
        raise LabError(f"{directory} can't be made: {error.strerror}") from error


def home_of(directory: Path, host: LabHost) -> Path:
    """Where that host keeps its things."""
    return directory / host.name


def hosts_file(directory: Path) -> Path:
    """What every host has as /etc/hosts."""
    return directory / "hosts"


def furnish(directory: Path, hosts: Sequence[LabHost]) -> None:
    """Write everything the hosts need: names, the token, keys, configurations."""
    lines = ["127.0.0.1 localhost", *(f"{host.address} {host.name}" for host in hosts)]
    hosts_file(directory).write_text("".join(f"{line}\n" for line in lines))
    token = secrets.token_hex(32)
    for host in hosts:
        home = home_of(directory, host)
        for name in (".ray", ".ssh", "sys", "tmp"):
            (home / name).mkdir(mode=ONLY_OURS, parents=True)
        _write_private(home / ".ray" / "auth_token", token)
    _furnish_ssh(home_of(directory, HEAD) / ".ssh", home_of(directory, ENGINE))


def _furnish_ssh(client: Path, server: Path) -> None:
    user_key, host_key = client / "id_ed25519", server / "host_key"
    for key in (user_key, host_key):
        command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], "the lab's keys")
    public = " ".join(host_key.with_suffix(".pub").read_text().split()[:2])
    known_hosts = client / "known_hosts"
    known_hosts.write_text(f"{ENGINE.address} {public}\n")
    (client / "config").write_text(
        _SSH_CONFIG.format(
            name=ENGINE.name, address=ENGINE.address, key=user_key, known_hosts=known_hosts
        )
    )
    authorized_keys = server / ".ssh" / "authorized_keys"
    authorized_keys.write_bytes(user_key.with_suffix(".pub").read_bytes())
    (server / SSHD_CONFIG).write_text(
        _SSHD_CONFIG.format(
            address=ENGINE.address, host_key=host_key, authorized_keys=authorized_keys, home=server
        )
    )


def environment_of(directory: Path, host: LabHost) -> dict[str, str]:
    """The environment of everything on that host: little of ours, and its own home."""
    home = home_of(directory, host)
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "USER": "root",
        "LOGNAME": "root",
        # `loadcluster` and `python` are those of the environment that the lab was started with.
        "PATH": f"{Path(sys.executable).parent}:{PATH}",
        "RAY_AUTH_MODE": "token",
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
