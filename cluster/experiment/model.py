"""The experiment: what an engineer writes in YAML. docs/configuration.md explains every key."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Port = Annotated[int, Field(ge=1, le=65535)]
PositiveRate = Annotated[float, Field(gt=0, le=1e9)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
WholeSeconds = Annotated[int, Field(ge=0, le=86_400)]
Ratio = Annotated[float, Field(ge=0, le=1)]
Cpu = Annotated[int, Field(ge=0, le=4095)]


class Section(BaseModel):
    """Part of an experiment: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ReferenceEngine(Section):
    """Start loadcluster's own engine."""

    threads: int = Field(1, ge=1, le=256, description="Matching threads; symbols are shared out.")


class SshHost(Section):
    """How to reach the engine's host. What is left out comes from ~/.ssh/config."""

    ssh: str = Field(min_length=1, description="Host name, address, or alias of ~/.ssh/config.")
    user: str | None = None
    port: Port | None = None
    identity_file: str | None = None
    known_hosts_file: str | None = Field(None, description="Default: ~/.ssh/known_hosts.")
    config_file: str | None = Field(None, description="Default: ~/.ssh/config.")
    timeout_s: Seconds = 10


class Engine(Section):
    """The system under test: where it listens, and how it is started if we start it."""

    address: str = Field("127.0.0.1", min_length=1, description="Address the load goes to.")
    port: Port = 9001
    host: Literal["local"] | SshHost = Field(
        "local", description="Where the engine runs, for starting and profiling it."
    )
    reference: ReferenceEngine | None = Field(None, description="Start the reference engine.")
    command: list[str] | None = Field(
        None, min_length=1, description="Start this program (no shell) on the engine's host."
    )
    process: str | int | None = Field(
        None, description="Process to profile when it runs already: its name or its pid."
    )
    ready_timeout_s: Seconds = 10

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(x is not None for x in (self.reference, self.command, self.process)) > 1:
            raise ValueError("give one of `reference`, `command` and `process`, not several")
        return self


class Agents(Section):
    """The load hosts: how many, and what each brings."""

    count: int = Field(1, ge=1, le=1000, description="Load agents: one per load host.")
    workers: int = Field(1, ge=1, le=256, description="Native worker threads per agent.")
    connections: int = Field(4, ge=1, le=60_000, description="TCP connections per agent.")
    wait: Literal["spin", "block"] = Field(
        "block", description="spin: a core per worker, latest by µs; block: sleep until due."
    )
    in_flight_max: int = Field(
        65_536, ge=1, le=16_777_216, description="Unanswered orders per agent; beyond, orders wait."
    )

    @model_validator(mode="after")
    def _a_connection_per_worker(self) -> Self:
        if self.connections < self.workers:
            raise ValueError("`connections` must be at least `workers`: each has its own")
        return self


class Ray(Section):
    """The Ray cluster that carries the agents."""

    address: str | None = Field(None, description="None: an embedded Ray on this machine.")
    start_timeout_s: Seconds = 60


class Cpus(Section):
    """Which CPUs the local engine and each agent's workers are pinned to."""

    engine: list[Cpu] = Field(default_factory=list, description="Empty: not pinned.")
    agents: list[list[Cpu]] = Field(
        default_factory=list,
        description="One list per agent, one CPU per worker. Empty: not pinned.",
    )


class Maximum(Section):
    """After the rates: the most the engine takes, closed-loop with a fixed number in flight."""

    in_flight: int = Field(1024, ge=1, le=1_000_000, description="Orders in flight, all agents.")


class Load(Section):
    """What is offered, level by level, from low to high."""

    arrivals: Literal["constant", "poisson"] = "poisson"
    rates_per_s: list[PositiveRate] = Field(
        default_factory=list, max_length=200, description="Offered orders per second, rising."
    )
    maximum: Maximum | None = None
    timeout_s: Seconds = Field(2, description="An order without an answer for so long timed out.")
    seed: int = Field(1, ge=0, le=2**63 - 1)

    @model_validator(mode="after")
    def _levels_rise(self) -> Self:
        if not self.rates_per_s and self.maximum is None:
            raise ValueError("give `rates_per_s`, `maximum`, or both: there is nothing to offer")
        if sorted(set(self.rates_per_s)) != self.rates_per_s:
            raise ValueError("`rates_per_s` must rise from low to high, each rate once")
        return self


class Mix(Section):
    """Shares of the requests; they sum to 1."""

    new: Ratio = 0.5
    replace: Ratio = 0.2
    cancel: Ratio = 0.3

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        if abs(self.new + self.replace + self.cancel - 1) > 1e-9:
            raise ValueError(
                f"new + replace + cancel must be 1, they sum to "
                f"{self.new + self.replace + self.cancel:g}"
            )
        if self.new == 0:
            raise ValueError("`new` must be above 0: only new orders can be replaced or cancelled")
        return self


class OrderFlow(Section):
    """Which orders are sent. Seeded: the same file sends the same orders."""

    seed: int = Field(1, ge=0, le=2**63 - 1)
    symbols: int = Field(64, ge=1, le=65_536)
    mix: Mix = Mix()
    ioc_ratio: Ratio = Field(0.1, description="Of new orders: immediate-or-cancel.")
    market_ratio: Ratio = Field(0.02, description="Of new orders: market.")
    mid_price_ticks: int = Field(100_000, ge=1_000, le=10**12)
    spread_ticks: int = Field(2, ge=1, le=1_000)
    depth_ticks: int = Field(20, ge=1, le=10_000)
    quantity_mean: int = Field(100, ge=1, le=1_000_000)
    live_orders_max: int = Field(64, ge=1, le=4_096, description="Per connection.")

    @model_validator(mode="after")
    def _prices_and_ratios_fit(self) -> Self:
        if self.ioc_ratio + self.market_ratio > 1:
            raise ValueError("`ioc_ratio` + `market_ratio` must be at most 1")
        if self.depth_ticks + self.spread_ticks >= self.mid_price_ticks // 2:
            raise ValueError(
                "`depth_ticks` + `spread_ticks` must stay below half `mid_price_ticks`"
            )
        return self


class Measure(Section):
    """How long each part of a level lasts."""

    warmup_s: WholeSeconds = 2
    control_s: Annotated[int, Field(ge=1, le=86_400)] = Field(
        10, description="Measured, with no profiler running."
    )
    drain_s: Seconds = Field(5, description="At most so long is waited for late answers.")


class Profile(Section):
    """What watches the engine while it is loaded."""

    window_s: Annotated[int, Field(ge=1, le=86_400)] = Field(
        10, description="perf counts and samples so long in each level."
    )
    frequency_hz: int = Field(997, ge=1, le=10_000)
    call_graph: Literal["fp", "dwarf"] = Field(
        "fp", description="fp: frame pointers. dwarf: for engines built without, 48 times the data."
    )


class Abort(Section):
    """Guards: a level beyond them ends the rise."""

    response_p99_ms: Annotated[float, Field(gt=0)] = 1_000
    error_ratio: Ratio = Field(0.01, description="Timed out and lost orders over sent orders.")


class Scenarios(Section):
    """The thresholds of the scenarios A, B, C and beyond."""

    slow_below_per_s: PositiveRate = 10_000
    fast_above_per_s: PositiveRate = 100_000
    beyond_per_s: PositiveRate = 1_000_000

    @model_validator(mode="after")
    def _rise(self) -> Self:
        if not self.slow_below_per_s < self.fast_above_per_s < self.beyond_per_s:
            raise ValueError("must rise: slow_below_per_s < fast_above_per_s < beyond_per_s")
        return self


class Baseline(Section):
    """A known figure to show beside, such as the rate through the API in front."""

    name: str = Field(min_length=1)
    throughput_per_s: PositiveRate


class Experiment(Section):
    """One experiment file."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    protocol: Literal["orderwire"] = "orderwire"
    engine: Engine = Engine()
    fleet: Literal["ray", "in-process"] = "ray"
    ray: Ray = Ray()
    agents: Agents = Agents()
    cpus: Literal["unpinned", "apart"] | Cpus = Field(
        "unpinned",
        description="apart: the local engine and the clients on CPUs of their own.",
    )
    load: Load
    order_flow: OrderFlow = OrderFlow()
    measure: Measure = Measure()
    profile: Profile | Literal["off"] = Profile()
    abort: Abort = Abort()
    scenarios: Scenarios = Scenarios()
    baseline: Baseline | None = None
    output_directory: str = "runs"

    @model_validator(mode="after")
    def _cpus_match_agents(self) -> Self:
        if isinstance(self.cpus, Cpus) and self.cpus.agents:
            if len(self.cpus.agents) != self.agents.count:
                raise ValueError(
                    f"`cpus.agents` has {len(self.cpus.agents)} lists for {self.agents.count} agents"
                )
            for cpus in self.cpus.agents:
                if cpus and len(cpus) != self.agents.workers:
                    raise ValueError(
                        f"each list of `cpus.agents` needs one CPU per worker ({self.agents.workers})"
                    )
        return self
