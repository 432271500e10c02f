"""Directories on a host that are ours alone and disappear with us, however we end."""

import secrets

from cluster.errors import HostError
from cluster.host.commands import checked
from cluster.host.protocol import Host, RunningCommand

# It removes the directory when its stdin ends: we closed it, we died, or the connection did.
# A command that is just ending may still write there, hence several attempts.
_GUARDIAN = """
umask 077
base=$(mktemp -d "${TMPDIR:-/tmp}/$1-XXXXXXXX") || exit 1
trap : HUP INT TERM
echo "$base"
cat >/dev/null
for pause in 0 1 2 4 8; do
    sleep "$pause"
    rm -rf -- "$base" 2>/dev/null && [ ! -e "$base" ] && exit 0
done
exit 1
"""
_MARK_BYTES = 4
_START_TIMEOUT_S = 10
_REMOVE_TIMEOUT_S = 20


def new_mark() -> str:
    """A name that nobody else has: by it, what was started or put on a host is found again."""
    return f"loadcluster-{secrets.token_hex(_MARK_BYTES)}"


class PrivateDirectories:
    """The 0700 directories of one connection to a host, all below one that a guardian removes."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._guardian: RunningCommand | None = None
        self._base = ""
        self._made = 0

    def new(self) -> str:
        """Make a directory and give its absolute path. Raises HostError."""
        if self._guardian is None:
            self._start_guardian()
        self._made += 1
        path = f"{self._base}/{self._made}"
        checked(self._host, ["mkdir", "-m", "700", path])
        return path

    def close(self) -> None:
        """Remove all of them. Idempotent. Raises HostError when something stays behind."""
        guardian, self._guardian = self._guardian, None
        if guardian is None:
            return
        guardian.close_stdin()
        status = guardian.wait(_REMOVE_TIMEOUT_S)
        guardian.close()
        if status != 0:
            raise HostError(self._host.name, f"could not remove {self._base}", "remove it by hand")

    def _start_guardian(self) -> None:
        guardian = self._host.start(["sh", "-c", _GUARDIAN, "guardian", self._host.mark])
        try:
            base = guardian.read_line(_START_TIMEOUT_S)
        except EOFError:
            base = None
        if not base or not base.startswith("/"):
            guardian.close()
            raise HostError(
                self._host.name,
                "can't make a private directory",
                "is there room, and may we write, in /tmp (or $TMPDIR)?",
            )
        self._guardian, self._base = guardian, base
