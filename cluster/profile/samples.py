"""After the load: makes perf.data readable where the binaries are, and brings it home."""

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.errors import ClusterError, HostError
from cluster.host.protocol import Host
from cluster.profile.aggregate import Aggregation, WindowStacks, mangled_names
from cluster.profile.perf_messages import cause_of, lost_chunks
from cluster.profile.perf_record import REPORT, SAMPLES, symbolise_argv
from cluster.profile.preflight import recorded_event
from cluster.profile.stacks import read_script
from cluster.profile.window import HostWindow

# Both perf report and perf script may take so long; unwinding DWARF stacks is slow.
FP_TIMEOUT_S: Final = 120
DWARF_TIMEOUT_S: Final = 600


@dataclass(frozen=True)
class Sampled:
    """What the sampling lane found."""

    windows: tuple[WindowStacks, ...]  # in the order of time
    event: str  # that was really recorded
    names: dict[str, str]  # mangled → readable, for what perf left mangled
    lost_chunks: int
    trouble: str = ""  # what is missing, when not everything could be read


def symbolise(host: Host, perf: str, directory: str, into: Path, *, timeout_s: int) -> str:
    """Resolve the symbols on the host, and fetch perf-report.txt and the samples.

    Returns:
        What the commands said, one `name status` a line among it.

    Raises:
        HostError: there is no data, or the connection was lost.
    """
    done = host.run(symbolise_argv(perf, directory, timeout_s), timeout_s=2.5 * timeout_s)
    said = done.stdout + done.stderr
    if "script 0" not in said:
        cause = cause_of(re.sub(r"^\w+ \d+$", "", said, flags=re.MULTILINE))
        raise HostError(host.name, f"perf could not read its samples: {cause.why}", cause.remedy)
    host.get(f"{directory}/{SAMPLES}", into / SAMPLES)
    if "report 0" in said:
        host.get(f"{directory}/{REPORT}", into / REPORT)
    return said


def read_samples(
    host: Host, into: Path, windows: Sequence[HostWindow], said: str, perf_stderr: str
) -> Sampled:
    """Fold the fetched samples into their windows.

    Args:
        host: Where mangled names are made readable.
        into: Where `symbolise` left the samples.
        windows: In the host's clock.
        said: What `symbolise` returned.
        perf_stderr: What perf record said at its end.
    """
    trouble: list[str] = []
    stacks = Aggregation(windows).feed(read_script(_lines(into / SAMPLES, trouble)))
    return Sampled(
        windows=tuple(stacks),
        event=recorded_event(said),
        names=_readable(host, mangled_names(stacks)),
        lost_chunks=lost_chunks(perf_stderr) + lost_chunks(said),
        trouble="; ".join(trouble),
    )


def _lines(path: Path, trouble: list[str]) -> Iterator[str]:
    """The lines of a compressed file; where it is cut off, `trouble` says so."""
    try:
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as text:
            yield from text
    except (EOFError, OSError, zlib.error) as error:
        trouble.append(f"the samples are cut off: {error}")


def _readable(host: Host, names: Sequence[str]) -> dict[str, str]:
    if not names:
        return {}
    try:
        done = host.run(["c++filt"], stdin="\n".join([*names, ""]).encode(), timeout_s=30)
    except ClusterError:
        # A mangled name is still a name.
        return {}
    lines = done.stdout.splitlines()
    return dict(zip(names, lines, strict=True)) if len(lines) == len(names) else {}
