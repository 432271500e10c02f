"""Whether the connections that are planned can be opened at all."""

from pathlib import Path

import pytest

from cluster.driver.limits import require_room
from cluster.errors import StartFailed
from cluster.experiment.plan import AgentShare
from cluster.fleet.limits import Limits, local_ports


def share(index: int, connections: int) -> AgentShare:
    return AgentShare(f"agent-{index}", index, 100.0, 0, 0.0, connections, 2, ())


def limits(
    host: str = "load-1", process: int = 7, files: int | None = 1024, ports: int | None = 28_232
) -> Limits:
    return Limits(host, process, files, 30, ports)


def test_what_fits_is_let_go() -> None:
    require_room([share(0, 900)], {"agent-0": limits()})


def test_too_few_files_are_told_with_host_limit_and_need() -> None:
    with pytest.raises(StartFailed) as raised:
        require_room([share(0, 2000)], {"agent-0": limits()})

    # 2,000 connections, 30 open already, 2 workers of 4 each, 16 beside.
    assert raised.value.failed == {
        "agent-0": "2,000 connections need 2,054 open files, and load-1 allows its process 1,024 "
        "(`ulimit -n`)"
    }
    assert raised.value.hint.startswith(
        "raise it where the agents are started from: `ulimit -n 2054`; or lower"
    )


def test_agents_of_one_process_share_its_files() -> None:
    shares = [share(0, 600), share(1, 600)]
    with pytest.raises(StartFailed, match="1,200 connections need"):
        require_room(shares, {"agent-0": limits(), "agent-1": limits()})

    require_room(shares, {"agent-0": limits(), "agent-1": limits(process=8)})


def test_the_same_pid_on_another_host_is_another_process() -> None:
    shares = [share(0, 600), share(1, 600)]

    require_room(shares, {"agent-0": limits(), "agent-1": limits(host="load-2")})


def test_too_few_local_ports_are_told_for_all_agents_of_a_host() -> None:
    shares = [share(0, 20_000), share(1, 20_000)]
    unlimited = {
        "agent-0": limits(files=None),
        "agent-1": limits(files=None, process=8),
    }
    with pytest.raises(StartFailed) as raised:
        require_room(shares, unlimited)

    assert (
        "40,000 connections to one address need as many local ports, and load-1 has 28,232"
        in (raised.value.failed["agent-0"])
    )
    assert "ip_local_port_range" in raised.value.hint


def test_who_does_not_tell_is_not_judged() -> None:
    require_room([share(0, 60_000)], {})
    require_room([share(0, 60_000)], {"agent-0": limits(files=None, ports=None)})


def test_reserved_ports_are_not_given_out(tmp_path: Path) -> None:
    (tmp_path / "ip_local_port_range").write_text("40000\t40009\n")
    (tmp_path / "ip_local_reserved_ports").write_text("8080,39998-40001,40005,40009-41000\n")

    assert local_ports(tmp_path) == 6


def test_without_the_kernels_settings_nothing_is_known(tmp_path: Path) -> None:
    assert local_ports(tmp_path) is None
