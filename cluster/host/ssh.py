"""The one door to paramiko: an SSH connection, its channels and its file transfer.

Whatever paramiko or the socket raises becomes a ConnectionFailed here.
"""

import contextlib
import logging
import os
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import paramiko
from paramiko.ssh_exception import (
    AuthenticationException,
    BadAuthenticationType,
    ChannelException,
    PasswordRequiredException,
    SSHException,
)

from cluster.errors import ConnectionFailed, HostError
from cluster.experiment.model import SshHost as SshSpec
from cluster.host.known_hosts import HostKey, KnownKeys, known_keys
from cluster.host.ssh_advice import (
    bad_configuration,
    judge_host_key,
    key_refused,
    no_handshake,
    unreachable,
)
from cluster.host.ssh_target import Settings, SshTarget, jump_spec, resolve

# Without a handler of its own, paramiko's tracebacks would end up on the user's terminal.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_DEFAULT_CONFIG = "~/.ssh/config"
_KEEPALIVE_S = 5
# The kernel gives the connection up when nothing, keepalives included, is acknowledged for so long.
_DEAD_AFTER_MS = 20_000
_RSA = ("rsa-sha2-512", "rsa-sha2-256")
_LONGEST_JUMP_CHAIN = 4
_FAILURES = (SSHException, OSError, EOFError)


class SshChannel:
    """One command on the other side, without a PTY."""

    def __init__(self, name: str, transport: paramiko.Transport, channel: paramiko.Channel) -> None:
        self._name = name
        self._transport = transport
        self._channel = channel

    def send(self, data: bytes, timeout_s: float) -> None:
        """Send all of `data`. Raises ConnectionFailed."""
        try:
            self._channel.settimeout(timeout_s)
            self._channel.sendall(data)
        except _FAILURES as error:
            raise ConnectionFailed(self._name, "the command no longer listens") from error

    def end_input(self) -> None:
        """Nothing more will be sent."""
        with contextlib.suppress(*_FAILURES):
            self._channel.shutdown_write()

    def receive(self, timeout_s: float) -> tuple[bytes, bytes] | None:
        """What has arrived on stdout and stderr.

        None when nothing came in time; two empty pieces when both have ended.
        """
        deadline = time.monotonic() + timeout_s
        ready = select.poll()
        ready.register(self._channel.fileno(), select.POLLIN)
        while True:
            ended = self._channel.eof_received or self._channel.closed
            out = self._channel.recv(65_536) if self._channel.recv_ready() else b""
            err = self._channel.recv_stderr(65_536) if self._channel.recv_stderr_ready() else b""
            if out or err or ended:
                return out, err
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return None
            # The descriptor does not tell the end; a short wait does not miss it for long.
            ready.poll(min(left_s, 0.1) * 1000)

    def exit_status(self, timeout_s: float) -> int | None:
        """How it ended; None while it runs, and when a signal ended it.

        Raises ConnectionFailed when the connection went before anybody could tell.
        """
        self._channel.status_event.wait(timeout_s)
        if (status := self._channel.exit_status) >= 0:
            return status
        if self.lost():
            raise ConnectionFailed(self._name, "the connection was lost")
        return None

    @property
    def closed(self) -> bool:
        """Whether the other side has closed it."""
        return self._channel.closed

    def lost(self) -> bool:
        """Whether it is closed because the connection is gone, rather than the command."""
        if self._channel.exit_status >= 0:
            return False
        # The channels of a lost connection close a moment before the connection says so.
        for _ in range(20):
            if not self._channel.closed or not self._transport.is_active():
                break
            time.sleep(0.05)
        return not self._transport.is_active()

    def close(self) -> None:
        """Close it. It does not end the command. Idempotent."""
        with contextlib.suppress(*_FAILURES):
            self._channel.close()


class SshConnection:
    """A verified, authenticated connection, and the hops before it."""

    def __init__(self, spec: SshSpec) -> None:
        """Connect. Raises ConnectionFailed, with advice."""
        self.target = resolve(spec, _settings(spec))
        self.name = self.target.alias
        self._transports = _connect(self.target, spec, _LONGEST_JUMP_CHAIN)
        self._transport = self._transports[-1]
        self._sftp: paramiko.SFTPClient | None = None
        self._has_sftp = True

    def execute(self, command: str) -> SshChannel:
        """Start a shell command. Raises ConnectionFailed."""
        channel = self._session()
        try:
            channel.exec_command(command)
        except _FAILURES as error:
            channel.close()
            raise self._lost(error) from error
        return SshChannel(self.name, self._transport, channel)

    def write_file(self, content: bytes, path: str, mode: int) -> bool:
        """Write a file by SFTP; False when the host has no SFTP. Raises HostError."""
        if (sftp := self._files()) is None:
            return False
        with self._file_errors("write", path), sftp.open(path, "wb") as file:
            file.chmod(mode & 0o600)
            file.write(content)
            file.chmod(mode)
        return True

    def fetch_file(self, path: str, into: IO[bytes]) -> bool:
        """Stream a file by SFTP; False when the host has no SFTP. Raises HostError."""
        if (sftp := self._files()) is None:
            return False
        with self._file_errors("read", path), sftp.open(path, "rb") as file:
            # Files of /proc claim to be empty; only others may be read ahead.
            if size := file.stat().st_size:
                file.prefetch(size, max_concurrent_requests=64)
            while data := file.read(1 << 18):
                into.write(data)
        return True

    def close(self) -> None:
        """Close it and the hops before it. Idempotent."""
        for transport in reversed(self._transports):
            transport.close()
        for transport in self._transports:
            transport.join(self.target.timeout_s)

    def _session(self) -> paramiko.Channel:
        try:
            return self._transport.open_session(timeout=self.target.timeout_s)
        except ChannelException as error:
            raise self._lost(error) from error
        except _FAILURES as error:
            if not self._transport.is_active():
                raise self._lost(error) from error
            # Each further question would wait as long: what is silent now is given up at once.
            self.close()
            raise ConnectionFailed(
                self.name,
                f"no answer in {self.target.timeout_s:g} s, so the connection was given up",
                "is the host overloaded or gone? a slow one needs a longer `engine.host.timeout_s`",
            ) from error

    def _lost(self, error: Exception) -> ConnectionFailed:
        if self._transport.is_active():
            return ConnectionFailed(
                self.name,
                f"no further session: {str(error).rstrip('.')}",
                "does sshd allow enough of them (MaxSessions)?",
            )
        return ConnectionFailed(self.name, "the connection was lost")

    def _files(self) -> paramiko.SFTPClient | None:
        if self._sftp is None and self._has_sftp:
            channel = self._session()
            channel.settimeout(self.target.timeout_s)
            try:
                channel.invoke_subsystem("sftp")
                self._sftp = paramiko.SFTPClient(channel)
            except _FAILURES as error:
                channel.close()
                if not self._transport.is_active():
                    raise self._lost(error) from error
                self._has_sftp = False
        return self._sftp

    @contextlib.contextmanager
    def _file_errors(self, verb: str, path: str) -> Iterator[None]:
        try:
            yield
        except _FAILURES as error:
            if not self._transport.is_active():
                raise self._lost(error) from error
            said = (isinstance(error, OSError) and error.strerror) or error
            raise HostError(self.name, f"can't {verb} {path}: {said}") from error


def _settings(spec: SshSpec) -> Settings:
    alias = spec.ssh.rpartition("@")[2]
    path = Path(spec.config_file or _DEFAULT_CONFIG).expanduser()
    if not spec.config_file and not path.exists():
        return {}
    try:
        return dict(paramiko.SSHConfig.from_path(str(path)).lookup(alias))
    # Match exec needs a package that is not installed: it says so by ImportError.
    except (OSError, UnicodeDecodeError, ImportError, SSHException) as error:
        raise bad_configuration(alias, str(path), error) from error


def _connect(target: SshTarget, spec: SshSpec, hops_left: int) -> list[paramiko.Transport]:
    """The transports of all hops, the first one first."""
    if not hops_left:
        raise ConnectionFailed(target.alias, "ProxyJump goes round in circles, or over four hosts")
    hops: list[paramiko.Transport] = []
    try:
        if target.jump:
            jump = jump_spec(target, spec)
            hops = _connect(resolve(jump, _settings(jump)), jump, hops_left - 1)
        way = _through(hops[-1], target) if hops else _socket(target)
        hops.append(_handshake(target, way))
        _authenticate(target, hops[-1])
    except BaseException:
        for transport in reversed(hops):
            transport.close()
        raise
    return hops


def _socket(target: SshTarget) -> socket.socket:
    try:
        way = socket.create_connection((target.host, target.port), target.timeout_s)
    except (OSError, UnicodeError) as error:
        raise unreachable(target, error) from error
    way.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_AFTER_MS)
    # Every command is several small messages; each would wait for a delayed acknowledgement.
    way.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return way


def _through(hop: paramiko.Transport, target: SshTarget) -> paramiko.Channel:
    try:
        return hop.open_channel(
            "direct-tcpip", (target.host, target.port), ("127.0.0.1", 0), timeout=target.timeout_s
        )
    except _FAILURES as error:
        raise unreachable(target, error) from error


def _handshake(target: SshTarget, way: socket.socket | paramiko.Channel) -> paramiko.Transport:
    """Agree on keys and verify the host's."""
    known = _known(target)
    try:
        transport = paramiko.Transport(way)
    except _FAILURES as error:
        way.close()
        raise no_handshake(target, error) from error
    transport.banner_timeout = transport.auth_timeout = target.timeout_s
    transport.channel_timeout = target.timeout_s
    try:
        _prefer(transport, known)
        transport.start_client(timeout=target.timeout_s)
        shown = transport.get_remote_server_key()
        judge_host_key(target, HostKey(shown.get_name(), shown.get_base64()), known)
    except _FAILURES as error:
        transport.close()
        raise no_handshake(target, error) from error
    except BaseException:
        transport.close()
        raise
    transport.set_keepalive(_KEEPALIVE_S)
    return transport


def _known(target: SshTarget) -> KnownKeys:
    lines: list[str] = []
    for file in target.known_hosts_files:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            try:
                lines += file.read_text(errors="replace").splitlines()
            except (PermissionError, IsADirectoryError) as error:
                raise bad_configuration(target.alias, str(file), error) from error
    return known_keys(lines, target.known_as)


def _prefer(transport: paramiko.Transport, known: KnownKeys) -> None:
    """Ask for a host key of a type that we know; otherwise a known host would look unknown."""
    options = transport.get_security_options()
    kinds = sorted({key.kind for key in known.trusted}, reverse=True)
    wanted = [name for kind in kinds for name in (_RSA if kind == "ssh-rsa" else (kind,))]
    usable = [name for name in wanted if name in options.key_types]
    others = [name for name in options.key_types if name not in usable]
    options.key_types = [*usable, *others]


def _authenticate(target: SshTarget, transport: paramiko.Transport) -> None:
    tried: list[str] = []
    skipped: list[str] = []
    with contextlib.closing(paramiko.Agent()) as agent:
        for name, key in _keys(target, agent, skipped):
            tried.append(name)
            try:
                still_needed = transport.auth_publickey(target.user, key)
            except BadAuthenticationType as error:
                raise no_handshake(target, error) from error
            except AuthenticationException:
                continue
            except _FAILURES:
                break  # after too many keys the host hangs up
            if not still_needed:
                return
    raise key_refused(target, tried, skipped)


def _keys(
    target: SshTarget, agent: paramiko.Agent, skipped: list[str]
) -> Iterator[tuple[str, paramiko.PKey]]:
    """The keys to try, in order: named files, the agent's, the usual files of ~/.ssh."""
    yield from _from_files(target.identity_files, skipped)
    if not target.identities_only:
        for key in agent.get_keys():
            yield key.comment or key.get_name(), key
        usual = [Path(f"~/.ssh/id_{kind}").expanduser() for kind in ("ed25519", "ecdsa", "rsa")]
        yield from _from_files(
            [file for file in usual if file.exists() and file not in target.identity_files], skipped
        )


def _from_files(
    files: list[Path] | tuple[Path, ...], skipped: list[str]
) -> Iterator[tuple[str, paramiko.PKey]]:
    for file in files:
        try:
            yield str(file), paramiko.PKey.from_path(file)
        except (PasswordRequiredException, TypeError):
            skipped.append(f"{file} (has a passphrase)")
        except (*_FAILURES, ValueError, paramiko.pkey.UnknownKeyType) as error:
            reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else ""
            skipped.append(f"{file} ({reason or 'not a private key'})")
