import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.host.known_hosts import HostKey, host_label, known_keys

KEY = base64.b64encode(b"a public key").decode()
ED25519 = HostKey("ssh-ed25519", KEY)
OTHER = base64.b64encode(b"another").decode()


def hashed(name: str, salt: bytes = b"salt" * 5) -> str:
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("names", "label"),
    [
        ("engine", "engine"),
        ("Engine", "eNgine"),
        ("other,engine,10.0.0.5", "10.0.0.5"),
        ("[engine]:2222", "[engine]:2222"),
        ("*.lab", "engine.lab"),
        ("10.0.0.?", "10.0.0.5"),
        (hashed("engine"), "engine"),
        (hashed("[engine]:2222"), "[engine]:2222"),
    ],
)
def test_a_name_that_matches_is_known(names: str, label: str) -> None:
    assert {ED25519} == known_keys([f"{names} ssh-ed25519 {KEY} a comment"], label).trusted


@pytest.mark.parametrize(
    ("names", "label"),
    [
        ("engine", "engine2"),
        ("engine", "[engine]:2222"),
        ("[engine]:2222", "engine"),
        ("*.lab,!engine.lab", "engine.lab"),
        (hashed("engine"), "engine2"),
        ("|1|broken", "engine"),
        ("|1|%%|%%", "engine"),
    ],
)
def test_a_name_that_does_not_match_is_not_known(names: str, label: str) -> None:
    assert frozenset() == known_keys([f"{names} ssh-ed25519 {KEY}"], label).trusted


def test_a_revoked_key_is_not_trusted_even_if_it_stands_there_twice() -> None:
    lines = [f"engine ssh-ed25519 {KEY}", f"@revoked * ssh-ed25519 {KEY}"]

    known = known_keys(lines, "engine")

    assert (frozenset(), {ED25519}) == (known.trusted, known.revoked)


def test_a_certificate_authority_is_no_host_key() -> None:
    known = known_keys([f"@cert-authority * ssh-ed25519 {KEY}"], "engine")

    assert (frozenset(), frozenset()) == (known.trusted, known.revoked)


def test_all_keys_of_a_host_are_kept() -> None:
    lines = [f"engine ssh-ed25519 {KEY}", "# engine ssh-rsa X", "", f"engine ssh-rsa {OTHER}"]

    assert {ED25519, HostKey("ssh-rsa", OTHER)} == known_keys(lines, "engine").trusted


def test_a_fingerprint_is_written_as_ssh_keygen_writes_it() -> None:
    # echo -n 'a public key' | sha256sum | xxd -r -p | base64
    digest = base64.b64encode(hashlib.sha256(b"a public key").digest()).decode()

    assert f"SHA256:{digest.rstrip('=')}" == ED25519.fingerprint


def test_only_another_port_is_named() -> None:
    assert ["engine", "[engine]:2222"] == [host_label("engine", 22), host_label("engine", 2222)]


@given(st.lists(st.text(max_size=80)))
def test_no_text_is_too_strange(lines: list[str]) -> None:
    known = known_keys(lines, "engine.lab")

    assert known.trusted.isdisjoint(known.revoked)
