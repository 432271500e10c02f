"""What the user of the lab can act on."""

import shutil
import subprocess
from collections.abc import Sequence


class LabError(Exception):
    """One sentence: what, where, what to do."""


def require(*programs: str) -> None:
    """Raise LabError unless all of these programs are installed."""
    missing = [name for name in programs if shutil.which(name, path=PATH) is None]
    if missing:
        raise LabError(
            f"{', '.join(missing)} missing: install iproute2, util-linux and openssh-server"
        )


PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
COMMAND_TIMEOUT_S = 60


def command(argv: Sequence[str], what: str, *, given: str = "") -> str:
    """Run a command to its end; `given` is its stdin.

    Returns:
        Its stdout.

    Raises:
        LabError: it failed, or took too long; `what` says what it was for.
    """
    try:
        done = subprocess.run(
            argv,
            input=given,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
            env={"PATH": PATH},
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"{what}: `{' '.join(argv)}` took over {COMMAND_TIMEOUT_S} s") from None
    if done.returncode != 0:
        raise LabError(f"{what}: `{' '.join(argv)}`: {(done.stderr or done.stdout).strip()}")
    return done.stdout
