"""What can go wrong when SSH is opened, each as one clear sentence and the line to type."""

import errno
import socket

from cluster.errors import ConnectionFailed
from cluster.host.known_hosts import DEFAULT_PORT, HostKey, KnownKeys
from cluster.host.ssh_target import SshTarget


def judge_host_key(target: SshTarget, key: HostKey, known: KnownKeys) -> None:
    """Raise ConnectionFailed unless `key` is known for `target`."""
    if key in known.revoked:
        raise ConnectionFailed(
            target.alias,
            f"its host key {key.kind} {key.fingerprint} is marked @revoked in known_hosts",
            "find out why before you connect",
        )
    if key in known.trusted:
        return
    if any(other.kind == key.kind for other in known.trusted):
        raise changed_host_key(target, key, known)
    raise unknown_host_key(target, key)


def unknown_host_key(target: SshTarget, key: HostKey) -> ConnectionFailed:
    """Nobody has said yet that this key belongs to this host."""
    return ConnectionFailed(
        target.alias,
        f"the host key of {target} is not known: {key.kind} {key.fingerprint}",
        f"compare the fingerprint with `ssh-keygen -lf /etc/ssh/ssh_host_{_short(key)}_key.pub` "
        f"on that host, then add it: `ssh-keyscan{_port(target)} -t {_short(key)} {target.host} "
        f">> {target.known_hosts_files[0]}` (or connect once with `ssh{_port(target)} "
        f"{target.user}@{target.host}`)",
    )


def changed_host_key(target: SshTarget, key: HostKey, known: KnownKeys) -> ConnectionFailed:
    """known_hosts has another key: a new installation, or somebody in between."""
    expected = ", ".join(
        sorted(other.fingerprint for other in known.trusted if other.kind == key.kind)
    )
    return ConnectionFailed(
        target.alias,
        f"the host key of {target} has changed: it shows {key.kind} {key.fingerprint}, "
        f"known_hosts has {expected}; the host was set up anew, or somebody sits in between",
        f"only if you know why it changed: `ssh-keygen -R '{target.known_as}' "
        f"-f {target.known_hosts_files[0]}`, then add the new key",
    )


def key_refused(target: SshTarget, tried: list[str], skipped: list[str]) -> ConnectionFailed:
    """The host took none of our keys."""
    offered = ", ".join(tried) or "none was found"
    left_out = f"; not usable: {', '.join(skipped)}" if skipped else ""
    return ConnectionFailed(
        target.alias,
        f"{target} refused every key (offered: {offered}{left_out})",
        f"install one: `ssh-copy-id{_port(target, '-p')} {target.user}@{target.host}`, or name "
        "yours with `identity_file`; a key with a passphrase must be in the agent: `ssh-add`",
    )


def unreachable(target: SshTarget, error: Exception) -> ConnectionFailed:
    """The TCP connection did not come about."""
    place = f"{target.host} port {target.port}"
    if isinstance(error, socket.gaierror):
        return ConnectionFailed(
            target.alias,
            f"the host name {target.host} can't be resolved",
            "check the name, or give its address as `ssh` or as HostName in ~/.ssh/config",
        )
    if isinstance(error, TimeoutError):
        return ConnectionFailed(
            target.alias,
            f"{place} did not answer in {target.timeout_s:g} s",
            "is the host up, the address right, and the port open in the firewall?",
        )
    if isinstance(error, OSError) and error.errno == errno.ECONNREFUSED:
        return ConnectionFailed(
            target.alias, f"{place} refused the connection", "does sshd run there, on that port?"
        )
    return ConnectionFailed(
        target.alias, f"{place} can't be reached: {_said(error)}", "check the address and the route"
    )


def no_handshake(target: SshTarget, error: Exception) -> ConnectionFailed:
    """Something accepted the connection, but no SSH session came about."""
    return ConnectionFailed(
        target.alias,
        f"no SSH session with {target.host} port {target.port}: {_said(error)}",
        "does sshd listen on that port, and does it accept more connections (MaxStartups)?",
    )


def bad_configuration(alias: str, file: str, error: Exception) -> ConnectionFailed:
    """~/.ssh/config, or what stands for it, can't be used."""
    return ConnectionFailed(alias, f"{file} can't be used: {_said(error)}", "correct that file")


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _short(key: HostKey) -> str:
    for name in ("ed25519", "ecdsa", "rsa"):
        if name in key.kind:
            return name
    return key.kind


def _port(target: SshTarget, option: str = "-p") -> str:
    return "" if target.port == DEFAULT_PORT else f" {option} {target.port}"
