from collections import Counter
from pathlib import Path

import pytest
import yaml

from cluster.experiment.plan import plan
from cluster.experiment.reader import load_experiment
from confusion.cpu_group import CpuGroup, hierarchy
from confusion.plant import Clients, Plant
from confusion.plants import PLANTS, QUICK, chosen
from confusion.trial import disturbed


def test_every_plant_has_a_name_of_its_own() -> None:
    assert max(Counter(plant.name for plant in PLANTS).values()) == 1


def test_every_truth_is_planted() -> None:
    assert {plant.truth for plant in PLANTS} == {"engine", "network", "client", "none"}
    assert {plant.truth for plant in PLANTS if plant.name in QUICK} == {
        "engine",
        "network",
        "client",
        "none",
    }
    assert len(chosen(None, "quick")) == len(QUICK)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_every_plant_is_an_experiment_that_can_be_planned(plant: Plant, tmp_path: Path) -> None:
    path = tmp_path / "experiment.yaml"
    path.write_text(
        yaml.safe_dump(plant.experiment(["engine"], "127.0.0.1", 9001, control_s=3, seed=7))
    )

    planned = plan(load_experiment(path), frozenset({0, 1}))

    assert len(planned.levels) == len(plant.rates_per_s) + (plant.in_flight is not None)


def test_rows_are_chosen_by_a_part_of_their_name() -> None:
    assert {plant.cause for plant in chosen("engine: LOCK", "all")} == {"engine: lock"}
    with pytest.raises(SystemExit, match="no row is called 'nonsense'"):
        chosen("nonsense", "all")


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        ("tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /c/cpu cgroup rw,cpu 0 0", (Path("/c/cpu"), 1)),
        ("cgroup /c/cpuset cgroup rw,cpuset 0 0", None),
        ("tmpfs /tmp tmpfs rw 0 0", None),
    ],
)
def test_the_cpu_controller_is_found_among_the_mounts(
    mounts: str, expected: tuple[Path, int] | None
) -> None:
    assert hierarchy(mounts) == expected


def test_a_unified_hierarchy_counts_when_it_has_the_cpu_controller(tmp_path: Path) -> None:
    mounts = f"cgroup2 {tmp_path} cgroup2 rw 0 0"
    (tmp_path / "cgroup.controllers").write_text("memory pids\n")
    assert hierarchy(mounts) is None

    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io\n")

    assert hierarchy(mounts) == (tmp_path, 2)


@pytest.mark.parametrize(
    ("version", "file", "text"),
    [(1, "cpu.cfs_quota_us", "20000"), (2, "cpu.max", "20000 100000")],
)
def test_a_quota_is_written_as_each_version_wants_it(
    version: int, file: str, text: str, tmp_path: Path
) -> None:
    with CpuGroup(tmp_path / "first", version) as first, first.inside("starved") as starved:
        starved.limit(0.2)

    assert (tmp_path / "first" / "starved" / file).read_text() == text


def summary(wait_ratio: float) -> dict[str, object]:
    return {"levels": [{"agents": [{"worker_run_queue_ratio": wait_ratio}]}]}


def test_clients_that_others_starve_disturb_a_run_unless_starving_them_was_the_plan() -> None:
    engine = Plant("engine: busy", "much", "engine", "it is")
    client = Plant("client: hogs", "many", "client", "they do", clients=Clients(hogs=1))

    assert disturbed(engine, summary(0.09)) == ""
    assert "12.0%" in disturbed(engine, summary(0.12))
    assert disturbed(client, summary(0.5)) == ""
