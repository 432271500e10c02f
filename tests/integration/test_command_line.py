"""Every verb of the command line, as typed: what it prints, and its exit status."""

import json
import shutil
from pathlib import Path

import jsonschema  # type: ignore[import-untyped] # its stubs are no dependency
import pytest
import yaml

from fakes.acceptor import AcceptingEngine
from fakes.command_line import Said, loadcluster, only_run, write_experiment
from fakes.left_behind import Footprint
from integration.running import running_engine

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run that came to its end."""
    folder = tmp_path_factory.mktemp("finished")
    with AcceptingEngine() as engine:
        said = loadcluster("run", str(write_experiment(folder, engine={"port": engine.port})))
    assert said.exit_status in {0, 3}, said.stderr
    return only_run(folder)


@pytest.fixture
def run_copy(finished_run: Path, tmp_path: Path) -> Path:
    """The same run, to be damaged."""
    return shutil.copytree(finished_run, tmp_path / "runs" / finished_run.name)


def assert_refused(said: Said, exit_status: int, *sentences: str) -> None:
    assert said.exit_status == exit_status
    assert said.stdout == ""
    assert "Traceback" not in said.stderr
    for sentence in sentences:
        assert sentence in said.stderr


def test_check_says_that_the_run_can_start_and_what_will_not_be_measured(
    tmp_path: Path, footprint: Footprint
) -> None:
    with running_engine() as engine:
        experiment = write_experiment(
            tmp_path,
            engine={"port": engine.port, "process": engine.pid},
            profile={"window_s": 1},
        )
        said = loadcluster("check", str(experiment), "--json", env=footprint.env)
        people = loadcluster("check", str(experiment), env=footprint.env)

    assert said.exit_status == people.exit_status == 0
    lines = json.loads(said.stdout)["lines"]
    areas = {"plan", "protocol", "engine", "profile", "fleet"}
    assert {line["area"] for line in lines} == areas
    assert [line for line in lines if line["state"] == "failed"] == []
    assert f"(pid {engine.pid})" in people.stdout
    for line in lines:
        if line["state"] == "missing":
            assert f"missing profile: {line['what']}" in people.stdout
            assert ": " in line["what"]  # what, and why
    assert people.stdout.endswith("The run can start.\n")
    assert not (tmp_path / "runs").exists()
    footprint.assert_gone(5)


def test_check_without_an_engine_process_says_that_nothing_will_be_profiled(
    tmp_path: Path, footprint: Footprint
) -> None:
    said = loadcluster("check", str(write_experiment(tmp_path)), env=footprint.env)

    assert said.exit_status == 0
    assert "missing profile: profile: unknown: neither `engine.process`" in said.stdout
    assert "say which process the engine is" in said.stdout


def test_check_starts_and_ends_the_engine_but_sends_no_order(
    tmp_path: Path, free_port: int, footprint: Footprint
) -> None:
    engine = {"port": free_port, "reference": {"threads": 1}}
    experiment = write_experiment(tmp_path, engine=engine, profile={"window_s": 1})

    said = loadcluster("check", str(experiment), env=footprint.env)

    assert said.exit_status == 0
    assert "ok      engine: process loadcluster-engine (pid " in said.stdout
    footprint.assert_gone(5)


def test_check_of_an_engine_host_that_can_not_be_reached_fails_but_looks_at_the_rest(
    tmp_path: Path, footprint: Footprint
) -> None:
    host = {"ssh": "127.0.0.1", "port": 1, "config_file": "/dev/null"}
    experiment = write_experiment(tmp_path, engine={"host": host, "process": "any"})

    said = loadcluster("check", str(experiment), env=footprint.env)

    assert said.exit_status == 1
    assert "FAILED  engine: 127.0.0.1: 127.0.0.1 port 1 refused the connection" in said.stdout
    assert "does sshd run there, on that port?" in said.stdout
    assert "ok      fleet: agent-0 on " in said.stdout
    assert said.stdout.endswith("The run can't start.\n")
    footprint.assert_gone(5)


def test_a_report_is_drawn_again(run_copy: Path) -> None:
    report = run_copy / "report.html"
    before = report.read_text()
    report.unlink()

    said = loadcluster("report", str(run_copy))

    assert said.exit_status == 0, said.stderr
    assert "VERDICT" in said.stdout
    assert str(report) in said.stdout.replace("\n", "")
    assert report.read_text() == before


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "has no summary.json: the run did not come to its end"),
        ("", "summary.json is damaged: "),
        ('{"schema_version": 1, "na', "summary.json is damaged: "),
        ('{"schema_version": 1}', "summary.json is damaged: name: Field required"),
        ('{"schema_version": 99}', "is of schema version 99; this loadcluster reads 1"),
    ],
)
def test_a_damaged_run_is_one_sentence_and_the_list_goes_on(
    content: str | None, sentence: str, run_copy: Path
) -> None:
    shutil.copytree(run_copy, run_copy.with_name(f"{run_copy.name}-whole"))
    summary = run_copy / "summary.json"
    summary.unlink()
    if content is not None:
        summary.write_text(content)

    assert_refused(loadcluster("report", str(run_copy)), 1, f"error: {run_copy}", sentence)
    listed = loadcluster("runs", str(run_copy.parent))
    assert listed.exit_status == 0
    damaged, whole = listed.stdout.splitlines()
    assert damaged.startswith(f"{run_copy.name}  not readable: ")
    assert whole.startswith(f"{run_copy.name}-whole  ")
    assert "not readable" not in whole


def test_a_level_that_is_damaged_is_named(run_copy: Path) -> None:
    log = run_copy / "trials" / "01" / "response.hlog"
    log.write_bytes(log.read_bytes()[:-40])

    assert_refused(loadcluster("report", str(run_copy)), 1, f"error: {log}")


def test_a_run_that_is_not_there_is_said(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"

    assert_refused(loadcluster("report", str(nowhere)), 1, f"{nowhere} is not a directory")
    assert_refused(loadcluster("report", str(tmp_path)), 1, f"{tmp_path} holds no run")
    assert_refused(loadcluster("runs", str(nowhere)), 1, f"in {nowhere}: it does not exist")
    assert loadcluster("runs", str(tmp_path)).stdout == f"no runs in {tmp_path}\n"


def test_runs_are_listed_for_machines(run_copy: Path) -> None:
    said = loadcluster("runs", str(run_copy.parent), "--json")

    (entry,) = json.loads(said.stdout)
    assert entry["path"] == str(run_copy)
    assert entry["problem"] is None
    assert entry["verdict"]["sentence"] != ""


def test_what_init_prints_is_an_experiment_that_check_accepts(
    tmp_path: Path, free_port: int, footprint: Footprint
) -> None:
    written = tmp_path / "mine.yaml"
    written.write_text(loadcluster("init").stdout)

    said = loadcluster(
        "check", str(written), "--set", f"engine.port={free_port}", env=footprint.env
    )

    assert said.exit_status == 0, said.stdout + said.stderr
    assert "plan: level 5: the most the engine takes" in said.stdout
    footprint.assert_gone(5)


def test_the_schema_is_one_and_holds_for_what_init_prints() -> None:
    example = yaml.safe_load(loadcluster("init").stdout)
    schema = json.loads(loadcluster("schema", "experiment").stdout)

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(example, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(example | {"enigne": {}}, schema)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["run", "{file}", "--set", "agents.cuont=2"],
            "--set agents.cuont=2: agents.cuont: is not a",
        ),
        (["check", "{file}", "--set", "agents"], "--set agents: must be KEY=VALUE"),
        (["run", "{file}", "--bogus"], "No such option '--bogus'"),
        (["run", "nowhere.yaml"], "nowhere.yaml: there is no such file"),
        (["run"], "Missing argument 'EXPERIMENT'"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["init", "--protocol", "orderwier"], "not `orderwier`; did you mean `orderwire`?"),
        (["schema", "run"], "'run' is not one of 'experiment', 'protocol'"),
    ],
)
def test_wrong_input_is_said_and_nothing_is_done(
    arguments: list[str], sentence: str, tmp_path: Path
) -> None:
    file = str(write_experiment(tmp_path))

    assert_refused(loadcluster(*(a.format(file=file) for a in arguments)), 2, sentence)
    assert not (tmp_path / "runs").exists()
