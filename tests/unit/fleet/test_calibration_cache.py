import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cluster.fleet.calibration_cache import cache_directory, key_of, recall, remember
from cluster.fleet.calibration_spec import CalibrationSpec, Shape
from cluster.results.summary import Calibration

SHAPE = Shape(agents=1, workers=2, connections=8, in_flight_max=1024, spin=False, cpus=(2, 3))
SPEC = CalibrationSpec("load-1", "loopback", SHAPE, {"kernel": "6.1", "cpu model": "a CPU"})
KEY = key_of(SPEC, "build-1")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def calibration(**facts):
    return Calibration(
        **{
            "host": "load-1",
            "against": "loopback",
            "measured_at": NOW.isoformat(),
            "floor_p50_ns": 20_000,
            "floor_p99_ns": 60_000,
            "clean_rate_per_s": 400_000.0,
            "bound_by": "client",
            **facts,
        }
    )


def kept(directory: Path) -> Path:
    (file,) = directory.iterdir()
    return file


def test_what_is_remembered_is_recalled_and_says_that_it_is_cached(tmp_path):
    remember(tmp_path / "new", KEY, calibration())

    assert recall(tmp_path / "new", KEY, NOW) == calibration(cached=True)
    assert [file.suffix for file in (tmp_path / "new").iterdir()] == [".json"]


@pytest.mark.parametrize(
    "other",
    [
        replace(SPEC, host="load-2"),
        replace(SPEC, against="engine host"),
        replace(SPEC, facts={"kernel": "6.2", "cpu model": "a CPU"}),
        *(
            replace(SPEC, shape=replace(SHAPE, **change))
            for change in (
                {"workers": 1},
                {"connections": 9},
                {"agents": 2},
                {"in_flight_max": 1},
                {"spin": True},
                {"cpus": (2, 4)},
                {"cpus": ()},
            )
        ),
    ],
)
def test_whatever_changes_the_answer_changes_the_key(tmp_path, other):
    remember(tmp_path, KEY, calibration())

    assert key_of(other, "build-1") != KEY
    assert recall(tmp_path, key_of(other, "build-1"), NOW) is None


def test_another_build_is_another_key():
    assert key_of(SPEC, "build-2") != KEY


@pytest.mark.parametrize(
    ("facts", "age", "known"),
    [
        ({}, timedelta(days=29), True),
        ({}, timedelta(days=31), False),
        ({}, timedelta(days=-1), False),  # somebody has set the clock back
        ({"bound_by": "other load"}, timedelta(minutes=59), True),
        ({"bound_by": "other load"}, timedelta(minutes=61), False),
        ({"clean_rate_per_s": None}, timedelta(minutes=61), False),
    ],
)
def test_what_is_old_is_measured_anew(tmp_path, facts, age, known):
    remember(tmp_path, KEY, calibration(**facts))

    assert (recall(tmp_path, KEY, NOW + age) is not None) == known


def damage_cut(file: Path):
    file.write_text(file.read_text()[:50])


def damage_bytes(file: Path):
    file.write_bytes(b"\xff\xfe\x00")


def damage_empty(file: Path):
    file.write_text("")


def damage_another_key(file: Path):
    content = json.loads(file.read_text())
    content["key"]["host"] = "load-9"
    file.write_text(json.dumps(content))


def damage_time(file: Path):
    content = json.loads(file.read_text())
    content["calibration"]["measured_at"] = "yesterday"
    file.write_text(json.dumps(content))


def damage_zone(file: Path):
    content = json.loads(file.read_text())
    content["calibration"]["measured_at"] = "2026-11-24T12:00:00"
    file.write_text(json.dumps(content))


def damage_directory(file: Path):
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        damage_cut,
        damage_bytes,
        damage_empty,
        damage_another_key,
        damage_time,
        damage_zone,
        damage_directory,
    ],
)
def test_a_damaged_cache_is_no_failure(tmp_path, damage):
    remember(tmp_path, KEY, calibration())
    damage(kept(tmp_path))

    assert recall(tmp_path, KEY, NOW) is None


def test_a_cache_that_can_t_be_written_is_no_failure(tmp_path):
    (tmp_path / "file").write_text("in the way")
    remember(tmp_path / "file" / "cache", KEY, calibration())

    assert recall(tmp_path / "file" / "cache", KEY, NOW) is None


def test_the_cache_is_where_the_user_wants_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory() == tmp_path / "loadcluster" / "calibration"

    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_directory() == Path("/home/somebody/.cache/loadcluster/calibration")
