"""What can go wrong when SSH is opened, and what the user is told."""

import getpass
import socket
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from cluster.errors import ConnectionFailed
from cluster.host.connect import open_host
from integration.sshd import Sshd, why_not

pytestmark = pytest.mark.integration


def new_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def fingerprint(key: Path) -> str:
    command = ["ssh-keygen", "-lf", str(key.with_suffix(".pub"))]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[1]


def test_an_unknown_host_key_is_refused_with_its_fingerprint(sshd: Sshd, tmp_path: Path) -> None:
    with pytest.raises(ConnectionFailed, match="is not known") as caught:
        open_host(sshd.spec(known_hosts_file=str(tmp_path / "empty")))

    assert fingerprint(sshd.host_keys[0]) in caught.value.message
    assert f"ssh-keyscan -p {sshd.port} -t ed25519 127.0.0.1" in caught.value.hint
    assert str(tmp_path / "empty") in caught.value.hint


def test_a_changed_host_key_is_refused_with_both_fingerprints(sshd: Sshd, tmp_path: Path) -> None:
    other = new_key(tmp_path / "other")
    known = tmp_path / "known_hosts"
    key = other.with_suffix(".pub").read_text()
    known.write_text(f"[127.0.0.1]:{sshd.port} {key}")

    with pytest.raises(ConnectionFailed, match="has changed") as caught:
        open_host(sshd.spec(known_hosts_file=str(known)))

    assert fingerprint(sshd.host_keys[0]) in caught.value.message
    assert fingerprint(other) in caught.value.message
    assert f"ssh-keygen -R '[127.0.0.1]:{sshd.port}'" in caught.value.hint


def test_a_hashed_known_hosts_is_understood(sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_bytes(sshd.known_hosts.read_bytes())
    command = ["ssh-keygen", "-H", "-f", str(known)]
    subprocess.run(command, check=True, capture_output=True)

    with closing(open_host(sshd.spec(known_hosts_file=str(known)))) as host:
        assert host.run(["true"]).ok
    assert known.read_text().startswith("|1|")


def test_a_host_with_several_keys_is_known_by_any_of_them(tmp_path: Path) -> None:
    if reason := why_not():
        pytest.skip(reason)
    with Sshd(tmp_path, host_keys=("ed25519", "ecdsa", "rsa")) as server:
        for key in server.host_keys:
            server.know(key)
            with closing(open_host(server.spec())) as host:
                assert host.run(["true"]).ok


def test_a_refused_key_is_told_with_what_was_offered(sshd: Sshd, tmp_path: Path) -> None:
    key = new_key(tmp_path / "stranger")
    config = tmp_path / "config"
    config.write_text("Host *\n  IdentitiesOnly yes\n")

    with pytest.raises(ConnectionFailed, match="refused every key") as caught:
        open_host(sshd.spec(identity_file=str(key), config_file=str(config)))

    assert f"(offered: {key})" in caught.value.message
    assert "ssh-copy-id" in caught.value.hint


def test_a_key_that_cannot_be_used_is_told_with_the_reason(sshd: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host *\n  IdentitiesOnly yes\n")
    locked = new_key(tmp_path / "locked", passphrase="secret")  # noqa: S106 - opens nothing
    no_key = tmp_path / "no_key"
    no_key.write_text("nothing")
    missing = tmp_path / "missing"

    for key, reason in (
        (locked, "has a passphrase"),
        (no_key, "not a private key"),
        (missing, "No such file or directory"),
    ):
        with pytest.raises(ConnectionFailed, match="refused every key") as caught:
            open_host(sshd.spec(identity_file=str(key), config_file=str(config)))

        assert f"not usable: {key} ({reason})" in caught.value.message


def test_a_port_where_nothing_listens_is_told(sshd: Sshd) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

        with pytest.raises(ConnectionFailed, match=f"port {port} refused the connection"):
            open_host(sshd.spec(port=port))


def test_a_name_that_does_not_resolve_is_told(sshd: Sshd) -> None:
    with pytest.raises(ConnectionFailed, match=r"no-such-host\.invalid can't be resolved"):
        open_host(sshd.spec(ssh="no-such-host.invalid"))


def test_a_port_that_accepts_and_says_nothing_is_given_up(sshd: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        with pytest.raises(ConnectionFailed, match="no SSH session with"):
            open_host(sshd.spec(port=port, timeout_s=0.5))


def test_a_port_that_speaks_something_else_is_told(sshd: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ConnectionFailed, match="no SSH session with"):
            open_host(sshd.spec(port=server.getsockname()[1], timeout_s=2))
        thread.join()


def test_ssh_config_gives_address_port_user_and_key(sshd: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "Host my-engine\n"
        f"  HostName 127.0.0.1\n  Port {sshd.port}\n  User {getpass.getuser()}\n"
        f"  IdentityFile {sshd.user_key}\n  UserKnownHostsFile {sshd.known_hosts}\n"
    )
    spec = sshd.spec(
        ssh="my-engine",
        user=None,
        port=None,
        identity_file=None,
        known_hosts_file=None,
        config_file=str(config),
    )

    with closing(open_host(spec)) as host:
        assert "my-engine" == host.name
        assert host.run(["true"]).ok


def test_a_jump_host_is_gone_through_and_verified(sshd: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        f"Host *\n  IdentityFile {sshd.user_key}\n"
        "Host behind\n  HostName 127.0.0.1\n"
        f"  ProxyJump {getpass.getuser()}@127.0.0.1:{sshd.port}\n"
    )

    with closing(open_host(sshd.spec(ssh="behind", config_file=str(config)))) as host:
        client = host.run(["sh", "-c", "echo $SSH_CONNECTION"]).stdout.split()[0]
        assert host.run(["true"]).ok

    assert "127.0.0.1" == client
    with pytest.raises(ConnectionFailed, match=f"127.0.0.1]:{sshd.port} is not known"):
        open_host(
            sshd.spec(
                ssh="behind",
                config_file=str(config),
                known_hosts_file=str(tmp_path / "nothing"),
            )
        )


def test_a_jump_to_itself_ends(sshd: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(f"Host *\n  ProxyJump 127.0.0.1:{sshd.port}\n")

    with pytest.raises(ConnectionFailed, match="round in circles"):
        open_host(sshd.spec(config_file=str(config)))


def test_a_broken_ssh_config_is_told(sshd: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host *\n  nonsense\n")

    for file in (config, tmp_path / "missing", tmp_path):
        with pytest.raises(ConnectionFailed, match="can't be used"):
            open_host(sshd.spec(config_file=str(file)))


def test_nothing_of_a_failed_connection_is_left(sshd: Sshd, tmp_path: Path) -> None:
    before = {thread.name for thread in threading.enumerate()}

    with pytest.raises(ConnectionFailed):
        open_host(sshd.spec(known_hosts_file=str(tmp_path / "empty")))

    for thread in threading.enumerate():
        if thread.name not in before:
            thread.join(10)
            assert not thread.is_alive()


def test_a_closed_connection_is_told(own_sshd: Sshd) -> None:
    with closing(open_host(own_sshd.spec())) as host:
        own_sshd.cut_connections()

        with pytest.raises(ConnectionFailed, match="lost"):
            host.run(["true"])
        with pytest.raises(ConnectionFailed, match="lost"):
            host.put(b"", "/nowhere")
