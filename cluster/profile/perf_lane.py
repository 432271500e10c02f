"""One perf under its supervisor: counting or sampling, switched on for the windows."""

from collections.abc import Sequence
from typing import Final, Literal, Self

from cluster.errors import ClusterError
from cluster.host.protocol import Host
from cluster.host.supervised import Ack, Ended, Supervised
from cluster.profile.perf_messages import cause_of
from cluster.profile.perf_record import DATA_BYTES_MAX

# The driver waits so long, and the load must not: an agent stops by itself after five seconds
# without a word from the driver.
_PATIENCE_S: Final = 2
# perf reads no settings of the user and writes nothing to a home directory.
_ENVIRONMENT: Final = {"HOME": "/nonexistent", "PERF_CONFIG": "/dev/null"}


class PerfLane:
    """A perf that is disabled until `switch("enable")`.

    Once it has failed it stays so: `failed` says why, and `switch` does nothing any more.
    """

    def __init__(self, label: str, supervised: Supervised, began_ns: int) -> None:
        self.label = label
        self.supervised = supervised
        self.began_ns = began_ns  # host's clock, to half a second
        self.failed = ""
        self.failed_remedy = ""
        self.ended: Ended | None = None

    @classmethod
    def start(cls, host: Host, argv: Sequence[str], label: str, max_s: float) -> Self:
        """Start perf, attached and disabled. Raises HostError."""
        supervised = Supervised.start(
            host, argv, label=label, max_s=max_s, control=True, env=_ENVIRONMENT
        )
        try:
            began_ns = supervised.command("ping").sent_ns
        except BaseException:
            supervised.stop()
            raise
        return cls(label, supervised, began_ns)

    def switch(self, name: Literal["enable", "disable"]) -> Ack | None:
        """Enable or disable; None when this lane has failed, now or before."""
        if self.failed:
            return None
        try:
            return self.supervised.command(name, _PATIENCE_S)
        except ClusterError as error:
            if name == "enable" or not self._alive():
                self.fail(error.message)
            return None

    def _alive(self) -> bool:
        # perf looks at its control fifo only when it has caught up with its data. On a host
        # without a CPU to spare it may be too busy to be told to rest: what it samples beyond the
        # window is cut off by time, so this is no failure.
        try:
            return self.supervised.alive()
        except ClusterError:
            return False

    def fail(self, why: str, remedy: str = "") -> None:
        """Note why nothing more can be expected; the first reason stays."""
        self.failed = self.failed or why
        self.failed_remedy = self.failed_remedy or remedy

    def stop(self) -> None:
        """End perf and see how it ended; a failure is noted, not raised. Idempotent."""
        if self.ended is not None:
            return
        try:
            self.ended = self.supervised.stop()
        except ClusterError as error:
            self.fail(error.message)
            return
        trouble, remedy = how_it_failed(self.ended)
        if trouble or self.ended.why == "exited":
            # How perf ended explains also why it did not answer before.
            self.failed, self.failed_remedy = trouble, remedy


def how_it_failed(ended: Ended) -> tuple[str, str]:
    """Why perf ended before it was asked to, and what to do; empty when all is well.

    perf ends by itself, with 0, when the process it watches does: its data is whole.
    """
    if ended.why == "stopped":
        return "", ""
    if ended.why == "exited":
        if "size limit reached" in ended.stderr_tail:
            return (
                f"its data reached {DATA_BYTES_MAX}B, so later windows have no samples",
                "lower profile.window_s or profile.frequency_hz",
            )
        if ended.exit_status == 0:
            return "", ""
        if ended.signal is not None:
            return (
                f"perf was ended by {ended.signal}, not by us",
                "is memory or time limited there?",
            )
        cause = cause_of(ended.stderr_tail)
        return cause.why, cause.remedy
    reasons = {
        "time-limit": "perf ran into the time limit of the run",
        "heartbeat-timeout": "its supervisor did not hear from us in time",
        "stdin-eof": "its supervisor lost us",
    }
    return reasons.get(ended.why, f"perf's supervisor was ended ({ended.why})"), ""
