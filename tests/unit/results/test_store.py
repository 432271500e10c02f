import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.analysis.level import summarise_level
from cluster.errors import ResultsError
from cluster.results.agent import QUANTITIES
from cluster.results.clock import ClockReading
from cluster.results.engine import EngineExit
from cluster.results.histogram import Histogram
from cluster.results.replies import ReplyCounts, ReplyManners
from cluster.results.runs import list_runs
from cluster.results.store import RunDirectory
from fakes.levels import START_NS, Truth, level_record, with_agent
from fakes.summary import sample_summary

NEW_IN_SUMMARY = ("timed_reply", "first_reply_ns", "last_reply_ns", "replies", "reject_reasons")
TRUTH = Truth(offered_per_s=500, control_s=2, profile_s=1, timed_out_per_s=2)


@pytest.fixture
def run(tmp_path):
    return RunDirectory.create(tmp_path / "runs", "quick")


@pytest.fixture
def saved(run):
    record = level_record(TRUTH)
    run.save_experiment("name: quick\n")
    run.save_level(record, summarise_level(record))
    return record


def forget_replies(level):
    """Make a level's files those of a loadcluster that did not count replies yet."""
    (level / "last_reply.hlog").unlink()
    path = level / "result.json"
    content = json.loads(path.read_text())
    del content["manners"]
    for agent in content["agents"]:
        del agent["replies"], agent["reject_reasons"]
    for samples in content["progress"].values():
        for sample in samples:
            del sample["replies"]
    for name in NEW_IN_SUMMARY:
        del content["summary"][name]
    path.write_text(json.dumps(content))


def test_a_run_is_named_after_its_time_and_experiment(run):
    stamp, _, name = run.path.name.rpartition("-")

    assert name == "quick"
    assert len(stamp) == len("2026-11-23T140502")


def test_two_runs_of_the_same_second_get_directories_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr("time.time_ns", lambda: 1_795_442_702_250_000_000)
    first, second = (RunDirectory.create(tmp_path, "quick") for _ in range(2))

    assert first.path.name == "2026-11-23T140502-quick"
    assert second.path.name == "2026-11-23T140502-quick-2"


def test_a_level_is_read_back_as_it_was_saved(run, saved):
    (read,) = RunDirectory.open(run.path).load_levels()

    assert saved == read


def test_the_summary_of_a_level_can_be_computed_again_from_its_files(run, saved):
    (read,) = RunDirectory.open(run.path).load_levels()

    assert summarise_level(saved) == summarise_level(read)


def test_a_level_s_files_have_one_log_per_quantity(run, saved):
    files = sorted(path.name for path in (run.path / "trials" / "01").iterdir())
    result = json.loads((run.path / "trials" / "01" / "result.json").read_text())

    logs = [f"{quantity}.hlog" for quantity in (*QUANTITIES, "last_reply")]
    assert files == sorted([*logs, "over_time.npz", "result.json"])
    assert result["summary"]["offered_per_s"] == saved.level.offered_per_s
    assert result["start_epoch_ns"] == run.clock.epoch_of(START_NS)


def test_what_was_replied_comes_back_as_it_was_saved(run):
    record = replace(
        level_record(TRUTH), manners=ReplyManners(timed_reply="last", reasons={"3": "x"})
    )
    first = record.agents[0]
    times = Histogram.from_values([5, 7_000])
    intervals = (replace(first.intervals[0], other_reply=times), *first.intervals[1:])
    replies = ReplyCounts(executions=1, skipped=2)
    told = {
        "intervals": intervals,
        "replies": replies,
        "reject_reasons": {r"\xff": 3, "3": 1},
        "no_kernel_times": "the kernel refused",
    }
    record = with_agent(record, 0, **told)
    run.save_experiment("name: quick\n")
    run.save_level(record, summarise_level(record))
    (read,) = RunDirectory.open(run.path).load_levels()

    assert record == read
    assert (run.path / "trials" / "01" / "first_reply.hlog").exists()
    assert not (run.path / "trials" / "01" / "last_reply.hlog").exists()


def test_a_level_of_before_replies_were_counted_can_still_be_read(run, saved):
    forget_replies(run.path / "trials" / "01")
    (read,) = RunDirectory.open(run.path).load_levels()

    assert saved == read


@pytest.mark.usefixtures("saved")
def test_a_missing_log_of_other_replies_is_damage_where_there_was_one(run):
    (run.path / "trials" / "01" / "last_reply.hlog").unlink()

    with pytest.raises(ResultsError, match=r"last_reply\.hlog: it does not exist"):
        run.load_levels()


def test_a_damaged_file_of_what_happened_within_the_seconds_is_said(run, saved):
    path = run.path / "trials" / "01" / "over_time.npz"
    path.write_bytes(path.read_bytes()[:200])

    with pytest.raises(ResultsError, match=r"over_time\.npz is damaged"):
        run.load_levels()
    path.unlink()
    (read,) = run.load_levels()
    assert read.agents[0].orders == saved.agents[0].orders
    assert not read.agents[0].activity


def test_levels_come_back_in_their_order(run):
    for index in (10, 2):
        record = level_record(replace(TRUTH, index=index))
        run.save_level(record, summarise_level(record))
    run.save_experiment("")

    assert [level.level.index for level in run.load_levels()] == [2, 10]


def test_the_summary_survives_the_disk(run):
    run.save_summary(sample_summary())

    assert sample_summary() == RunDirectory.open(run.path).load_summary()


def test_facts_survive_the_disk(run):
    fact = EngineExit(
        level=1, offered_per_s=5, exit_status=None, signal="SIGSEGV", last_output="ü", sentence=""
    )
    run.save_facts([fact])

    assert [fact.model_dump()] == run.load_facts()


def test_facts_and_events_of_a_run_that_ended_early_are_none(tmp_path):
    (tmp_path / "experiment.yaml").write_text("name: x\n")
    run = RunDirectory.open(tmp_path)

    assert run.load_facts() == []
    assert run.load_events() == []


def test_events_are_on_one_clock_that_is_noted_with_its_error(run):
    run.append_event("level-started", time_ns=run.clock.monotonic_ns + 1_000, level=0)
    clock, event = run.load_events()

    assert clock["kind"] == "clock"
    assert clock["error_ns"] == run.clock.error_ns
    assert event["time_ns"] - clock["monotonic_ns"] == 1_000
    assert (event["kind"], event["level"]) == ("level-started", 0)
    assert event["at"].endswith("+00:00")


def test_a_last_event_cut_short_is_left_out_and_an_earlier_one_is_damage(run):
    events = run.path / "events.jsonl"
    whole = events.read_text()
    events.write_text(whole + '{"kind": "le')
    cut = run.load_events()
    events.write_text('{"kind"\n' + whole)

    assert ["clock"] == [event["kind"] for event in cut]
    with pytest.raises(ResultsError, match=r"events\.jsonl:1 is damaged"):
        run.load_events()


def test_artefacts_are_listed_by_their_path_inside_the_run(run):
    run.save_profile("perf.folded", "a;b 1\n")
    path = run.save_profile("flamegraph.svg", b"<svg/>")

    assert path == "profile/flamegraph.svg"
    assert run.artefacts() == ["profile/flamegraph.svg", "profile/perf.folded"]


def test_a_full_disk_is_said_and_leaves_the_old_file_and_no_remnant(run, monkeypatch):
    run.save_experiment("old")

    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ResultsError, match="no space is left") as caught:
        run.save_experiment("new")

    assert "free some space" in caught.value.hint
    assert run.load_experiment() == "old"
    assert [path.name for path in run.path.iterdir() if path.name.startswith(".")] == []


def test_a_full_disk_while_noting_an_event_is_said(run, monkeypatch):
    def full(_path, *_args, **_kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(ResultsError, match="no space is left"):
        run.append_event("x")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EACCES, "not permitted"),
        (errno.EROFS, "not permitted"),
        (errno.EDQUOT, "no space is left"),
        (errno.ENAMETOOLONG, "File name too long"),
    ],
)
def test_a_directory_that_can_not_be_made_is_said(tmp_path, monkeypatch, number, message):
    def refuse(_path, *_args, **_kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(ResultsError, match=f"can't create a run in .*{message}"):
        RunDirectory.create(tmp_path / "runs", "quick")


def test_a_base_that_is_a_file_is_said(tmp_path):
    (tmp_path / "runs").write_text("")

    with pytest.raises(ResultsError, match="can't create a run in"):
        RunDirectory.create(tmp_path / "runs", "quick")


def test_a_missing_run_is_said(tmp_path):
    with pytest.raises(ResultsError, match="is not a directory"):
        RunDirectory.open(tmp_path / "none")


def test_a_directory_that_is_no_run_is_said(tmp_path):
    with pytest.raises(ResultsError, match="holds no run"):
        RunDirectory.open(tmp_path)


def test_a_summary_of_another_schema_version_is_refused(run):
    content = sample_summary().model_dump(mode="json") | {"schema_version": 99}
    (run.path / "summary.json").write_text(json.dumps(content))

    with pytest.raises(ResultsError, match="schema version 99") as caught:
        RunDirectory.open(run.path)
    assert "version of loadcluster that wrote it" in caught.value.hint


def test_a_damaged_summary_is_said_with_its_place(run):
    content = sample_summary().model_dump(mode="json") | {"levels": "many"}
    (run.path / "summary.json").write_text(json.dumps(content))

    with pytest.raises(ResultsError, match=r"summary\.json is damaged: levels: "):
        run.load_summary()


def test_a_summary_that_is_not_json_is_said(run):
    (run.path / "summary.json").write_text("{")

    with pytest.raises(ResultsError, match=r"summary\.json is damaged"):
        RunDirectory.open(run.path)


def test_a_run_that_was_cut_short_has_no_summary_and_says_so(run, saved):
    with pytest.raises(ResultsError, match="did not come to its end"):
        RunDirectory.open(run.path).load_summary()
    assert [saved] == run.load_levels()


@pytest.mark.usefixtures("saved")
def test_a_missing_log_is_said(run):
    (run.path / "trials" / "01" / "service.hlog").unlink()

    with pytest.raises(ResultsError, match=r"service\.hlog: it does not exist"):
        run.load_levels()


@pytest.mark.usefixtures("saved")
def test_a_log_that_lacks_a_second_is_said(run):
    log = run.path / "trials" / "01" / "engine.hlog"
    log.write_text("\n".join(log.read_text().splitlines()[:-1]) + "\n")

    with pytest.raises(ResultsError, match=r"a histogram log lacks \('agent-1', 3\)"):
        run.load_levels()


@pytest.mark.usefixtures("saved")
def test_a_damaged_result_is_said_with_its_place(run):
    path = run.path / "trials" / "01" / "result.json"
    content = json.loads(path.read_text())
    content["agents"][0]["orders"]["sent"] = "many"
    path.write_text(json.dumps(content))

    with pytest.raises(ResultsError, match=r"result\.json is damaged: agents\.0\.orders\.sent"):
        run.load_levels()


@pytest.mark.usefixtures("saved")
def test_a_file_that_is_not_text_is_said(run):
    (run.path / "trials" / "01" / "response.hlog").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ResultsError, match="not UTF-8"):
        run.load_levels()


def test_runs_are_listed_with_their_outcome_or_their_problem(tmp_path):
    whole, cut = (RunDirectory.create(tmp_path, name) for name in ("a-whole", "b-cut"))
    whole.save_summary(sample_summary())
    cut.save_experiment("name: b\n")
    (tmp_path / "unrelated").mkdir()
    (tmp_path / "file").write_text("")
    first, second = list_runs(tmp_path)

    assert (first.path, first.summary) == (whole.path, sample_summary())
    assert (second.path, second.summary) == (cut.path, None)
    assert "did not come to its end" in second.problem


def test_listing_a_missing_directory_is_said(tmp_path):
    with pytest.raises(ResultsError, match="does not exist"):
        list_runs(tmp_path / "none")


def test_clocks_are_read_back_and_older_runs_have_none(run):
    clock = (ClockReading(START_NS, -5, 30), ClockReading(START_NS + 1, -6, 31))
    changes = {"began_ns": START_NS + 7, "clock": clock, "same_clock": True}
    record = with_agent(level_record(TRUTH), 1, **changes)
    run.save_level(record, summarise_level(record))

    first, second = run.load_levels()[0].agents

    assert (None, (), False) == (first.began_ns, first.clock, first.same_clock)
    assert changes == {name: getattr(second, name) for name in changes}

    path = run.path / "trials" / "01" / "result.json"
    content = json.loads(path.read_text())
    for agent in content["agents"]:
        del agent["began_ns"], agent["clock"], agent["same_clock"]
    path.write_text(json.dumps(content))
    assert [(), ()] == [agent.clock for agent in run.load_levels()[0].agents]
