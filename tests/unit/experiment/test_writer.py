from pathlib import Path

import jsonschema  # type: ignore[import-untyped] # its stubs are no dependency
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cluster.document.allowed import sections
from cluster.experiment.model import Agents, Baseline, Cpus, Engine, Experiment, Load, SshHost
from cluster.experiment.reader import load_experiment, parse_experiment
from cluster.experiment.writer import dump_experiment, json_schema
from fakes.configs import experiments

CONFIGS = experiments()
LINES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
ARGUMENTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"))
RATES = st.lists(st.floats(1, 1e9), min_size=1, max_size=4, unique=True).map(sorted)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_what_was_run_is_read_back_equal(path: Path) -> None:
    experiment = load_experiment(path)

    assert parse_experiment(dump_experiment(experiment), "as run") == experiment


@given(
    LINES,
    RATES,
    st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=1),
)
def test_any_text_and_any_rate_are_read_back_equal(
    text: str, rates_per_s: list[float], command: list[str]
) -> None:
    experiment = Experiment(
        name="1e5",
        engine=Engine(command=command, host=SshHost(ssh="a", identity_file=text)),
        agents=Agents(count=2),
        cpus=Cpus(engine=[0], agents=[[1], []]),
        load=Load(rates_per_s=rates_per_s),
        profile="off",
        baseline=Baseline(name=text, throughput_per_s=0.5),
        output_directory=text,
    )

    assert parse_experiment(dump_experiment(experiment), "as run") == experiment


def test_defaults_are_filled_in_and_numbers_read_well() -> None:
    text = dump_experiment(Experiment(name="x", load=Load(rates_per_s=[1000, 2000.5])))

    assert "rates_per_s: [1000, 2000.5]" in text
    assert "\n  port: 9001\n" in text
    assert "\nbaseline: null\n" in text


def test_the_schema_describes_every_key() -> None:
    schema = json_schema()

    for path, section in sections(Experiment):
        where = schema if not path else schema["$defs"][section.__name__]
        for name in section.model_fields:
            assert where["properties"][name].get("description"), (*path, name)


def test_the_schema_is_one_and_takes_the_configs() -> None:
    schema = json_schema()

    jsonschema.Draft202012Validator.check_schema(schema)
    for path in CONFIGS:
        jsonschema.validate(yaml.safe_load(path.read_text()), schema)


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    wrong = {"name": "x", "load": {"rates_per_s": [0]}}

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, json_schema())
