"""What of ours is still on a host after everything has ended: looked for, not assumed."""

import time
from collections.abc import Sequence
from typing import Final

from cluster.host.commands import checked
from cluster.host.protocol import Host

PATIENCE_S: Final = 3.0  # what is just ending may do so
_LOOK_S: Final = 0.2
_SHOWN_CHARACTERS: Final = 160

# Marks come on stdin, one a line: they are in no command line of this script. What is of its own
# session is itself: it may have inherited an environment in which a mark is. Whatever we started
# has one in its environment, or, where that can't be read because the program has capabilities,
# in the paths of its arguments.
_LOOK: Final = r"""
marks=$(cat)
session() {
    read -r stat 2>/dev/null <"/proc/$1/stat" || return
    set -- ${stat##*) }
    echo "$4"
}
own=$(session $$)
printf '%s\n' "$marks" | grep -slaF -f - /proc/[0-9]*/environ /proc/[0-9]*/cmdline |
    cut -d / -f 3 | sort -un |
    while read -r pid; do
        [ "$(session "$pid")" = "$own" ] && continue
        line=$(tr '\000\n\t' '   ' 2>/dev/null <"/proc/$pid/cmdline") && [ -n "$line" ] &&
            printf 'pid %s: %s\n' "$pid" "$line"
    done
for mark in $marks; do
    for path in "${TMPDIR:-/tmp}/$mark"* "/tmp/$mark"*; do
        [ -e "$path" ] && printf '%s\n' "$path"
    done
done
exit 0
"""


def remains_on(host: Host, marks: Sequence[str], patience_s: float = PATIENCE_S) -> list[str]:
    """Processes and temporary files on `host` that carry one of `marks`; empty: nothing is left.

    Raises:
        HostError: it could not be looked for.
    """
    deadline = time.monotonic() + patience_s
    while (found := _look(host, marks)) and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    return found


def _look(host: Host, marks: Sequence[str]) -> list[str]:
    said = checked(host, ["sh", "-c", _LOOK], stdin="\n".join(marks).encode()).stdout
    return list(dict.fromkeys(line.strip()[:_SHOWN_CHARACTERS] for line in said.splitlines()))
