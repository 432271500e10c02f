"""What becomes of a run when its cluster changes: a node comes late, the head goes away."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command_line import LIMIT_S, Said, wait_for, wait_for_event
from fakes.lab import Lab, why_not

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(why_not()), reason=why_not())]

SHORT = ("profile=off", "load.rates_per_s=[1000]")
MEASURED, NOT_VALID = 0, 3
# Ray waits for nothing that its head would have to do.
END_S = 40


@pytest.fixture
def own_lab() -> Iterator[Lab]:
    """A lab whose head may be killed."""
    with (
        tempfile.TemporaryDirectory(prefix="lch-") as place,
        Lab(Path(place) / "lab", load_hosts=1) as lab,
    ):
        yield lab


def events(folder: Path) -> str:
    """What the run has noted so far."""
    return "".join(path.read_text() for path in folder.glob("runs/*/events.jsonl"))


def test_a_run_waits_for_a_load_host_that_joins_late(lab: Lab, tmp_path: Path) -> None:
    lab.kill("load-2", *lab.pids("load-2", "raylet/raylet"))
    driver = lab.start("head", *lab.run(tmp_path / "runs", *SHORT))
    wait_for(lambda: bool(lab.pids("engine", "loadcluster-engine")), "the engine")
    time.sleep(3)  # with a node too few
    assert "load-started" not in events(tmp_path)
    lab.do("join", "load-2")
    stdout, stderr = driver.communicate(timeout=LIMIT_S)

    assert driver.returncode in {MEASURED, NOT_VALID}, stderr
    (level,) = Said(driver.returncode, stdout, stderr).summary.levels
    assert level.ended_early == ""
    assert sorted(agent.host for agent in level.agents) == ["load-1", "load-2"]
    assert level.orders.answered == level.orders.sent == level.orders.intended


def test_a_head_that_is_killed_costs_nothing_that_was_measured(
    own_lab: Lab, tmp_path: Path
) -> None:
    one = (*SHORT, "agents.count=1", "measure.control_s=4")
    driver = own_lab.start("head", *own_lab.run(tmp_path / "runs", *one))
    wait_for_event(tmp_path, "load-started")
    own_lab.kill("head", *own_lab.pids("head", "gcs_server"))
    killed = time.monotonic()
    stdout, stderr = driver.communicate(timeout=LIMIT_S)

    assert time.monotonic() - killed < END_S
    assert driver.returncode in {MEASURED, NOT_VALID}, stderr
    assert "Traceback" not in stderr
    summary = Said(driver.returncode, stdout, stderr).summary
    (level,) = summary.levels
    assert level.ended_early == ""
    assert level.orders.answered == level.orders.sent == level.orders.intended
    (lost,) = [finding for finding in summary.findings if finding.code == "cluster-lost"]
    assert "10.77.0.1:6379: Connection refused" in lost.message
    assert not own_lab.pids("engine", "loadcluster-engine")
    # A minute later Ray's node there ends, and what is left of the agent with it.
    said = own_lab.on("engine", "ss", "-Htn", "state", "established", "sport = :9001")
    assert said.stdout == ""
