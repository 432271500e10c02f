"""An agent connects to the address that was checked. Names are looked up by a stand-in."""

import pytest

from cluster.fleet import target
from cluster.fleet.target import TargetError, checked_address


@pytest.fixture
def stands_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What every name stands for."""
    addresses: list[str] = []
    monkeypatch.setattr(target, "addresses_of", lambda _name: tuple(addresses))
    return addresses


def test_a_name_becomes_digits(stands_for: list[str]) -> None:
    stands_for[:] = ["10.0.0.7"]

    assert checked_address("engine", 9001, authorized=False) == "10.0.0.7"


def test_a_name_that_stands_for_something_foreign_here_is_refused(stands_for: list[str]) -> None:
    stands_for[:] = ["10.0.0.7", "8.8.8.8"]

    with pytest.raises(TargetError, match=r"engine, which is 8\.8\.8\.8, is outside"):
        checked_address("engine", 9001, authorized=False)


def test_with_authority_it_is_not(stands_for: list[str]) -> None:
    stands_for[:] = ["8.8.8.8"]

    assert checked_address("engine", 9001, authorized=True) == "8.8.8.8"


@pytest.mark.usefixtures("stands_for")
def test_a_name_that_is_not_known_here_is_said() -> None:
    with pytest.raises(TargetError, match="engine can't be resolved here"):
        checked_address("engine", 9001, authorized=False)


def test_of_several_addresses_the_first_that_listens_is_taken(
    stands_for: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stands_for[:] = ["::1", "127.0.0.1"]
    monkeypatch.setattr(target, "_listens", lambda address, _port: address == "127.0.0.1")

    assert checked_address("localhost", 9001, authorized=False) == "127.0.0.1"


def test_where_nobody_listens_the_first_is_left_to_say_so(
    stands_for: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stands_for[:] = ["::1", "127.0.0.1"]
    monkeypatch.setattr(target, "_listens", lambda _address, _port: False)

    assert checked_address("localhost", 9001, authorized=False) == "::1"
