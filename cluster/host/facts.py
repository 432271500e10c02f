"""What a host is: read in one round trip, changing nothing."""

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Final

from cluster import __version__
from cluster.errors import HostError
from cluster.host.clock import ClockOffset
from cluster.host.protocol import Host
from cluster.results.facts import HostFacts, NetworkInterface

KIB: Final = 1024
TIMEOUT_S: Final = 20.0
_WORDS: Final = (
    "os",
    "kernel",
    "kernel_command_line",
    "architecture",
    "cpu_model",
    "smt",
    "isolated_cpus",
    "hypervisor",
    "governor",
    "frequency_driver",
    "idle_driver",
    "clocksource",
    "transparent_huge_pages",
)
_NUMBERS: Final = ("cpus", "numa_nodes", "perf_event_paranoid", "kptr_restrict", "open_files_max")
_TOOLS: Final = ("python3", "perf")
# What is missing for a reason that a reader should know; all else is "not there on this host".
_REASONS: Final = {
    "governor": "the host shows no frequency scaling (usual in a virtual machine)",
    "frequency_driver": "the host shows no frequency scaling (usual in a virtual machine)",
    "idle_driver": "the host shows no idle driver (usual in a virtual machine)",
    "isolated_cpus": "no CPU is isolated",
    "open_files_max": "unlimited",
}


def facts_of(host: Host, clock: ClockOffset | None = None) -> HostFacts:
    """Read the facts of `host`.

    Args:
        host: whose.
        clock: how its clock relates to the driver's, where that was measured.

    Raises:
        HostError: the host does not answer.
    """
    script = resources.files("cluster.host").joinpath("facts.sh").read_bytes()
    completed = host.run(["sh", "-s"], stdin=script, timeout_s=TIMEOUT_S)
    if not completed.ok:
        raise HostError(host.name, f"its facts can't be read: {completed.stderr.strip()}")
    versions = {"loadcluster": __version__} if host.is_local else {}
    return parse_facts(completed.stdout, host.name, clock, versions)


def parse_facts(
    text: str, name: str, clock: ClockOffset | None, versions: Mapping[str, str]
) -> HostFacts:
    """From what `facts.sh` printed."""
    said = dict(line.split("\t", 1) for line in text.splitlines() if "\t" in line)
    said = {key: value.strip() for key, value in said.items() if value.strip()}
    numbers = {key: _number(said.get(key)) for key in (*_NUMBERS, "memory_kib")}
    words = {key: said.get(key) for key in _WORDS}
    memory_kib = numbers.pop("memory_kib")
    load = said.get("load_average_1_min")
    read = words | numbers | {"memory_bytes": memory_kib, "load_average_1_min": load}
    reasons = {
        key: _REASONS.get(key, "not there on this host")
        for key, value in read.items()
        if value is None
    }
    interfaces = [
        _interface(key.removeprefix("interface "), value)
        for key, value in said.items()
        if key.startswith("interface ")
    ]
    reasons |= _interface_reasons(interfaces)
    reasons |= {
        f"versions.{tool}": "not there on this host, or not on PATH"
        for tool in _TOOLS
        if f"version {tool}" not in said
    }
    if clock is None:
        reasons |= dict.fromkeys(("clock_offset_ns", "clock_error_ns"), "not compared")
    return HostFacts.model_validate(
        {
            **words,
            **numbers,
            "hostname": said.get("hostname", name),
            "memory_bytes": None if memory_kib is None else memory_kib * KIB,
            "load_average_1_min": None if load is None else float(load),
            "interfaces": interfaces,
            "tcp_settings": _named(said, "sysctl "),
            "versions": _named(said, "version ") | dict(versions),
            "clock_offset_ns": clock.offset_ns if clock else None,
            "clock_error_ns": clock.error_ns if clock else None,
            "not_measured": reasons,
        }
    )


def _named(said: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {
        key.removeprefix(prefix): " ".join(value.split())
        for key, value in said.items()
        if key.startswith(prefix)
    }


def _interface(name: str, value: str) -> NetworkInterface:
    driver, speed, mtu = (*value.split("|"), "", "")[:3]
    speed_mbit = _number(speed)
    return NetworkInterface(
        name=name,
        driver=driver or None,
        # The kernel says -1 where the link's speed is unknown.
        speed_mbit_per_s=speed_mbit if speed_mbit and speed_mbit > 0 else None,
        mtu_bytes=_number(mtu),
    )


def _interface_reasons(interfaces: Sequence[NetworkInterface]) -> dict[str, str]:
    return {
        f"interfaces.{interface.name}.{fact}": "the kernel does not tell: usual for a virtual one"
        for interface in interfaces
        for fact, value in interface
        if value is None
    }


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
