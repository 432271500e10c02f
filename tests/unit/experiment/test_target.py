"""Where load may go. No name is looked up here: what it stands for is given."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cluster.errors import ConfigError
from cluster.experiment import reader, target
from cluster.experiment.model import Experiment
from cluster.experiment.reader import load_experiment
from cluster.experiment.target import addresses_of, is_permitted, refusal, require_permitted

PERMITTED = [
    "127.0.0.1",
    "127.255.255.254",
    "::1",
    "0.0.0.0",  # noqa: S104 - not bound
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.10.10",
    "fe80::1",
    "fe80::1%eth0",
    "fd00::1",
    "fc00::1",
    "::ffff:10.0.0.1",
]
REFUSED = [
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "2001:db8::1",
    "64:ff9b::a00:1",
    "2002:a00:1::1",
    "fec0::1",
    "ff02::1",
    "::ffff:8.8.8.8",
]


@pytest.mark.parametrize("address", PERMITTED)
def test_this_machine_private_networks_and_the_link_are_permitted(address: str) -> None:
    assert is_permitted(address)


@pytest.mark.parametrize("address", REFUSED)
def test_everything_else_is_not(address: str) -> None:
    assert not is_permitted(address)


def test_one_foreign_address_of_a_name_is_enough() -> None:
    why = refusal("engine", ["10.0.0.1", "8.8.8.8"])

    assert why.startswith("engine, which is 8.8.8.8, is outside loopback, private and link-local")


def test_a_name_that_stands_for_nothing_here_is_not_refused() -> None:
    assert refusal("engine", []) == ""


@pytest.mark.parametrize(
    ("written", "digits"),
    [("8.8", "8.0.0.8"), ("0x8.8", "8.0.0.8"), ("134744072", "8.8.8.8"), ("127.1", "127.0.0.1")],
)
def test_an_address_in_another_spelling_is_the_address(written: str, digits: str) -> None:
    """As the C library reads it: no name is asked for."""
    assert addresses_of(written) == (digits,)


def test_a_name_has_addresses_and_an_unknown_one_has_none() -> None:
    assert "127.0.0.1" in addresses_of("localhost")
    assert addresses_of("192.0.2.1") == ("192.0.2.1",)
    assert addresses_of("no.such.host.invalid") == ()


def experiment(**engine: object) -> Experiment:
    return Experiment.model_validate(
        {"name": "x", "engine": engine, "load": {"rates_per_s": [1_000]}}
    )


def test_the_driver_refuses_what_a_name_stands_for() -> None:
    with pytest.raises(ConfigError) as raised:
        require_permitted(experiment(address="engine"), lambda _: ("8.8.8.8",))

    (problem,) = raised.value.problems
    assert problem.key == "engine.address"
    assert "8.8.8.8" in problem.sentence
    assert "`i_am_authorized_to_load: true` beside the address" in problem.sentence


def test_with_authority_it_may_go_anywhere() -> None:
    authorized = experiment(address="engine", i_am_authorized_to_load=True)

    assert require_permitted(authorized, lambda _: ("8.8.8.8",)) == ("8.8.8.8",)


@pytest.fixture
def stands_for(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Decides what every name stands for when a file is read."""

    def decide(address: str) -> None:
        def misplaced(engine: object, places: object) -> Sequence[object]:
            return target.misplaced(engine, places, lambda _: (address,))  # type: ignore[arg-type]

        monkeypatch.setattr(reader, "misplaced", misplaced)

    return decide


FILE = "name: x\nengine:\n  port: 9001\n  address: engine.example\nload: {rates_per_s: [1]}\n"
KEY = "engine.i_am_authorized_to_load"


def problem_of(path: Path, *overrides: str) -> str:
    with pytest.raises(ConfigError) as raised:
        load_experiment(path, overrides)
    (problem,) = raised.value.problems
    return str(problem)


def test_a_file_with_a_foreign_target_is_refused_with_its_line(
    stands_for: Callable[[str], None], tmp_path: Path
) -> None:
    stands_for("8.8.8.8")
    path = tmp_path / "x.yaml"
    path.write_text(FILE)

    assert problem_of(path).startswith(f"{path}:4: engine.address: engine.example, which is 8.8.8")


def test_authority_in_the_file_is_for_the_address_of_the_file(
    stands_for: Callable[[str], None], tmp_path: Path
) -> None:
    stands_for("8.8.8.8")
    path = tmp_path / "x.yaml"
    path.write_text(FILE.replace("  port", "  i_am_authorized_to_load: true\n  port"))

    assert load_experiment(path).engine.i_am_authorized_to_load
    assert "was said of another address: say it as another --set" in problem_of(
        path, "engine.address=other.example"
    )
    assert load_experiment(path, ["engine.address=other.example", f"{KEY}=true"])


def test_authority_by_set_is_not_for_the_address_of_the_file(
    stands_for: Callable[[str], None], tmp_path: Path
) -> None:
    stands_for("8.8.8.8")
    path = tmp_path / "x.yaml"
    path.write_text(FILE)

    assert "say it in the file" in problem_of(path, f"{KEY}=true")


def test_a_private_target_needs_no_authority(
    stands_for: Callable[[str], None], tmp_path: Path
) -> None:
    stands_for("10.1.2.3")
    path = tmp_path / "x.yaml"
    path.write_text(FILE)

    assert load_experiment(path).engine.address == "engine.example"
