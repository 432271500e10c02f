from pathlib import Path

import pytest

from cluster.errors import ConnectionFailed
from cluster.experiment.model import SshHost as SshSpec
from cluster.host.known_hosts import HostKey, KnownKeys
from cluster.host.ssh_advice import judge_host_key, key_refused, unreachable
from cluster.host.ssh_target import Settings, SshTarget, jump_spec, resolve

KEY = HostKey("ssh-ed25519", "YSBrZXk=")
OTHER = HostKey("ssh-ed25519", "b3RoZXI=")
RSA = HostKey("ssh-rsa", "b3RoZXI=")


def target(settings: Settings | None = None, **spec: object) -> SshTarget:
    return resolve(SshSpec.model_validate({"ssh": "engine", "user": "me"} | spec), settings or {})


def known(*trusted: HostKey, revoked: tuple[HostKey, ...] = ()) -> KnownKeys:
    return KnownKeys(frozenset(trusted), frozenset(revoked))


def test_the_configuration_fills_what_the_experiment_leaves_out() -> None:
    settings: Settings = {
        "hostname": "10.0.0.5",
        "port": "2222",
        "identityfile": ["/keys/a", "/keys/b"],
        "identitiesonly": "yes",
        "userknownhostsfile": "/known/a /known/b",
    }

    found = target(settings)

    assert ("engine", "10.0.0.5", 2222, "me") == (found.alias, found.host, found.port, found.user)
    assert (Path("/keys/a"), Path("/keys/b")) == found.identity_files
    assert found.identities_only
    assert (Path("/known/a"), Path("/known/b")) == found.known_hosts_files[:2]
    assert "[10.0.0.5]:2222" == found.known_as


def test_the_experiment_wins_over_the_configuration() -> None:
    settings: Settings = {
        "port": "2222",
        "user": "other",
        "identityfile": ["/keys/a"],
        "userknownhostsfile": "/known/a",
    }

    found = target(settings, port=22, identity_file="/keys/mine", known_hosts_file="/known/mine")

    assert (22, "me", (Path("/keys/mine"),)) == (found.port, found.user, found.identity_files)
    assert (Path("/known/mine"),) == found.known_hosts_files
    assert "engine" == found.known_as


def test_a_user_may_stand_before_the_host() -> None:
    found = target(None, ssh="you@engine", user=None)

    assert ("you", "engine") == (found.user, found.host)


def test_a_host_key_alias_is_how_the_host_is_known() -> None:
    assert "lab" == target({"hostkeyalias": "lab"}).known_as


def test_a_proxy_command_is_refused_with_what_to_use() -> None:
    with pytest.raises(ConnectionFailed, match="ProxyCommand") as caught:
        target({"proxycommand": "nc %h %p"})

    assert "use ProxyJump" == caught.value.hint


@pytest.mark.parametrize(
    ("jump", "host", "port"),
    [
        ("gate", "gate", None),
        ("me@gate:2222", "me@gate", 2222),
        ("ssh://gate:22", "gate", 22),
    ],
)
def test_a_jump_is_the_hop_before(jump: str, host: str, port: int | None) -> None:
    spec = SshSpec(ssh="engine", known_hosts_file="/known", identity_file="/key")

    hop = jump_spec(resolve(spec, {"proxyjump": jump}), spec)

    assert (host, port, "/known", None) == (
        hop.ssh,
        hop.port,
        hop.known_hosts_file,
        hop.identity_file,
    )


def test_several_jumps_are_refused_with_what_to_do() -> None:
    spec = SshSpec(ssh="engine")

    with pytest.raises(ConnectionFailed, match="over several hosts"):
        jump_spec(resolve(spec, {"proxyjump": "a,b"}), spec)


def test_jump_none_means_no_jump() -> None:
    assert "" == target({"proxyjump": "none"}).jump


def test_a_known_key_is_accepted() -> None:
    judge_host_key(target(), KEY, known(KEY, OTHER))


@pytest.mark.parametrize(
    ("trusted", "said"),
    [
        (known(), "is not known: ssh-ed25519 SHA256:"),
        (known(RSA), "is not known: ssh-ed25519 SHA256:"),
        (known(OTHER), "has changed"),
        (known(OTHER, revoked=(KEY,)), "marked @revoked"),
    ],
)
def test_any_other_key_is_refused(trusted: KnownKeys, said: str) -> None:
    with pytest.raises(ConnectionFailed, match=said):
        judge_host_key(target(), KEY, trusted)


def test_advice_names_port_host_and_file() -> None:
    place = target(None, port=2222, known_hosts_file="/known")

    with pytest.raises(ConnectionFailed) as caught:
        judge_host_key(place, KEY, known())

    assert "`ssh-keyscan -p 2222 -t ed25519 engine >> /known`" in caught.value.hint
    assert "ssh_host_ed25519_key.pub" in caught.value.hint


def test_a_refused_login_lists_what_was_offered_and_what_was_not_usable() -> None:
    error = key_refused(target(), ["/key/a", "me@agent"], ["/key/b (has a passphrase)"])

    assert "(offered: /key/a, me@agent; not usable: /key/b (has a passphrase))" in error.message
    assert "(offered: none was found)" in key_refused(target(), [], []).message


def test_an_unreachable_host_is_told_in_plain_words() -> None:
    said = [
        unreachable(target(), error).message
        for error in (
            TimeoutError("timed out"),
            ConnectionRefusedError(111, "Connection refused"),
            OSError(113, "No route to host"),
        )
    ]

    assert [
        "engine: engine port 22 did not answer in 10 s",
        "engine: engine port 22 refused the connection",
        "engine: engine port 22 can't be reached: No route to host",
    ] == said
