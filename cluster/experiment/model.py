"""The experiment: what an engineer writes in YAML. docs/configuration.md explains every key."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from cluster.document.path import show_text
from cluster.document.section import (
    SECTION_TAG,
    WORD_TAG,
    MisfitError,
    Section,
    Text,
    word_or_section,
)
from cluster.experiment.arrivals import Arrivals, Bursts, Hawkes
from cluster.experiment.measure import Measure, Until
from cluster.experiment.replay import Replay, ReplayColumns
from cluster.experiment.section import Name, PositiveRate, Protocol, Ratio
from cluster.experiment.system import (
    REFERENCE_PROTOCOLS,
    Agents,
    Cpus,
    Engine,
    Ray,
    ReferenceEngine,
    SshHost,
)
from cluster.experiment.workload import Load, Maximum, Mix, OrderFlow

__all__ = [
    "Abort",
    "Agents",
    "Arrivals",
    "Baseline",
    "Bursts",
    "Cpus",
    "Engine",
    "Experiment",
    "Hawkes",
    "Load",
    "Maximum",
    "Measure",
    "Mix",
    "OrderFlow",
    "Profile",
    "Ray",
    "ReferenceEngine",
    "Replay",
    "ReplayColumns",
    "Scenarios",
    "Section",
    "SshHost",
    "Until",
]


class Profile(Section):
    """What watches the engine while it is loaded."""

    window_s: Annotated[int, Field(ge=1, le=86_400)] = Field(
        10, description="Whole seconds, after the control window, in which perf counts and samples."
    )
    frequency_hz: int = Field(997, ge=1, le=10_000, description="Stack samples per second and CPU.")
    call_graph: Literal["fp", "dwarf"] = Field(
        "fp", description="fp: frame pointers; dwarf: for engines built without, far more data."
    )


class Abort(Section):
    """Guards: a level beyond them ends the rise, and what was measured is kept."""

    response_p99_ms: Annotated[float, Field(gt=0, le=86_400_000)] = Field(
        1_000, description="p99 of the response time, in ms."
    )
    error_ratio: Ratio = Field(0.01, description="Timed-out and lost orders over sent orders.")


class Scenarios(Section):
    """The thresholds of the scenarios A, B, C and beyond, in orders per second."""

    slow_below_per_s: PositiveRate = Field(
        10_000, description="Scenario B below: the engine is slow."
    )
    fast_above_per_s: PositiveRate = Field(
        100_000, description="Scenario A above: the engine is fast. Between the two: C, both."
    )
    beyond_per_s: PositiveRate = Field(1_000_000, description="Above: the design performs well.")

    @model_validator(mode="after")
    def _rise(self) -> Self:
        if not self.slow_below_per_s < self.fast_above_per_s < self.beyond_per_s:
            raise MisfitError(
                "",
                "the thresholds must rise: `slow_below_per_s` below `fast_above_per_s` "
                "below `beyond_per_s`",
            )
        return self


class Baseline(Section):
    """A known figure to show beside, such as the rate through the API in front."""

    name: Text = Field(description="What the figure is of, as the report shall name it.")
    throughput_per_s: PositiveRate = Field(description="Its orders per second.")


class Experiment(Section):
    """One experiment file."""

    name: Name = Field(description="Names the run and its directory.")
    protocol: Protocol = Field(
        "orderwire",
        description="How orders are written on the wire: `loadcluster protocol list`, or a file.",
    )
    engine: Engine = Field(
        Engine(), description="The system under test: where it listens, how it is started."
    )
    fleet: Literal["ray", "in-process"] = Field(
        "ray", description="Who carries the load agents: Ray actors, or this process alone."
    )
    ray: Ray = Field(Ray(), description="The Ray cluster, when `fleet` is ray.")
    agents: Agents = Field(Agents(), description="The load agents: how many, what each brings.")
    cpus: Annotated[
        Annotated[Literal["unpinned", "apart"], Tag(WORD_TAG)] | Annotated[Cpus, Tag(SECTION_TAG)],
        Discriminator(word_or_section),
    ] = Field(
        "unpinned",
        description="unpinned; apart: engine and agents of this machine on CPUs of their own; "
        "or lists of CPUs.",
    )
    load: Load = Field(description="What is offered, level by level.")
    order_flow: OrderFlow = Field(OrderFlow(), description="Which orders are sent.")
    measure: Measure = Field(
        Measure(), description="How long each part of a level lasts, and how often all is run."
    )
    profile: Annotated[
        Annotated[Profile, Tag(SECTION_TAG)] | Annotated[Literal["off"], Tag(WORD_TAG)],
        Discriminator(word_or_section),
    ] = Field(Profile(), description="What watches the engine at each level, or off.")
    abort: Abort = Field(Abort(), description="Guards that end the rise of the levels.")
    scenarios: Scenarios = Field(Scenarios(), description="Thresholds of the verdict's scenarios.")
    baseline: Baseline | None = Field(
        None, description="A known throughput to show beside the measured one."
    )
    output_directory: Text = Field("runs", description="Each run gets a directory of its own here.")

    @model_validator(mode="after")
    def _cpus_match_agents(self) -> Self:
        if not isinstance(self.cpus, Cpus) or not self.cpus.agents:
            return self
        if len(self.cpus.agents) != self.agents.count:
            raise MisfitError(
                "cpus.agents",
                f"has {len(self.cpus.agents)} lists for {self.agents.count} agents: "
                "give one list per agent",
            )
        for index, cpus in enumerate(self.cpus.agents):
            if cpus and len(cpus) != self.agents.workers:
                raise MisfitError(
                    f"cpus.agents[{index}]",
                    f"has {len(cpus)} CPUs for {self.agents.workers} workers: "
                    "give one CPU per worker, or an empty list",
                )
        return self

    @model_validator(mode="after")
    def _every_worker_has_an_order(self) -> Self:
        workers = self.agents.count * self.agents.workers
        if self.load.maximum is not None and self.load.maximum.in_flight < workers:
            raise MisfitError(
                "load.maximum.in_flight",
                f"must be at least {workers}, one for each worker of each agent, "
                f"not {self.load.maximum.in_flight}",
            )
        return self

    @model_validator(mode="after")
    def _windows_are_fair(self) -> Self:
        law = self.load.law
        if law is None:
            return self
        windows = [self.measure.control_s]
        if self.measure.until is not None and self.measure.until.at_most_s > windows[0]:
            # It may end at any second: what is fair for this length and the next is for all others.
            windows.append(self.measure.control_s + 1)
        if isinstance(self.profile, Profile):
            windows.append(self.profile.window_s)
        for window_s in windows:
            misfit = law.window_misfit(window_s)
            if misfit is not None:
                raise MisfitError(f"load.arrivals.{self.load.law_name}", misfit)
        return self

    @model_validator(mode="after")
    def _speeds_are_of_recorded_times(self) -> Self:
        if self.load.speeds and self.order_flow.replay is None:
            raise MisfitError(
                "load.speeds",
                "scales the recorded times of a file: give `order_flow.replay`, or `rates_per_s` "
                "instead",
            )
        return self

    @model_validator(mode="after")
    def _the_reference_engine_speaks_it(self) -> Self:
        reference = self.engine.reference
        if reference is None or reference.protocol is not None:
            return self
        if self.protocol not in REFERENCE_PROTOCOLS:
            raise MisfitError(
                "engine.reference",
                f"loadcluster's own engine does not speak `{show_text(self.protocol)}`, but "
                f"{', '.join(f'`{name}`' for name in REFERENCE_PROTOCOLS)}: give the engine that "
                "does, or, for a schema of your own of one of these, `reference: {protocol: …}`",
            )
        return self

    @model_validator(mode="after")
    def _apart_is_on_this_machine(self) -> Self:
        if self.cpus != "apart":
            return self
        if self.fleet == "ray" and self.ray.address is not None:
            raise MisfitError(
                "cpus",
                "`apart` places the agents of this machine only: with `ray.address`, "
                "write `unpinned` or lists of CPUs",
            )
        started = self.engine.reference is not None or self.engine.command is not None
        if self.engine.host == "local" and not started:
            raise MisfitError(
                "cpus",
                "`apart` places an engine that loadcluster starts, and this one runs already: "
                "write `unpinned`, or lists of CPUs and pin the engine yourself",
            )
        return self
