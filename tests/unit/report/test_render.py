from pathlib import Path

from cluster.experiment.plan import Level
from cluster.report.render import render_run
from cluster.results.engine import ProfileWindow
from cluster.results.level import LevelRecord
from cluster.results.store import RunDirectory
from fakes.summary import sample_folded, sample_off_cpu_folded, sample_summary

DECIDING = 4


def window() -> ProfileWindow:
    return ProfileWindow(
        level=DECIDING,
        start_ns=8_000_000_000,
        end_ns=11_000_000_000,
        counters=[],
        ratios={},
        ratios_not_measured={},
        samples=5_824,
        sample_event="cpu-clock",
        lost_samples=0,
        hot_functions=[],
        folded=sample_folded(),
        off_cpu_folded=sample_off_cpu_folded(),
    )


def record(profile: ProfileWindow | None) -> LevelRecord:
    level = Level(
        index=DECIDING,
        arrivals="closed",
        offered_per_s=None,
        in_flight=1_024,
        warmup_s=1,
        control_s=6,
        profile_s=3,
        shares=(),
    )
    return LevelRecord(
        level=level,
        start_ns=0,
        sending_ended_ns=10_000_000_000,
        ended_ns=11_000_000_000,
        agents=(),
        progress={},
        engine_control=None,
        engine_profile=None,
        profile=profile,
    )


def rendered(tmp_path: Path, profile: ProfileWindow | None) -> RunDirectory:
    summary = sample_summary()
    directory = RunDirectory.create(tmp_path, summary.name)
    directory.save_experiment("name: quickstart\n")
    directory.save_facts([])
    directory.save_level(record(profile), summary.levels[DECIDING])
    directory.save_summary(summary)
    render_run(directory)
    return directory


def test_a_run_directory_gives_a_report_and_every_form_of_the_flame_graph(tmp_path: Path) -> None:
    directory = rendered(tmp_path, window())

    report = directory.report_path.read_text(encoding="utf-8")
    assert "name: quickstart" in report
    assert "<code>profile/flamegraph.html</code>" in report
    assert {
        "perf.folded",
        "flamegraph.svg",
        "flamegraph.html",
        "offcpu.folded",
        "offcpu.svg",
        "offcpu.html",
        "speedscope.json",
    } == {path.name for path in (directory.path / "profile").iterdir()}


def test_folded_stacks_are_written_as_they_were_sampled(tmp_path: Path) -> None:
    directory = rendered(tmp_path, window())

    lines = (directory.path / "profile" / "perf.folded").read_text(encoding="utf-8").splitlines()
    counts = {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in lines}
    assert sample_folded() == counts


def test_a_run_without_a_profile_still_gives_a_report(tmp_path: Path) -> None:
    directory = rendered(tmp_path, None)

    assert directory.report_path.exists()
    assert not (directory.path / "profile" / "perf.folded").exists()


def test_rendering_again_gives_the_same_report(tmp_path: Path) -> None:
    directory = rendered(tmp_path, window())
    first = directory.report_path.read_bytes()

    render_run(directory)

    assert first == directory.report_path.read_bytes()
