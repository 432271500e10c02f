import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from cluster.cli import cli
from cluster.errors import StartFailed
from cluster.experiment.model import Ray
from cluster.fleet.ray_fleet import start_ray
from cluster.fleet.token import TokenError, make_token, require_token


def environment(path: Path) -> dict[str, str]:
    return {"RAY_AUTH_TOKEN_PATH": str(path)}


def test_a_new_token_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "ray" / "token"

    assert make_token(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(path.read_text()) == 64
    require_token(environment(path))


def test_a_token_that_is_there_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "token"
    make_token(path)
    before = path.read_text()

    assert not make_token(path)
    assert path.read_text() == before


def test_no_two_tokens_are_alike(tmp_path: Path) -> None:
    make_token(tmp_path / "a")
    make_token(tmp_path / "b")

    assert (tmp_path / "a").read_text() != (tmp_path / "b").read_text()


def test_without_a_token_the_way_to_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(TokenError, match="no token for the Ray cluster") as raised:
        require_token(environment(tmp_path / "nowhere"))

    assert str(tmp_path / "nowhere") in raised.value.message
    assert "`loadcluster token`" in raised.value.hint


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_token_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "token"
    make_token(path)
    path.chmod(mode)

    with pytest.raises(TokenError, match=f"mode {mode:o}") as raised:
        require_token(environment(path))
    assert f"chmod 600 {path}" in raised.value.hint
    with pytest.raises(TokenError, match="may be used by others"):
        make_token(path)


def test_an_empty_token_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.touch(mode=0o600)

    with pytest.raises(TokenError, match="is empty"):
        require_token(environment(path))


def test_a_token_in_the_environment_will_do(tmp_path: Path) -> None:
    require_token({"RAY_AUTH_TOKEN": "0123"} | environment(tmp_path / "nowhere"))


def test_a_cluster_is_not_joined_without_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "nowhere"))

    with pytest.raises(StartFailed, match="at auto can't be joined") as raised:
        start_ray(Ray(address="auto"), ("agent-0",))

    assert "no token for the Ray cluster" in raised.value.message


def test_the_command_prints_where_the_token_is_and_not_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a token"

    said = CliRunner().invoke(cli, ["token", "--path", str(path)])

    assert said.exit_code == 0
    assert f"made: {path}" in said.output
    assert f"< '{path}'" in said.output
    assert path.read_text() not in said.output
    assert "kept: " in CliRunner().invoke(cli, ["token", "--path", str(path)]).output
