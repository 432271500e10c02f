import pytest

from cluster.errors import ConfigError
from cluster.experiment.reader import parse_experiment
from cluster.experiment.starter import starter_experiment


def test_the_starter_loads_as_it_is() -> None:
    experiment = parse_experiment(starter_experiment(), "starter.yaml")

    assert experiment.protocol == "orderwire"
    assert experiment.engine.reference is not None


def test_the_starter_s_alternatives_load_once_uncommented() -> None:
    text = starter_experiment().replace("  reference: {threads: 1}\n", "")
    text = text.replace("  # command:", "  command:").replace("  # host:", "  host:")
    text = text.replace("# baseline:", "baseline:")

    experiment = parse_experiment(text, "starter.yaml")

    assert experiment.engine.command == ["./trading_engine", "--port", "9001"]
    assert experiment.engine.host != "local"
    assert experiment.baseline is not None


def test_a_protocol_that_there_is_not_is_one_sentence() -> None:
    with pytest.raises(ConfigError) as raised:
        starter_experiment("orderwier")

    assert str(raised.value).startswith("--protocol: must be ")
    assert str(raised.value).endswith(", not `orderwier`; did you mean `orderwire`?")
