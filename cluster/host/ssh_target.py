"""Where an SSH connection goes: the experiment's section over what ~/.ssh/config says."""

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ConnectionFailed
from cluster.experiment.model import SshHost as SshSpec
from cluster.host.known_hosts import DEFAULT_PORT, host_label

Settings = Mapping[str, str | Sequence[str]]
_SYSTEM_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts"


@dataclass(frozen=True)
class SshTarget:
    """One hop, completely said."""

    alias: str  # as the user calls it
    host: str
    port: int
    user: str
    identity_files: tuple[Path, ...]  # asked for by name; they are tried first
    identities_only: bool  # no other keys, neither of the agent nor of ~/.ssh
    known_hosts_files: tuple[Path, ...]
    known_as: str  # its name in known_hosts
    timeout_s: float
    jump: str  # `[user@]host[:port]`, the hop before this one; empty: none

    def __str__(self) -> str:
        return f"{self.user}@{host_label(self.host, self.port)}"


def resolve(spec: SshSpec, settings: Settings) -> SshTarget:
    """Lay `spec` over `settings`, the options that ~/.ssh/config has for `spec.ssh`.

    Raises:
        ConnectionFailed: the configuration asks for something that is not supported.
    """
    user, _, alias = spec.ssh.rpartition("@")
    if "proxycommand" in settings:
        raise ConnectionFailed(
            alias, "ProxyCommand in the SSH configuration is not supported", "use ProxyJump"
        )
    host = _one(settings, "hostname") or alias
    port = spec.port or int(_one(settings, "port") or DEFAULT_PORT)
    named = [spec.identity_file] if spec.identity_file else _many(settings, "identityfile")
    jump = _one(settings, "proxyjump")
    return SshTarget(
        alias=alias,
        host=host,
        port=port,
        user=spec.user or user or _one(settings, "user") or getpass.getuser(),
        identity_files=tuple(Path(name).expanduser() for name in named),
        identities_only=_one(settings, "identitiesonly").lower() == "yes",
        known_hosts_files=_known_hosts_files(spec, settings),
        known_as=_one(settings, "hostkeyalias") or host_label(host, port),
        timeout_s=spec.timeout_s,
        jump="" if jump.lower() == "none" else jump,
    )


def jump_spec(target: SshTarget, spec: SshSpec) -> SshSpec:
    """The section of the hop before `target`: only what is said for all hops is handed on.

    Raises:
        ConnectionFailed: there is more than one jump.
    """
    if "," in target.jump:
        raise ConnectionFailed(
            target.alias,
            f"ProxyJump over several hosts ({target.jump}) is not supported",
            "give the first jump its own ProxyJump in ~/.ssh/config",
        )
    address = target.jump.removeprefix("ssh://")
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        host, port = address, ""
    return SshSpec(
        ssh=host,
        port=int(port) if port else None,
        known_hosts_file=spec.known_hosts_file,
        config_file=spec.config_file,
        timeout_s=spec.timeout_s,
    )


def _known_hosts_files(spec: SshSpec, settings: Settings) -> tuple[Path, ...]:
    if spec.known_hosts_file:
        names = [spec.known_hosts_file]
    else:
        names = _many(settings, "userknownhostsfile") or ["~/.ssh/known_hosts"]
        names = [*names, _SYSTEM_KNOWN_HOSTS]
    return tuple(Path(name).expanduser() for name in names)


def _one(settings: Settings, option: str) -> str:
    value = settings.get(option, "")
    return value if isinstance(value, str) else value[0]


def _many(settings: Settings, option: str) -> list[str]:
    value = settings.get(option, [])
    return value.split() if isinstance(value, str) else list(value)
