"""Whole runs of the command line with the engine behind SSH: all well, no way in, cut off."""

import subprocess
from pathlib import Path

import pytest

from cluster.host.identity import is_loopback, source_address
from cluster.host.reference import reference_engine
from cluster.results.store import RunDirectory
from fakes.command_line import (
    LIMIT_S,
    Said,
    loadcluster,
    only_run,
    start_loadcluster,
    wait_for_event,
    write_experiment,
)
from fakes.left_behind import Footprint
from integration.planted import PERF
from integration.running import running_engine
from integration.sshd import Sshd, why_not

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PERF is None, reason="needs perf"),
    pytest.mark.skipif(bool(why_not()), reason="needs openssh-server"),
]

# The host must notice that nobody is there any more: a heartbeat, and the time to end perf.
LEFT_ALONE_S = 30
ARTEFACTS = (
    "counters.json",
    "flamegraph.html",
    "flamegraph.svg",
    "perf-report.txt",
    "perf.folded",
    "procfs.json",
)


def behind_ssh(spec: object, port: int, **source: object) -> dict[str, object]:
    """The experiment's `engine` section."""
    host = spec.model_dump(exclude_none=True)  # type: ignore[attr-defined]  # a section
    return {"port": port, "host": host, **source}


def busy(folder: Path, engine: dict[str, object]) -> str:
    """An experiment in which the engine has enough to do for its functions to be seen."""
    path = write_experiment(
        folder,
        engine=engine,
        load={"maximum": {"in_flight": 256}, "timeout_s": 1},
        measure={"warmup_s": 0, "control_s": 1, "drain_s": 1},
        profile={"window_s": 2},
    )
    return str(path)


def assert_whole(said: Said, folder: Path) -> None:
    # Whether a busy machine lets the client keep its schedule is not this test's question.
    assert said.exit_status in (0, 3), said.stderr
    summary = said.summary
    (level,) = summary.levels
    assert level.ended_early == ""
    assert level.orders.balanced
    assert level.orders.answered == level.orders.sent > 0
    assert [f for f in summary.findings if "failed" in f.code or "lost" in f.code] == []
    (there,) = [record for record in summary.left_behind if record.host == "127.0.0.1"]
    assert "perf and what supervises it" in there.looked_for
    assert "temporary files" in there.looked_for
    assert (there.found, there.not_looked) == ([], "")
    # The host behind SSH is this machine.
    assert ["agent-0", "engine"] == [clock.who for clock in summary.clocks if clock.same]
    assert summary.clocks[0].start_skew_ns is not None
    profile = only_run(folder) / "profile"
    assert [
        n for n in ARTEFACTS if not (profile / n).exists() or not (profile / n).read_bytes()
    ] == []
    assert {f"profile/{name}" for name in ARTEFACTS} <= set(summary.profile.artefacts)
    assert [f.name for f in summary.profile.hot_functions if f.name.startswith("cluster::engine::")]
    (facts,) = [
        f
        for f in RunDirectory.open(only_run(folder)).load_facts()
        if f["clock_error_ns"] is not None
    ]
    assert isinstance(facts["clock_offset_ns"], int)
    assert isinstance(facts["clock_error_ns"], int)


def test_an_engine_that_runs_behind_ssh_is_loaded_profiled_and_left_running(
    own_sshd: Sshd, tmp_path: Path
) -> None:
    with running_engine() as engine:
        said = loadcluster(
            "run",
            busy(tmp_path, behind_ssh(own_sshd.spec(), engine.port, process=engine.pid)),
            "--json",
        )
        still_runs = Path(f"/proc/{engine.pid}/cmdline").read_bytes() != b""

    assert still_runs
    assert_whole(said, tmp_path)
    assert said.summary.engine.source == "running"
    assert f"pid {engine.pid}" in said.summary.engine.process
    own_sshd.footprint.assert_gone(5)


def test_agents_on_the_host_of_an_engine_behind_ssh_are_refused_unless_asked_for(
    own_sshd: Sshd, tmp_path: Path
) -> None:
    own = source_address("198.51.100.1", 9001)  # RFC 5737: the way to anywhere
    if not own or is_loopback(own):
        pytest.skip("this machine has no address but loopback")
    with running_engine() as engine:
        there = behind_ssh(own_sshd.spec(), engine.port, process=engine.pid) | {
            "address": own,
            "i_am_authorized_to_load": True,  # this machine is ours, whatever its address is
        }
        agents = {"count": 1, "connections": 2}
        refused = loadcluster("check", str(write_experiment(tmp_path, engine=there)))
        asked = write_experiment(tmp_path, engine=there, agents=agents | {"on_engine_host": True})
        allowed = loadcluster("check", str(asked))

    assert (1, 0) == (refused.exit_status, allowed.exit_status)
    assert "FAILED  fleet: agents are on the engine's own host: agent-0: " in refused.stdout
    assert "agents: {on_engine_host: true}" in refused.stdout
    assert f"connects from {own}" in allowed.stdout
    assert "engine: the driver's own clock" not in allowed.stdout  # it is measured over SSH
    own_sshd.footprint.assert_gone(5)


@pytest.mark.parametrize("source", ["command", "reference"])
def test_an_engine_started_over_ssh_ends_with_the_run(
    source: str, own_sshd: Sshd, tmp_path: Path, free_port: int
) -> None:
    ways = {
        "command": [str(reference_engine()), "--port", str(free_port)],
        "reference": {"threads": 1},
    }
    engine = behind_ssh(own_sshd.spec(), free_port, **{source: ways[source]})

    said = loadcluster("run", busy(tmp_path, engine), "--json")

    assert_whole(said, tmp_path)
    assert said.summary.engine.source == source
    assert "\norders: " in said.summary.engine.last_output
    own_sshd.footprint.assert_gone(5)


OBSTACLES = {
    "unknown host key": ("is not known: ssh-ed25519 SHA256:", "ssh-keyscan -p"),
    "key refused": ("refused every key (offered:", "ssh-copy-id -p"),
    "unreachable": ("refused the connection", "does sshd run there, on that port?"),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize("verb", ["run", "check"])
def test_a_host_that_does_not_let_us_in_is_one_sentence_and_advice(
    verb: str, obstacle: str, sshd: Sshd, tmp_path: Path, footprint: Footprint
) -> None:
    stranger = tmp_path / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger], check=True)
    changes: dict[str, dict[str, object]] = {
        "unknown host key": {"known_hosts_file": str(tmp_path / "empty")},
        "key refused": {"identity_file": str(stranger)},
        "unreachable": {"port": 1},
    }
    engine = behind_ssh(sshd.spec(**changes[obstacle]), 9001, process="any")
    experiment = write_experiment(tmp_path, engine=engine, profile={"window_s": 1})
    # An agent of whoever runs the tests, or keys of theirs, might open the door after all.
    env = footprint.env | {"SSH_AUTH_SOCK": "", "HOME": str(tmp_path)}

    said = loadcluster(verb, str(experiment), env=env)

    assert said.exit_status == 1
    text = said.stdout if verb == "check" else said.stderr
    sentence, hint = OBSTACLES[obstacle]
    assert text.count(sentence) == 1
    assert hint in text
    assert "Traceback" not in said.stdout + said.stderr
    assert list(tmp_path.glob("runs/*/summary.json")) == []
    footprint.assert_gone(5)
    sshd.footprint.assert_gone(5)


def test_a_connection_lost_in_the_profile_window_costs_the_profile_not_the_run(
    own_sshd: Sshd, tmp_path: Path
) -> None:
    with running_engine() as engine:
        experiment = write_experiment(
            tmp_path,
            engine=behind_ssh(own_sshd.spec(), engine.port, process=engine.pid),
            profile={"window_s": 2},
        )
        process = start_loadcluster("run", str(experiment), "--json")
        wait_for_event(tmp_path, "profile-window-opened")
        watching = own_sshd.footprint.of("perf")
        own_sshd.cut_connections()
        stdout, stderr = process.communicate(timeout=LIMIT_S)

    said = Said(process.returncode, stdout, stderr)
    assert len(watching) == 2
    assert said.exit_status in (0, 3), stderr
    assert "Traceback" not in stderr
    (level,) = said.summary.levels
    assert level.ended_early == ""
    assert level.orders.balanced
    assert level.orders.answered == level.orders.sent > 0
    missing = {
        f.message.split(" failed: ")[0]: f
        for f in said.summary.findings
        if f.code == "profile-lane-failed"
    }
    assert {"Perf stat", "Perf record"} <= set(missing)
    assert "the connection was lost" in missing["Perf record"].message
    assert said.summary.profile.samples == 0
    own_sshd.footprint.assert_gone(LEFT_ALONE_S)


def test_an_engine_we_started_ends_by_itself_when_the_connection_is_lost(
    own_sshd: Sshd, tmp_path: Path, free_port: int
) -> None:
    engine = behind_ssh(own_sshd.spec(), free_port, reference={"threads": 1})
    experiment = write_experiment(tmp_path, engine=engine, profile={"window_s": 2})
    process = start_loadcluster("run", str(experiment), "--json")
    wait_for_event(tmp_path, "profile-window-opened")
    own_sshd.cut_connections()
    stdout, stderr = process.communicate(timeout=LIMIT_S)

    summary = Said(process.returncode, stdout, stderr).summary
    assert process.returncode in {0, 3}, stderr
    assert "Traceback" not in stderr
    assert "engine-host-lost" in {finding.code for finding in summary.findings}
    (level,) = summary.levels
    assert "the connection to the engine's host was lost" in level.ended_early
    assert level.orders.balanced
    own_sshd.footprint.assert_gone(LEFT_ALONE_S)


def test_a_host_that_falls_silent_before_the_profile_window_does_not_stop_the_load(
    own_sshd: Sshd, tmp_path: Path
) -> None:
    with running_engine() as engine:
        experiment = write_experiment(
            tmp_path,
            engine=behind_ssh(own_sshd.spec(timeout_s=3), engine.port, process=engine.pid),
            profile={"window_s": 6},  # longer than the agents' lease
        )
        process = start_loadcluster("run", str(experiment), "--json")
        wait_for_event(tmp_path, "load-started")
        own_sshd.freeze_connections()
        stdout, stderr = process.communicate(timeout=LIMIT_S)
        own_sshd.cut_connections()

    summary = Said(process.returncode, stdout, stderr).summary
    assert process.returncode in {0, 3}, stderr
    assert "Traceback" not in stderr
    (level,) = summary.levels
    assert level.ended_early == ""
    assert level.orders.balanced
    assert level.orders.answered == level.orders.sent == level.orders.intended
    loaded = [second for second in level.seconds if second.phase != "drain"]
    assert len(loaded) == 8
    assert [second.index for second in loaded if second.sent == 0] == []
    assert "profile-window-late" in {finding.code for finding in summary.findings}
    assert "did not answer" in summary.profile.not_measured
    own_sshd.footprint.assert_gone(LEFT_ALONE_S)
