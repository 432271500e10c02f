"""What an agent is told when its host is to be calibrated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Against = Literal["loopback", "engine host"]


@dataclass(frozen=True)
class Shape:
    """The clients of one load host: those of all agents that run there, put together."""

    agents: int
    workers: int
    connections: int
    in_flight_max: int
    spin: bool
    cpus: tuple[int, ...]  # one per worker; empty: not pinned


@dataclass(frozen=True)
class Reflector:
    """A reflector that runs: on loopback, or beside the engine while the engine is idle."""

    address: str
    port: int
    pid: int | None = None  # None: it is not of this host
    threads: int = 0  # of it, on this host
    authorized: bool = False  # as in `LoadSpec`


@dataclass(frozen=True)
class CalibrationSpec:
    """One calibration of one host; crosses to it by value."""

    host: str
    against: Against
    shape: Shape
    facts: Mapping[str, str | int | None]  # whatever changes the answer, of both hosts
    reflector: Reflector | None = None  # None: the agent starts its own, on loopback
