"""One planted cause and the experiment that meets it."""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Self

Truth = Literal["engine", "network", "client", "none"]

ENGINE_CPU: Final = 0
CLIENT_CPU: Final = 1


@dataclass(frozen=True)
class NetworkPath:
    """A network path: both directions alike."""

    delay_us: int = 0
    loss_ratio: float = 0.0
    rate_mbit: float = 0.0  # 0: not limited
    queue_ms: int = 50  # of a limited link: what would wait longer is dropped


@dataclass(frozen=True)
class Clients:
    """The load clients and what they suffer."""

    count: int = 1
    connections: int = 4  # each
    in_flight_max: int = 65_536
    quota_ratio: float | None = None  # of a CPU
    hogs: int = 0  # threads on the clients' CPU
    starved: Literal["all", "one"] = "all"


@dataclass(frozen=True)
class Plant:
    """A row of the matrix."""

    cause: str
    strength: str
    truth: Truth
    why: str  # it is the limit, in the words of a performance engineer
    faults: tuple[str, ...] = ()  # options of the reference engine
    rates_per_s: tuple[int, ...] = ()
    in_flight: int | None = None  # then closed-loop
    clients: Clients = field(default_factory=Clients)
    path: NetworkPath | None = None  # None: loopback

    @property
    def name(self) -> str:
        """Cause and strength."""
        return f"{self.cause}, {self.strength}"

    @property
    def needs_root(self) -> bool:
        """Whether namespaces or cgroups are made for it."""
        return self.path is not None or self.clients.quota_ratio is not None

    def of_engine(self, faults: str) -> Self:
        """With faults of the reference engine."""
        return replace(self, faults=tuple(faults.split()))

    def offering(self, *rates_per_s: int, in_flight: int | None = None) -> Self:
        """With the load: rates, and then closed-loop."""
        return replace(self, rates_per_s=rates_per_s, in_flight=in_flight)

    def with_clients(self, clients: Clients) -> Self:
        """With these clients."""
        return replace(self, clients=clients)

    def over(self, path: NetworkPath) -> Self:
        """With a network path between clients and engine."""
        return replace(self, path=path)

    def experiment(
        self, command: list[str], address: str, port: int, *, control_s: int, seed: int
    ) -> dict[str, Any]:
        """The experiment file of one run against an engine started by `command`."""
        maximum = {"maximum": {"in_flight": self.in_flight}} if self.in_flight else {}
        return {
            "name": "planted",
            "fleet": "in-process",
            "engine": {"address": address, "port": port, "command": command},
            "agents": {
                "count": self.clients.count,
                "connections": self.clients.connections,
                "in_flight_max": self.clients.in_flight_max,
            },
            "cpus": {"engine": [ENGINE_CPU], "agents": [[CLIENT_CPU]] * self.clients.count},
            "load": {"rates_per_s": list(self.rates_per_s), "timeout_s": 1, "seed": seed} | maximum,
            "measure": {
                "warmup_s": 1,
                "control_s": control_s,
                "drain_s": 1,
                "calibration": "off",  # of starved clients it would be remembered
            },
            "profile": "off",
        }
