"""What held the engine's replies back, by the kernel's own account of each connection."""

from collections.abc import Sequence
from typing import Final

from cluster.profile.procfs import ProcSample, SendTimes
from cluster.units import NS_PER_MS

NO_SS: Final = "`ss` (iproute2) is missing on the engine's host, or refused"
NO_CONNECTION: Final = "`ss` shows none of the engine's connections: another network namespace?"
NOTHING_SENT: Final = "the kernel noted no time in which replies waited to be acknowledged"


def held_back(inside: Sequence[ProcSample], span_ns: int) -> dict[str, float | None] | str:
    """Shares of the time in which replies were on their way or waited to be sent.

    The kernel's times are those of each connection since it began, so the first and the last
    sample that has it are compared, connection by connection.

    Args:
        inside: the samples of a window, in the order of time.
        span_ns: time between the first and the last.

    Returns:
        By the field's name in EngineWindow, or why there is nothing.

    Source:
        Linux, tcp_info: tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited.
    """
    looked = [sample.sends for sample in inside if sample.sends is not None]
    if len(looked) < 2:  # noqa: PLR2004 - a difference needs two
        return NO_SS
    grown = [_grown(who, looked) for who in {who for sends in looked for who in sends}]
    if not grown:
        return NO_CONNECTION
    busy_ms = sum(times.busy for times in grown)
    if not busy_ms:
        return NOTHING_SENT
    return {
        "rwnd_limited_ratio": sum(times.rwnd_limited for times in grown) / busy_ms,
        "sndbuf_limited_ratio": sum(times.sndbuf_limited for times in grown) / busy_ms,
        "send_busy_ratio": max(times.busy for times in grown) * NS_PER_MS / span_ns,
    }


def _grown(who: str, looked: Sequence[dict[str, SendTimes]]) -> SendTimes:
    seen = [sends[who] for sends in looked if who in sends]
    # A connection that came meanwhile began at nothing.
    begin = seen[0] if who in looked[0] else SendTimes()
    return SendTimes(
        busy=seen[-1].busy - begin.busy,
        rwnd_limited=seen[-1].rwnd_limited - begin.rwnd_limited,
        sndbuf_limited=seen[-1].sndbuf_limited - begin.sndbuf_limited,
    )
