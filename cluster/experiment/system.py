"""The sections that say who takes part: the engine, its host, the load agents, their CPUs."""

from typing import Annotated, Final, Literal, Self, get_args

from pydantic import Discriminator, Field, Tag, model_validator

from cluster.document.section import (
    SECTION_TAG,
    WORD_TAG,
    MisfitError,
    Seconds,
    Section,
    Text,
    word_or_section,
)
from cluster.experiment.section import Argument, Cpu, Pid, Port, Word

ReferenceProtocol = Literal["orderwire", "ouch42", "fix44"]
REFERENCE_PROTOCOLS: Final[tuple[str, ...]] = get_args(ReferenceProtocol)


class ReferenceEngine(Section):
    """Start loadcluster's own engine."""

    threads: int = Field(
        1, ge=1, le=256, description="Matching threads; the symbols are shared out among them."
    )
    protocol: ReferenceProtocol | None = Field(
        None, description="What it speaks (docs/engine.md); left out: the experiment's `protocol`."
    )


class SshHost(Section):
    """How to reach the engine's host. What is left out comes from ~/.ssh/config."""

    ssh: Word = Field(description="Host name, address, or an alias of ~/.ssh/config.")
    user: Word | None = Field(
        None, description="Who to log on as; left out: ~/.ssh/config, else who you are here."
    )
    port: Port | None = Field(
        None, description="Port of its sshd; left out: ~/.ssh/config, else 22."
    )
    identity_file: Text | None = Field(
        None, description="Private key to use; left out: the agent's and the usual ones."
    )
    known_hosts_file: Text | None = Field(
        None, description="Host keys to trust; left out: ~/.ssh/known_hosts. Others are refused."
    )
    config_file: Text | None = Field(
        None, description="OpenSSH client configuration to follow; left out: ~/.ssh/config."
    )
    timeout_s: Seconds = Field(
        10, description="Longest wait for connecting, for logging on, and for a command."
    )

    @model_validator(mode="after")
    def _no_password(self) -> Self:
        # The value is not quoted: this file is saved with the run, and messages end up in logs.
        for key, user in (("ssh", self.ssh.rpartition("@")[0]), ("user", self.user or "")):
            if ":" in user:
                raise MisfitError(
                    key,
                    "holds a `:` before the host name, as in user:password. No password has a "
                    "place in a file: give a key (`identity_file`), or use the SSH agent",
                )
        return self


class Engine(Section):
    """The system under test: where it listens, and how it is started if we start it."""

    address: Word = Field(
        "127.0.0.1", description="Address the orders go to, as seen from the load agents."
    )
    i_am_authorized_to_load: bool = Field(
        default=False,
        description="The address's owner consents; needed outside loopback, private and link-local "
        "networks.",
    )
    port: Port = Field(9001, description="TCP port the orders go to.")
    host: Annotated[
        Annotated[Literal["local"], Tag(WORD_TAG)] | Annotated[SshHost, Tag(SECTION_TAG)],
        Discriminator(word_or_section),
    ] = Field("local", description="Where the engine runs, for starting and profiling it.")
    reference: ReferenceEngine | None = Field(
        None,
        description="Start loadcluster's own engine on the engine's host, and stop it at the end.",
    )
    command: list[Argument] | None = Field(
        None,
        min_length=1,
        max_length=1_000,
        description="Start this program (no shell) on the engine's host, and stop it at the end.",
    )
    process: Text | Pid | None = Field(
        None, description="Process to profile when the engine runs already: its name or its pid."
    )
    ready_timeout_s: Seconds = Field(
        10, description="A started engine must accept connections within so long."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [
            key for key in ("reference", "command", "process") if getattr(self, key) is not None
        ]
        if len(given) > 1:
            raise MisfitError(
                given[1],
                f"`{given[0]}` is given as well: give one of `reference`, `command` (loadcluster "
                "starts the engine) and `process` (it runs already)",
            )
        return self


class Agents(Section):
    """The load agents: how many, and what each brings."""

    count: int = Field(1, ge=1, le=1000, description="Load agents, one per load host.")
    workers: int = Field(
        1, ge=1, le=256, description="Native threads per agent, each with its own connections."
    )
    connections: int = Field(
        4, ge=1, le=60_000, description="TCP connections per agent, at least one per worker."
    )
    wait: Literal["spin", "block"] = Field(
        "block",
        description="spin: never sleep, a core per worker; block: sleep until an order is due.",
    )
    in_flight_max: int = Field(
        65_536,
        ge=1,
        le=16_777_216,
        description="Unanswered orders per agent; beyond, orders wait (their intended time stays).",
    )
    on_engine_host: bool = Field(
        default=False,
        description="Agents may share the engine's host; else only a loopback `engine.address`, or "
        "a run on one machine, lets them.",
    )

    @model_validator(mode="after")
    def _each_worker_has_its_own(self) -> Self:
        for key in ("connections", "in_flight_max"):
            if getattr(self, key) < self.workers:
                raise MisfitError(
                    key,
                    f"must be at least `workers` ({self.workers}), not {getattr(self, key)}: "
                    "each worker has its own",
                )
        return self


class Ray(Section):
    """The Ray cluster that carries the agents."""

    address: Text | None = Field(
        None, description="Cluster to join; left out: an embedded Ray on this machine."
    )
    start_timeout_s: Seconds = Field(
        60, description="Ray and all agents must be up within so long."
    )


class Cpus(Section):
    """Which CPUs the local engine and each agent's workers are pinned to."""

    engine: list[Cpu] = Field(
        default_factory=list,
        max_length=4_096,
        description="CPUs of an engine that loadcluster starts. Empty: not pinned.",
    )
    agents: list[list[Cpu]] = Field(
        default_factory=list,
        max_length=1_000,
        description="One list per agent with one CPU per worker. Empty: not pinned.",
    )
