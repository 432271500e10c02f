from typing import Any

import pytest

from cluster.errors import StartFailed
from cluster.experiment.model import Experiment
from cluster.fleet.agent import Place
from cluster.fleet.start import may_share_engine_host, require_same, same_clock
from cluster.host.identity import identity_here

LAN = "192.0.2.9"


def place(version: str = "1.2", build: str = "b0b0") -> Place:
    return Place("load-7", 1, version, 2, build)


def experiment(**parts: Any) -> Experiment:
    return Experiment.model_validate({"name": "x", "load": {"rates_per_s": [1_000]}} | parts)


def test_agents_like_the_driver_are_welcome() -> None:
    require_same({"a": place(), "b": place(build="")}, "1.2", "b0b0")


def test_another_version_is_named_with_its_host() -> None:
    with pytest.raises(StartFailed, match=r"driver \(1\.2\): b: load-7 runs loadcluster 1\.1"):
        require_same({"a": place(), "b": place("1.1")}, "1.2", "b0b0")


def test_the_same_version_of_another_build_is_named_with_both() -> None:
    with pytest.raises(StartFailed, match=r"\(b0b0\): b: load-7 has build c0de") as raised:
        require_same({"a": place(), "b": place(build="c0de")}, "1.2", "b0b0")

    assert "same wheel" in raised.value.hint


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        # One machine: engine and agents share it, or there is nothing to measure.
        ({"engine": {"address": LAN}}, True),
        ({"engine": {"address": LAN}, "fleet": "in-process"}, True),
        # The engine is said to be elsewhere, or the agents may be anywhere.
        ({"engine": {"address": LAN, "host": {"ssh": "engine"}}}, False),
        ({"engine": {"address": LAN}, "ray": {"address": "head:6379"}}, False),
        # Asked for: by the key, or by an address that leads nowhere else.
        (
            {
                "engine": {"address": LAN},
                "ray": {"address": "head:6379"},
                "agents": {"on_engine_host": True},
            },
            True,
        ),
        ({"engine": {"host": {"ssh": "engine"}}}, True),
        ({"engine": {"address": "localhost"}, "ray": {"address": "head:6379"}}, True),
    ],
)
def test_agents_share_the_engines_host_only_if_asked(parts: dict[str, Any], expected: bool) -> None:
    assert expected == may_share_engine_host(experiment(**parts))


def test_an_agent_in_this_process_reads_the_same_clock_and_an_unknown_one_does_not() -> None:
    here = Place("here", 1, "1", 2, identity=identity_here())

    assert {"a"} == same_clock({"a": here, "b": place()})
