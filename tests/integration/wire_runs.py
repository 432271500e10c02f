"""loadcluster against a counterpart that it did not start: one level, over a wire schema."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cluster.analysis.clients.client_rules import NOT_THE_LOAD
from cluster.results.summary import LevelSummary
from fakes.command_line import Said, loadcluster, write_experiment

CONNECTIONS = 2
MODEST_RATE_PER_S = 300
ATTEMPTS = 3


def run_level(
    folder: Path, protocol: str, port: int, env: Mapping[str, str] | None = None, **sections: object
) -> Said:
    """Send orders of `protocol` to `port` for two seconds; `sections` replace parts."""
    parts: dict[str, object] = {
        "agents": {"count": 1, "connections": CONNECTIONS},
        "load": {"rates_per_s": [MODEST_RATE_PER_S], "timeout_s": 1},
    }
    parts["engine"] = {"port": port}
    experiment = write_experiment(folder, protocol=protocol, **(parts | sections))
    return loadcluster("run", str(experiment), "--json", env=env)


def level_of(
    folder: Path, protocol: str, port: int, env: Mapping[str, str] | None = None, **sections: object
) -> LevelSummary:
    """The one level of such a run."""
    said = run_level(folder, protocol, port, env, **sections)
    assert said.stdout, said.stderr
    (level,) = said.summary.levels
    return level


def undisturbed_level(folder: Path, protocol: str, port: int) -> LevelSummary:
    """A level during which nobody took the client's CPU; skips the test where there is none."""
    for _ in range(ATTEMPTS):
        level = level_of(folder, protocol, port)
        told = {finding.code for finding in level.findings}
        if not told & {"client-waits-for-cpu", *NOT_THE_LOAD}:
            return level
    pytest.skip("others take this machine's CPUs from the client: its schedule can't be judged")


def is_balanced(level: LevelSummary) -> bool:
    """Whether every order that was due is accounted for."""
    orders = level.orders
    answered = orders.accepted + orders.rejected
    return (
        orders.intended == orders.sent + orders.unsent
        and orders.sent == answered + orders.timed_out + orders.lost
    )
