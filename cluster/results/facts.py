"""What a host was during the run."""

from pydantic import Field

from cluster.results.record import Record


class NetworkInterface(Record):
    """One network interface, loopback left out."""

    name: str
    driver: str | None
    speed_mbit_per_s: int | None
    mtu_bytes: int | None


class HostFacts(Record):
    """A host's facts. What can't be read is None, and `not_measured` says why."""

    hostname: str
    os: str | None
    kernel: str | None
    kernel_command_line: str | None
    architecture: str | None
    cpu_model: str | None
    cpus: int | None
    smt: str | None
    numa_nodes: int | None
    isolated_cpus: str | None
    hypervisor: str | None  # none on bare metal
    governor: str | None
    frequency_driver: str | None
    idle_driver: str | None
    clocksource: str | None
    memory_bytes: int | None
    transparent_huge_pages: str | None
    interfaces: list[NetworkInterface]
    open_files_max: int | None
    tcp_settings: dict[str, str]  # net.core.somaxconn, net.ipv4.tcp_rmem …
    load_average_1_min: float | None
    perf_event_paranoid: int | None
    kptr_restrict: int | None
    versions: dict[str, str]  # python3, perf, bash, loadcluster where they are
    clock_offset_ns: int | None  # host's CLOCK_MONOTONIC - driver's
    clock_error_ns: int | None
    not_measured: dict[str, str] = Field(default_factory=dict)
