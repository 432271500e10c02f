"""Nothing secret is written or shown, nothing a user or a host says is a command or a control."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from cluster.cli_protocol import protocol
from cluster.errors import ConfigError, ProcessNotFound
from cluster.host.processes import find_process
from cluster.host.protocol import Host
from cluster.host.supervised import Supervised
from fakes.command_line import (
    LIMIT_S,
    loadcluster,
    only_run,
    start_loadcluster,
    write_experiment,
)
from fakes.left_behind import Footprint
from integration.sshd import Sshd

pytestmark = pytest.mark.integration

PASSWORD = "p7d1f-0aX9"  # noqa: S105 - of nobody
NAMES = ["two words `touch pwned`", "-n; touch pwned *", "a'$(touch pwned)'b\"c"]


@pytest.mark.parametrize("name", NAMES)
def test_a_program_may_be_called_anything(name: str, host: Host, tmp_path: Path) -> None:
    """Its path has spaces, too; nothing of it is read by a shell."""
    folder = tmp_path / "a folder with $(touch pwned)"
    folder.mkdir()
    program = folder / name
    shutil.copy(str(shutil.which("sleep")), program)

    running = Supervised.start(
        host, [str(program), "45"], label="a sleeper", max_s=30, cwd=str(folder), stop_signal="TERM"
    )
    try:
        assert find_process(host, name).pid == running.pid
    finally:
        running.stop()

    assert list(tmp_path.rglob("pwned")) == []


def test_a_name_that_is_looked_for_is_no_command(host: Host) -> None:
    for name in (*NAMES, "a\nb", "x" * 300):
        with pytest.raises(ProcessNotFound):
            find_process(host, f"nobody {name}")


def secrets_of(folder: Path) -> list[bytes]:
    """The body of a private key, line by line, without what all of them begin with."""
    lines = folder.read_bytes().splitlines()[1:-1]
    return [line for line in lines[1:] if len(line) > 30]


def token_of(footprint: Footprint) -> bytes:
    """The token of the embedded Ray that runs with this footprint; empty: not there yet."""
    for command in footprint.processes().values():
        for word in command.replace("=", " ").split():
            session = Path(*Path(word).parts[:3])
            if session.name.startswith("loadcluster-ray-") and (session / "token").exists():
                return (session / "token").read_bytes()
    return b""


def test_a_run_writes_and_shows_no_secret(
    sshd: Sshd, tmp_path: Path, footprint: Footprint, free_port: int
) -> None:
    """Ray's token, the SSH key and the password of the session: in no file, output or argument."""
    host = sshd.spec().model_dump(exclude_none=True)
    experiment = write_experiment(
        tmp_path,
        protocol="ouch42",
        fleet="ray",
        engine={"port": free_port, "host": host, "reference": {"threads": 1}},
        load={"rates_per_s": [200], "timeout_s": 1},
    )
    env = footprint.env | {"LOADCLUSTER_PASSWORD": PASSWORD}
    process = start_loadcluster("run", str(experiment), "--json", env=env)
    token, commands = b"", set[str]()
    deadline = time.monotonic() + LIMIT_S
    while process.poll() is None and time.monotonic() < deadline:
        token = token or token_of(footprint)
        commands.update(footprint.processes().values(), sshd.footprint.processes().values())
        time.sleep(0.1)
    stdout, stderr = process.communicate(timeout=LIMIT_S)

    assert process.returncode in {0, 3}, stderr
    assert len(token) == 64
    secrets = [token, PASSWORD.encode(), *secrets_of(sshd.user_key)]
    assert len(secrets) > 3
    written = {path: path.read_bytes() for path in only_run(tmp_path).rglob("*") if path.is_file()}
    told = "\n".join([stdout, stderr, *commands]).encode()
    for secret in secrets:
        assert [path for path, content in written.items() if secret in content] == []
        assert secret not in told
    footprint.assert_gone(10)


def test_a_foreign_target_is_refused_before_anything_is_started(
    tmp_path: Path, footprint: Footprint
) -> None:
    experiment = write_experiment(tmp_path, engine={"address": "192.0.2.1", "port": 9001})

    said = loadcluster("run", str(experiment), env=footprint.env)

    assert said.exit_status == 2
    assert f"error: {experiment}:" in said.stderr
    assert "engine.address: 192.0.2.1 is outside loopback, private and link" in said.stderr
    assert "`i_am_authorized_to_load: true` beside the address" in said.stderr
    assert not (tmp_path / "runs").exists()
    footprint.assert_gone(1)


def test_one_order_by_hand_is_refused_as_well() -> None:
    said = CliRunner().invoke(protocol, ["check", "orderwire", "--against", "192.0.2.1:9001"])

    assert isinstance(said.exception, ConfigError)
    assert "192.0.2.1 is outside loopback" in said.exception.message
    assert "--i-am-authorized-to-load" in said.exception.message


def test_the_target_and_the_total_rate_are_said_before_the_start(
    tmp_path: Path, footprint: Footprint, free_port: int
) -> None:
    """Nobody listens there: the run fails, and has said what it was going to do."""
    experiment = write_experiment(
        tmp_path,
        engine={"address": "localhost", "port": free_port},
        load={"rates_per_s": [500, 70_000], "timeout_s": 1},
    )
    said = loadcluster("run", str(experiment), env=footprint.env)

    assert said.exit_status == 1
    first = said.stderr.splitlines()[0]
    assert first.startswith(f"target localhost port {free_port} (")
    assert "127.0.0.1" in first
    assert "up to 70,000/s, in all, from 1 agent over 2 connections" in first
    assert '"kind": "target"' in (only_run(tmp_path) / "events.jsonl").read_text()


def test_a_host_that_speaks_in_controls_moves_no_terminal(
    tmp_path: Path, footprint: Footprint, free_port: int
) -> None:
    engine = tmp_path / "engine"
    engine.write_text(
        "#!/bin/sh\nprintf '\\033[2J\\302\\2332J\\342\\200\\256owned\\n' >&2\nexit 3\n"
    )
    engine.chmod(0o755)
    experiment = write_experiment(tmp_path, engine={"port": free_port, "command": [str(engine)]})

    for verb in ("run", "check"):
        said = loadcluster(verb, str(experiment), env=footprint.env)

        assert said.exit_status == 1
        assert "owned" in said.stdout + said.stderr
        assert not set("\x1b\x9b\u202e") & set(said.stdout + said.stderr)


def test_a_program_with_spaces_is_put_together_right_in_the_advice(
    tmp_path: Path, footprint: Footprint, free_port: int
) -> None:
    engine = tmp_path / "my engine"
    engine.write_text("#!/bin/sh\nexit 3\n")
    engine.chmod(0o755)
    command = [str(engine), "$(touch pwned)"]
    experiment = write_experiment(tmp_path, engine={"port": free_port, "command": command})

    said = loadcluster("run", str(experiment), env=footprint.env)

    advice = f"try it by hand on local: '{engine}' '$(touch pwned)'"
    assert advice in said.stderr
    assert (
        subprocess.run(
            ["sh", "-c", advice.partition(": ")[2]], check=False, cwd=tmp_path
        ).returncode
        == 3
    )
    assert list(tmp_path.rglob("pwned")) == []
