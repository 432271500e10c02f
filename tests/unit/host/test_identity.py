from cluster.host.identity import (
    Identity,
    identity_here,
    identity_of,
    is_loopback,
    is_own_address,
    source_address,
)
from cluster.host.local import LocalHost

HOST = Identity("boot-1", "net:[1]", "time:[1]")


def test_this_machine_knows_itself() -> None:
    here = identity_here()

    assert here == identity_of(LocalHost())
    assert here.boot_id
    assert here.network.startswith("net:")
    assert here.same_host(identity_here())
    assert here.same_clock(identity_here())


def test_a_namespace_shares_the_machine_and_not_the_network() -> None:
    container = Identity("boot-1", "net:[2]", "time:[1]")

    assert container.same_machine(HOST)
    assert container.same_clock(HOST)
    assert not container.same_host(HOST)


def test_a_time_namespace_has_a_clock_of_its_own() -> None:
    assert not Identity("boot-1", "net:[1]", "time:[2]").same_clock(HOST)


def test_another_boot_is_another_machine_whatever_else_is_alike() -> None:
    other = Identity("boot-2", "net:[1]", "time:[1]")

    assert not other.same_machine(HOST)
    assert not other.same_host(HOST)
    assert not other.same_clock(HOST)


def test_what_tells_nothing_is_like_nothing() -> None:
    nobody = Identity("", "", "")

    assert not nobody.same_machine(nobody)
    assert not nobody.same_clock(nobody)
    assert not HOST.same_host(None)


def test_own_addresses_are_told_from_others() -> None:
    assert is_own_address("127.0.0.1")
    assert is_own_address("localhost")
    assert not is_own_address("192.0.2.1")  # RFC 5737: nobody has it
    assert not is_own_address("no.such.host.invalid")


def test_the_source_of_a_way_over_loopback_is_loopback() -> None:
    assert "127.0.0.1" == source_address("127.0.0.1", 9001)
    assert "" == source_address("no.such.host.invalid", 9001)


def test_loopback_is_told_by_its_address() -> None:
    assert is_loopback("127.8.9.1")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    assert not is_loopback("10.0.0.1")
    assert not is_loopback("engine")
