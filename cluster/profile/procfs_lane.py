"""The lane that always runs: procfs of the engine and its host, sampled on the host."""

from importlib import resources
from typing import Final, Self

from cluster.host.commands import checked
from cluster.host.protocol import Host
from cluster.host.supervised import Supervised
from cluster.profile.engine_window import window_between
from cluster.profile.procfs import ProcSample, monotonic_times_ns, parse_samples
from cluster.results.engine import EngineWindow

# Twice a second, so that windows of a few seconds lose little at their ends.
INTERVAL_S: Final = 0.5
_OUTPUT: Final = "samples"


class ProcfsLane:
    """Samples `/proc` from start to stop; what was sampled can be read at any time."""

    def __init__(self, supervised: Supervised, output: str) -> None:
        self.samples: list[ProcSample] = []
        self._supervised = supervised
        self._output = output
        self._read_bytes = 0

    @classmethod
    def start(cls, host: Host, pid: int, port: int, max_s: float) -> Self:
        """Begin to sample the process `pid` that listens on `port`. Raises HostError."""
        directory = host.private_directory()
        script = f"{directory}/procfs.sh"
        output = f"{directory}/{_OUTPUT}"
        host.put(resources.files("cluster.profile").joinpath("procfs.sh").read_bytes(), script)
        argv = ["bash", script, str(pid), f"{port:04X}", str(INTERVAL_S), output]
        supervised = Supervised.start(
            host, argv, label="the procfs sampler", max_s=max_s, stop_signal="TERM"
        )
        return cls(supervised, output)

    def refresh(self) -> None:
        """Read what was sampled since the last time. Raises HostError."""
        argv = ["tail", "-c", f"+{self._read_bytes + 1}", self._output]
        text = checked(self._supervised.host, argv).stdout
        samples, taken = parse_samples(text)
        self.samples += samples
        self._read_bytes += len(text[:taken].encode(errors="surrogateescape"))

    def times_ns(self, offset_ns: int) -> list[int]:
        """When each sample was taken, in the driver's clock.

        Args:
            offset_ns: Host's clock minus the driver's.
        """
        return [time_ns - offset_ns for time_ns in monotonic_times_ns(self.samples)]

    def window(self, start_ns: int, end_ns: int, offset_ns: int) -> EngineWindow | None:
        """The engine between two times of the driver's clock, as far as was read."""
        return window_between(self.samples, self.times_ns(offset_ns), start_ns, end_ns)

    def stop(self) -> None:
        """End the sampling. Idempotent. Raises HostError."""
        self._supervised.stop(timeout_s=2)
