"""deploy/cluster.sh against one host behind a real sshd: installing, the token, Ray up and down."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.cluster_site import Site, bundle_of, command_lines, listening
from integration.deploying import ROOT, script
from integration.sshd import Sshd, descendants

pytestmark = pytest.mark.integration


@pytest.fixture
def site(own_sshd: Sshd, tmp_path: Path) -> Iterator[Site]:
    found = Site(own_sshd, tmp_path)
    yield found
    if (found.installed / "deploy").is_dir():
        found.run("remove")


def test_a_bundle_is_installed_once_and_a_changed_one_replaces_it(site: Site) -> None:
    bundle = bundle_of(site.directory / "bundle", "1.0")
    first = site.run("install", "--bundle", bundle)
    again = site.run("install", "--bundle", bundle)
    changed = site.run("install", "--bundle", bundle_of(bundle, "1.1"))
    status = site.run("status")

    assert (first.returncode, again.returncode, changed.returncode) == (0, 0, 0), first.stdout
    assert "host-1: installed: loadcluster 1.0, ray 2.60.0, Python 3." in first.stdout
    assert "host-1: is installed: loadcluster 1.0" in again.stdout
    assert "host-1: installed: loadcluster 1.1" in changed.stdout
    assert "host-1: stopped; loadcluster 1.1" in status.stdout


@pytest.fixture
def homes(tmp_path: Path) -> dict[str, str]:
    """An environment in which `ssh a`, `ssh b` and `ssh c` are shells in three home directories."""
    for login in "abc":
        (tmp_path / "homes" / login).mkdir(parents=True)
    tools = tmp_path / "tools"
    tools.mkdir()
    ssh = tools / "ssh"
    ssh.write_text(
        "#!/bin/bash\nwhile [[ $1 != -- ]]; do shift; done\n"
        f'export HOME={tmp_path}/homes/$2; cd && exec sh -c "$3"\n'
    )
    ssh.chmod(0o755)
    (tmp_path / "hosts").write_text("head a 10.0.0.1\nload b 10.0.0.2\nload c 10.0.0.3\n")
    return {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(tmp_path)}


def test_a_host_with_another_version_is_seen(tmp_path: Path, homes: dict[str, str]) -> None:
    def run(verb: str, hosts: str, *options: object) -> "subprocess.CompletedProcess[str]":
        return script("cluster.sh", verb, tmp_path / hosts, *options, environment=homes)

    (tmp_path / "two").write_text("head a 10.0.0.1\nload c 10.0.0.3\n")
    (tmp_path / "one").write_text("head c 10.0.0.3\n")
    installed = run("install", "two", "--bundle", bundle_of(tmp_path / "bundle", "1.0"))
    same = run("status", "two")
    run("install", "one", "--bundle", bundle_of(tmp_path / "bundle", "1.1"))
    differing = run("status", "two")
    run("remove", "one")
    missing = run("status", "two")

    assert installed.returncode == 0, installed.stdout
    assert same.returncode == 0
    assert len(same.stdout.splitlines()) == 2
    assert differing.returncode == 1
    assert "c: stopped; loadcluster 1.1" in differing.stdout
    assert "the hosts have not all the same" in differing.stderr
    assert missing.returncode == 1
    assert "c: not installed, or not to be reached" in missing.stdout


def test_a_token_reaches_every_host_and_a_new_one_replaces_it(
    tmp_path: Path, homes: dict[str, str]
) -> None:
    for login in "abc":
        shutil.copytree(ROOT / "deploy", tmp_path / "homes" / login / "loadcluster" / "deploy")
    stale = tmp_path / "homes" / "b" / ".ray" / "auth_token"
    stale.parent.mkdir()
    stale.write_text("another-clusters-token-0123456789abcdef")

    first = script("cluster.sh", "token", tmp_path / "hosts", environment=homes)
    kept = stale.read_text()
    replaced = script("cluster.sh", "token", tmp_path / "hosts", "--new", environment=homes)
    tokens = [path.read_text() for path in sorted(tmp_path.rglob("auth_token"))]

    assert first.returncode == 1
    assert "b: host: " in first.stdout
    assert "holds another token" in first.stdout
    assert kept.startswith("another-clusters-token")
    assert replaced.returncode == 0
    assert len(tokens) == 4  # three hosts, and the one here
    assert len(set(tokens)) == 1
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.rglob("auth_token"))


def test_before_anything_is_installed_each_host_says_so(
    tmp_path: Path, homes: dict[str, str]
) -> None:
    done = script("cluster.sh", "start", tmp_path / "hosts", environment=homes)

    assert done.returncode == 1
    assert "a: cluster: nothing is in loadcluster there: install brings it" in done.stdout
    assert "the head did not start" in done.stderr


def test_the_head_may_be_the_machine_one_types_on(tmp_path: Path, homes: dict[str, str]) -> None:
    (tmp_path / "here").write_text("head local 127.0.0.1\n")
    shutil.copytree(ROOT / "deploy", tmp_path / "loadcluster" / "deploy")
    done = script("cluster.sh", "stop", tmp_path / "here", environment=homes)

    assert (done.returncode, done.stdout) == (0, "local: stopped: nothing\n")


def test_a_bundle_that_arrives_damaged_is_not_installed(site: Site) -> None:
    bundle = bundle_of(site.directory / "bundle", "1.0")
    (bundle / "requirements.txt").write_text("ray\n")
    done = site.run("install", "--bundle", bundle)

    assert done.returncode == 1
    assert "the bundle did not arrive whole" in done.stdout
    assert not (site.installed / "venv").exists()


def test_removing_leaves_nothing_but_what_others_put_there(site: Site) -> None:
    site.install_by_hand()
    (site.installed / "notes").write_text("mine")
    done = site.run("remove")

    assert done.returncode == 0
    assert [path.name for path in site.installed.iterdir()] == ["notes"]
    assert "holds other files and stays" in done.stdout


class TestToken:
    def test_it_is_made_once_kept_private_and_never_shown(self, site: Site) -> None:
        site.install_by_hand()
        first = site.run("token")
        token = site.token.read_text()
        again = site.run("token")

        assert (first.returncode, again.returncode) == (0, 0), first.stdout + first.stderr
        assert len(token) == 64
        assert site.token.read_text() == token
        assert site.token.stat().st_mode & 0o777 == 0o600
        assert site.token.parent.stat().st_mode & 0o777 == 0o700
        for done in (first, again):
            assert token not in done.stdout + done.stderr

    def test_it_travels_on_standard_input(self, site: Site) -> None:
        """The host's side by itself, where the file is another one than here."""
        site.install_by_hand()
        there = site.directory / "there" / "auth_token"
        given = "0123456789abcdef" * 4

        def hand_over(token: str, replace: str = "keep") -> "subprocess.CompletedProcess[str]":
            host = site.installed / "deploy" / "on-host.sh"
            command = ["bash", str(host), "token", str(site.installed), str(there), replace]
            return subprocess.run(
                command, input=token, capture_output=True, text=True, timeout=30, check=False
            )

        assert hand_over(given).returncode == 0
        assert there.read_text() == given
        assert there.stat().st_mode & 0o777 == 0o600
        assert "has the token\n" in hand_over(given).stdout
        other = hand_over(given[::-1])
        assert other.returncode == 1
        assert "holds another token" in other.stderr
        assert given not in other.stderr
        assert there.read_text() == given
        assert hand_over(given[::-1], "yes").returncode == 0
        assert there.read_text() == given[::-1]
        assert "what came is no token" in hand_over("x; rm -rf /").stderr

    def test_one_that_others_may_read_is_refused(self, site: Site) -> None:
        site.install_by_hand()
        site.token.parent.mkdir()
        site.token.write_text("0123456789abcdef" * 4)
        site.token.chmod(0o644)
        done = site.run("token")

        assert done.returncode == 1
        assert "others may read it" in done.stderr


def test_ray_is_started_once_answers_only_the_token_and_ends_whole(site: Site) -> None:
    site.install_by_hand()
    without = site.run("start")
    site.run("token")
    first = site.run("start")
    again = site.run("start")
    status = site.run("status")
    # Another token than the cluster's must not get in.
    other = site.directory / "other"
    other.write_text("f" * 64)
    address = f"127.0.0.1:{site.port}"
    asked = {
        name: subprocess.run(
            [sys.executable, "-m", "ray.scripts.scripts", "status", f"--address={address}"],
            env={**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for name, token in (("right", site.token), ("wrong", other))
    }
    commands = command_lines()
    pid = int((site.installed / "ray.pid").read_text().split()[0])
    ports = listening([pid, *descendants(pid)])
    stopped = site.run("stop")

    assert without.returncode == 1
    assert "there is no token" in without.stdout
    assert (first.returncode, again.returncode) == (0, 0), first.stdout + first.stderr
    assert "host-1: runs (pid " in first.stdout
    assert "host-1: runs already (pid " in again.stdout
    assert "host-1: runs (pid " in status.stdout
    assert asked["right"].returncode == 0, asked["right"].stderr
    assert asked["wrong"].returncode != 0
    token = site.token.read_text()
    assert not [line for line in commands if token in line]
    assert any(f"--port={site.port}" in line for line in commands)
    assert {site.port, site.port + 1, site.port + 2} <= ports
    assert all(port in range(site.port, site.port + 7) or 10_100 <= port < 11_000 for port in ports)
    assert stopped.returncode == 0
    assert f":{site.port}" not in " ".join(command_lines())
    assert str(site.installed) not in " ".join(command_lines())
    assert "host-1: stopped: nothing" in site.run("stop").stdout


def test_a_host_whose_key_is_not_known_is_refused(site: Site, own_sshd: Sshd) -> None:
    own_sshd.know()
    site.install_by_hand()
    done = site.run("stop")

    assert done.returncode == 1
    assert "Host key verification failed" in done.stdout


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("load a 10.0.0.1\n", "no line says `head LOGIN ADDRESS`"),
        ("head a 10.0.0.1\nhead b 10.0.0.2\n", "hosts:2: a second head; a is the first"),
        ("head a 10.0.0.1\nload a 10.0.0.2\n", "hosts:2: a is there twice"),
        ("head a\n", "hosts:1: write `head LOGIN ADDRESS`"),
        ("head $(id) 10.0.0.1\n", "hosts:1: $(id) is no login"),
        ("head -oProxyCommand=id 10.0.0.1\n", "is no login"),
        ("head a 10.0.0.1;id\n", "hosts:1: 10.0.0.1;id is no address"),
        ("port 80\n", "hosts:1: port 80 is no port above 1023"),
    ],
)
def test_a_hosts_file_is_refused_with_its_line(tmp_path: Path, lines: str, words: str) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(lines)
    done = script("cluster.sh", "status", hosts)

    assert done.returncode == 1
    assert words in done.stderr
