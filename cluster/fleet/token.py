"""The token of a Ray cluster: who has it may run code on every host, so it is guarded like a key.

Ray looks for it in the order of `require_token`. It is never printed, and no argument of a command
holds it: those can be read by every user of a machine.
"""

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cluster.errors import ClusterError

USUAL: Final = Path("~/.ray/auth_token")
TOKEN_BYTES: Final = 32
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class TokenError(ClusterError):
    """There is no token that could be used."""


def require_token(environment: Mapping[str, str] = os.environ) -> None:
    """See that there is a token with which a cluster can be joined.

    Raises:
        TokenError: there is none, or others than its owner may read or change its file.
    """
    if environment.get("RAY_AUTH_TOKEN"):
        return
    path = token_path(environment)
    try:
        found = path.stat()
    except OSError as error:
        raise TokenError(
            f"no token for the Ray cluster: {path} can't be read ({error.strerror})",
            "`loadcluster token` makes one; a cluster has one token, the same on every host: copy "
            "the head's",
        ) from error
    if found.st_mode & _OTHERS:
        raise TokenError(
            f"the token of the Ray cluster, {path}, may be used by others than its owner "
            f"(mode {stat.S_IMODE(found.st_mode):o})",
            f"chmod 600 {path}; whoever may have read it has the cluster: make a new token",
        )
    if not found.st_size:
        raise TokenError(f"the token of the Ray cluster, {path}, is empty", "make a new one")


def token_path(environment: Mapping[str, str] = os.environ) -> Path:
    """The file in which the token is looked for."""
    return Path(environment.get("RAY_AUTH_TOKEN_PATH") or USUAL).expanduser()


def make_token(path: Path) -> bool:
    """Write a new token to `path` for its owner alone; False: there is one, which is kept.

    Raises:
        TokenError: it can't be written, or the one that is there may be used by others.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        require_token({"RAY_AUTH_TOKEN_PATH": str(path)})
        return False
    except OSError as error:
        raise TokenError(f"no token can be written to {path}: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(TOKEN_BYTES))
    return True
