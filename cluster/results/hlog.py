"""HdrHistogram log files: one histogram per second and agent, which other tools read too.

The format is version 1.3 of HdrHistogram's interval log: comments with start and base time, a
legend, then lines `Tag=agent,start s,length s,largest ms,base64`. Times are relative to the base
time, which is the level's start.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cluster.errors import ResultsError
from cluster.results.histogram import Histogram
from cluster.units import NS_PER_MS, NS_PER_S

LEGEND = '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'
_FIELDS = 5  # tag, start, length, largest, histogram


@dataclass(frozen=True)
class LogInterval:
    """One line of a log: what one agent recorded in one second."""

    agent: str
    index: int  # second of the level
    histogram: Histogram


def render_log(quantity: str, start_epoch_ns: int, intervals: Iterable[LogInterval]) -> str:
    """Write a log.

    Args:
        quantity: what was measured, for the first comment.
        start_epoch_ns: the level's start by the wall clock.
        intervals: in the order they shall be read.

    Raises:
        ValueError: an agent's name would break a line's fields.
    """
    start_s = start_epoch_ns / NS_PER_S
    start = datetime.fromtimestamp(start_s, UTC).isoformat(timespec="milliseconds")
    lines = [
        f"#[loadcluster: {quantity}, ns]",
        "#[Histogram log format version 1.3]",
        f"#[StartTime: {start_s:.3f} (seconds since epoch), {start}]",
        f"#[BaseTime: {start_s:.3f} (seconds since epoch)]",
        LEGEND,
    ]
    lines += map(_line, intervals)
    return "\n".join(lines) + "\n"


def _line(interval: LogInterval) -> str:
    if not interval.agent or any(c in ", \t\r\n" for c in interval.agent):
        raise ValueError(f"{interval.agent!r} can't be the tag of a histogram log")
    largest_ms = (interval.histogram.max or 0) / NS_PER_MS
    return (
        f"Tag={interval.agent},{interval.index:.3f},1.000,{largest_ms:.3f},"
        f"{interval.histogram.encode()}"
    )


def parse_log(text: str, name: str) -> Iterator[LogInterval]:
    """Read what `render_log` wrote.

    Args:
        text: the whole file.
        name: the file's name, for messages.

    Raises:
        ResultsError: a line is damaged.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith(("#", '"')) or not line:
            continue
        fields = line.split(",")
        try:
            if len(fields) != _FIELDS or not fields[0].startswith("Tag="):
                raise ValueError(f"{len(fields)} fields where a tag and four were written")  # noqa: TRY301 - one message for every damage
            agent = fields[0].removeprefix("Tag=")
            yield LogInterval(agent, int(float(fields[1])), Histogram.decode(fields[4]))
        except ValueError as error:
            raise ResultsError(
                f"{name}:{number}: damaged histogram log: {error}",
                "the run can't be read again; its summary.json may still be whole",
            ) from error
