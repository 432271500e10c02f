"""known_hosts as OpenSSH writes it: which host keys are known for a host.

Plain, hashed and wildcard names, `[host]:port`, negation, and `@revoked`. Certificate authorities
are not used: a host with only a `@cert-authority` line is unknown.

Source:
    sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
"""

import base64
import binascii
import fnmatch
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

DEFAULT_PORT = 22
_FIELDS = 3


@dataclass(frozen=True)
class HostKey:
    """A public key of a host: `ssh-ed25519`, and the key in base64."""

    kind: str
    key: str

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` shows it."""
        digest = hashlib.sha256(base64.b64decode(self.key)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True)
class KnownKeys:
    """What known_hosts says of one host."""

    trusted: frozenset[HostKey]
    revoked: frozenset[HostKey]


def host_label(host: str, port: int) -> str:
    """How known_hosts names a host on a port."""
    return host if port == DEFAULT_PORT else f"[{host}]:{port}"


def known_keys(lines: Iterable[str], label: str) -> KnownKeys:
    """The keys of the host that known_hosts calls `label`; other lines are skipped."""
    trusted, revoked = set(), set()
    for line in lines:
        fields = line.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        if len(fields) < _FIELDS or fields[0].startswith("#") or not _matches(fields[0], label):
            continue
        key = HostKey(fields[1], fields[2])
        if not marker:
            trusted.add(key)
        elif marker == "@revoked":
            revoked.add(key)
    return KnownKeys(frozenset(trusted - revoked), frozenset(revoked))


def _matches(names: str, label: str) -> bool:
    if names.startswith("|1|"):
        return _matches_hashed(names, label)
    label = label.lower()
    patterns = [name.lower() for name in names.split(",")]
    if any(name.startswith("!") and _like(name[1:], label) for name in patterns):
        return False
    return any(_like(name, label) for name in patterns)


def _like(pattern: str, label: str) -> bool:
    # Brackets are part of `[host]:port`, not a set of characters.
    return fnmatch.fnmatchcase(label, pattern.replace("[", "[[]"))


def _matches_hashed(name: str, label: str) -> bool:
    try:
        _, _, salt, digest = name.split("|")
        expected = base64.b64decode(digest)
        found = hmac.new(base64.b64decode(salt), label.encode(), hashlib.sha1).digest()
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(expected, found)
