import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import HostError
from cluster.host.clock import ClockOffset
from cluster.host.facts import facts_of, parse_facts
from cluster.host.protocol import Completed
from fakes.host import FakeHost

SAID = """hostname\tengine-1
kernel\tLinux 6.1.0
cpus\t8
numa_nodes\t2
memory_kib\t1024
load_average_1_min\t0.25
open_files_max\tunlimited
governor\tperformance
sysctl net.ipv4.tcp_rmem\t4096\t131072\t6291456
interface eth0\tmlx5_core|25000|9000
interface veth1\t|-1|1500
version perf\t6.1.187
"""


def test_what_the_host_said_is_read() -> None:
    facts = parse_facts(SAID, "alias", ClockOffset(1_000, 50, "test"), {"loadcluster": "1"})

    assert ("engine-1", 8, 2, 1024 * 1024, 0.25, "performance") == (
        facts.hostname,
        facts.cpus,
        facts.numa_nodes,
        facts.memory_bytes,
        facts.load_average_1_min,
        facts.governor,
    )
    assert {"net.ipv4.tcp_rmem": "4096 131072 6291456"} == facts.tcp_settings
    assert {"perf": "6.1.187", "loadcluster": "1"} == facts.versions
    assert (1_000, 50) == (facts.clock_offset_ns, facts.clock_error_ns)


def test_a_speed_that_the_kernel_does_not_know_is_none_with_a_reason() -> None:
    facts = parse_facts(SAID, "alias", None, {})

    known, unknown = facts.interfaces
    assert ("eth0", "mlx5_core", 25_000, 9_000) == (
        known.name,
        known.driver,
        known.speed_mbit_per_s,
        known.mtu_bytes,
    )
    assert (None, None) == (unknown.driver, unknown.speed_mbit_per_s)
    assert {"interfaces.veth1.driver", "interfaces.veth1.speed_mbit_per_s"} <= set(
        facts.not_measured
    )


def test_what_is_missing_is_none_with_a_reason() -> None:
    facts = parse_facts("", "alias", None, {})

    assert "alias" == facts.hostname
    assert {name for name, value in facts if value is None} == set(facts.not_measured) - {
        "versions.perf",
        "versions.python3",
    }
    assert "usual in a virtual machine" in facts.not_measured["governor"]


def test_a_limit_that_is_no_number_says_what_it_is() -> None:
    facts = parse_facts(SAID, "alias", None, {})

    assert (None, "unlimited") == (facts.open_files_max, facts.not_measured["open_files_max"])


def test_a_host_that_cannot_tell_its_facts_is_an_error() -> None:
    host = FakeHost({"sh -s": Completed(("sh", "-s"), 2, "", "sh: not here\n")})

    with pytest.raises(HostError, match="its facts can't be read: sh: not here"):
        facts_of(host)


@given(st.dictionaries(st.sampled_from(["cpus", "interface x", "memory_kib"]), st.text()))
def test_no_answer_is_too_strange(said: dict[str, str]) -> None:
    text = "\n".join(f"{key}\t{value}" for key, value in said.items())

    facts = parse_facts(text, "alias", None, {})

    assert "alias" == facts.hostname
