"""What the user gets when the engine, the disk or the file is not as it should be."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.host.reference import reference_engine
from cluster.results.store import RunDirectory
from cluster.results.summary import Summary
from fakes.acceptor import AcceptingEngine
from fakes.bad_engines import (
    ClosingEngine,
    ConfusedEngine,
    GarbageEngine,
    RefusingFixEngine,
    SilentEngine,
    SilentFixEngine,
)
from fakes.command_line import (
    loadcluster,
    only_run,
    start_loadcluster,
    wait_for,
    wait_for_event,
    write_experiment,
)
from fakes.left_behind import Footprint
from integration.planted import PERF

pytestmark = pytest.mark.integration


def run(folder: Path, **sections: object) -> Summary:
    said = loadcluster("run", str(write_experiment(folder, **sections)), "--json")
    assert said.stdout, said.stderr
    return said.summary


def assert_balanced(summary: Summary) -> None:
    assert summary.levels
    for level in summary.levels:
        assert level.orders.balanced, level.orders


def test_a_healthy_engine_gives_a_whole_run_with_every_file(tmp_path: Path) -> None:
    with AcceptingEngine() as engine:
        said = loadcluster(
            "run", str(write_experiment(tmp_path, engine={"port": engine.port})), "--json"
        )

    # Whether a busy machine lets the client keep its schedule is not this test's question.
    assert said.exit_status == (0 if said.summary.valid else 3), said.stderr
    assert_balanced(said.summary)
    (level,) = said.summary.levels
    assert level.ended_early == ""
    assert level.orders.accepted == level.orders.intended > 900
    directory = only_run(tmp_path)
    for name in ("experiment.yaml", "facts.json", "events.jsonl", "summary.json", "report.html"):
        assert (directory / name).stat().st_size > 0, name
    assert (directory / "trials" / "01" / "response.hlog").exists()


def test_an_engine_that_does_not_listen_is_named_with_its_address(
    tmp_path: Path, free_port: int
) -> None:
    experiment = write_experiment(tmp_path, engine={"port": free_port})

    said = loadcluster("run", str(experiment))

    assert said.exit_status == 1
    assert f"127.0.0.1:{free_port}" in said.stderr
    assert "Connection refused" in said.stderr
    assert "Traceback" not in said.stderr


def test_an_engine_that_never_answers_times_every_order_out(tmp_path: Path) -> None:
    with SilentEngine() as engine:
        summary = run(
            tmp_path,
            engine={"port": engine.port},
            measure={"warmup_s": 0, "control_s": 4, "drain_s": 1},
        )

    (level,) = summary.levels
    assert not summary.valid
    assert "timed out" in level.ended_early
    assert level.orders.timed_out == level.orders.sent > 0
    assert level.response_ns.p50 is None
    assert_balanced(summary)


def test_an_engine_that_closes_at_once_loses_what_was_in_flight(tmp_path: Path) -> None:
    with ClosingEngine() as engine:
        summary = run(tmp_path, engine={"port": engine.port})

    (level,) = summary.levels
    assert not summary.valid
    assert "closed every connection" in level.ended_early
    assert level.orders.lost == level.orders.sent > 0
    assert_balanced(summary)


def test_an_engine_that_answers_garbage_is_cut_off_and_counted(tmp_path: Path) -> None:
    with GarbageEngine() as engine:
        summary = run(tmp_path, engine={"port": engine.port})

    (level,) = summary.levels
    assert not summary.valid
    assert level.agents[0].errors["protocol_error"] > 0
    assert_balanced(summary)


def test_an_engine_that_says_too_much_is_counted_by_kind_and_shown(tmp_path: Path) -> None:
    with ConfusedEngine() as engine:
        summary = run(tmp_path, engine={"port": engine.port})

    (level,) = summary.levels
    errors = level.agents[0].errors
    assert level.orders.accepted > 0
    for kind in ("duplicate_reply", "unknown_id", "unknown_message"):
        assert errors[kind] >= level.orders.accepted, kind
    assert "protocol_error" not in errors
    assert "messages-unknown" in [finding.code for finding in level.findings]
    assert_balanced(summary)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (RefusingFixEngine, "refused: ?[2J?]0;owned?go away"),
        (SilentFixEngine, "no answer within 5000 ms"),
    ],
)
def test_a_logon_that_fails_is_one_sentence_that_harms_no_terminal(
    tmp_path: Path, kind: type[AcceptingEngine], sentence: str
) -> None:
    with kind() as engine:
        experiment = write_experiment(tmp_path, engine={"port": engine.port}, protocol="fix44")
        said = loadcluster("run", str(experiment))

    assert said.exit_status == 1
    assert sentence in said.stderr
    assert "\x1b" not in said.stderr
    assert "Traceback" not in said.stderr


def test_an_engine_that_dies_at_half_load_keeps_what_was_measured(
    tmp_path: Path, free_port: int
) -> None:
    command = [
        str(reference_engine()),
        f"--port={free_port}",
        "--exit-after-orders=4000",
    ]
    experiment = write_experiment(
        tmp_path,
        engine={"port": free_port, "command": [part for c in command for part in c.split("=")]},
        load={"rates_per_s": [1000, 3000], "timeout_s": 1},
    )

    said = loadcluster("run", str(experiment), "--json")

    summary = said.summary
    assert said.exit_status == 3
    assert [level.ended_early != "" for level in summary.levels] == [False, True]
    assert summary.engine.exit is not None
    assert summary.engine.exit.signal == "SIGABRT"
    assert summary.engine.exit.offered_per_s == 3000
    assert "3,000" in summary.engine.exit.sentence
    assert_balanced(summary)


def test_a_missing_engine_program_is_said(tmp_path: Path, free_port: int) -> None:
    experiment = write_experiment(
        tmp_path, engine={"port": free_port, "command": ["/nowhere/engine"]}
    )

    said = loadcluster("run", str(experiment))

    assert said.exit_status == 1
    assert "/nowhere/engine" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_process_that_is_not_there_is_said(tmp_path: Path) -> None:
    with AcceptingEngine() as engine:
        said = loadcluster(
            "run",
            str(
                write_experiment(
                    tmp_path, engine={"port": engine.port, "process": "no-such-engine"}
                )
            ),
        )

    assert said.exit_status == 1
    assert "no-such-engine" in said.stderr


def test_an_output_directory_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a directory should be")
    experiment = write_experiment(tmp_path, output_directory=str(blocked))

    said = loadcluster("run", str(experiment))

    assert said.exit_status == 1
    assert str(blocked) in said.stderr
    assert "Traceback" not in said.stderr


def test_a_ray_that_does_not_start_is_said(tmp_path: Path) -> None:
    with AcceptingEngine() as engine:
        said = loadcluster(
            "run",
            str(
                write_experiment(
                    tmp_path,
                    engine={"port": engine.port},
                    fleet="ray",
                    ray={"address": "127.0.0.1:1"},
                )
            ),
        )

    assert said.exit_status == 1
    assert "can't be joined" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.fixture
def engine() -> Iterator[AcceptingEngine]:
    with AcceptingEngine() as running:
        yield running


def descendants(pid: int) -> list[int]:
    """Every process of the session that `pid` leads."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,sid=,stat="], capture_output=True, text=True, check=True
    ).stdout
    pairs = [line.split() for line in listed.splitlines()]
    return [int(p) for p, sid, state in pairs if int(sid) == pid and state[0] != "Z"]


# The moment of the interruption: when this event is in the run's log.
STAGES = ("clock", "started", "load-started", "profile-window-opened", "load-ended")


# In every stage; on Ray in those in which it starts and ends what others don't.
@pytest.mark.parametrize(
    ("kind", "number", "stage"),
    [
        *(("in-process", signal.SIGINT, stage) for stage in STAGES),
        *(("ray", signal.SIGTERM, stage) for stage in ("started", "profile-window-opened")),
    ],
)
def test_an_interruption_keeps_what_was_measured_and_leaves_nothing(
    kind: str, number: signal.Signals, stage: str, tmp_path: Path, free_port: int
) -> None:
    experiment = write_experiment(
        tmp_path,
        fleet=kind,
        engine={"port": free_port, "reference": {"threads": 1}},
        measure={"warmup_s": 1, "control_s": 1, "drain_s": 1},
        load={"rates_per_s": [500, 600, 700], "timeout_s": 1},
        profile={"window_s": 2},
    )
    process = start_loadcluster("run", str(experiment), "--json")
    wait_for_event(tmp_path, stage)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)

    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert Summary.model_validate_json(stdout).interrupted
    directory = RunDirectory.open(only_run(tmp_path))
    summary = directory.load_summary()
    assert summary.interrupted
    assert all(level.orders.balanced for level in summary.levels)
    assert [record for record in summary.left_behind if record.found] == []
    wait_for(lambda: not descendants(process.pid), "every process to end", 10)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", free_port)) != 0, "the engine still listens"


def test_a_killed_driver_leaves_no_load_no_perf_and_no_engine(
    tmp_path: Path, free_port: int, footprint: Footprint
) -> None:
    experiment = write_experiment(
        tmp_path,
        fleet="ray",
        engine={"port": free_port, "reference": {"threads": 1}},
        measure={"warmup_s": 0, "control_s": 60, "drain_s": 1},
        profile={"window_s": 2},
    )
    process = start_loadcluster("run", str(experiment), env=footprint.env)
    wait_for_event(tmp_path, "load-started")
    watching = footprint.of("perf")

    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)

    wait_for(lambda: not descendants(process.pid), "every process to end", 20)
    assert watching or PERF is None
    footprint.assert_gone(20)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", free_port)) != 0, "the engine still listens"
