import re
from pathlib import Path

import pytest

import cluster
from cluster.document.allowed import sections
from cluster.document.path import format_path
from cluster.experiment.model import Experiment
from cluster.experiment.reader import load_experiment, parse_experiment
from cluster.experiment.reference import fill_tables, key_tables
from fakes.configs import experiments

ROOT = Path(cluster.__file__).parents[1]
CONFIGS = experiments()
DOCUMENT = (ROOT / "docs" / "configuration.md").read_text()

KEY = re.compile(r"(?P<before>\s*(?:# )?\s*)(?P<key>[a-z_0-9]+):(?P<value>[^#]*)(?P<comment>#.*)?$")


def explained_keys(text: str) -> set[str]:
    """The keys of a file, also commented-out ones, that a comment explains.

    The comment stands behind the key, or on the line or lines right before it.
    """
    explained: set[str] = set()
    path: list[tuple[int, str]] = []
    comment_before = False
    for line in text.splitlines():
        found = KEY.fullmatch(line)
        if found is None:
            comment_before = line.strip().startswith("#")
            continue
        # A commented-out key stands where it would without its `# `.
        indent = len(found["before"].replace("# ", ""))
        path = [*(entry for entry in path if entry[0] < indent), (indent, found["key"])]
        if found["comment"] or comment_before:
            explained.add(".".join(key for _, key in path))
        comment_before = False
    return explained


def test_the_tables_of_the_documentation_are_those_of_the_model() -> None:
    """When this fails, `make fix` writes them anew."""
    assert fill_tables(DOCUMENT) == DOCUMENT


@pytest.mark.parametrize("section", key_tables())
def test_every_key_is_documented(section: str) -> None:
    assert f"<!-- keys of {section} -->\n{key_tables()[section]}" in DOCUMENT


def test_the_examples_of_the_documentation_load() -> None:
    examples = re.findall(r"```yaml\n(name: .*?)```", DOCUMENT, re.DOTALL)

    assert examples
    for example in examples:
        parse_experiment(example, "configuration.md")


def test_the_configs_together_explain_every_key() -> None:
    explained = set[str]()
    for name in ("quickstart", "sustained", "replay", "believable"):
        explained |= explained_keys((ROOT / "configs" / f"{name}.yaml").read_text())

    keys = {
        format_path((*path, name))
        for path, section in sections(Experiment)
        for name in section.model_fields
    }
    assert keys - explained == set()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_loads_under_its_own_name(path: Path) -> None:
    assert load_experiment(path).name == path.stem


def test_the_quickstart_takes_well_under_two_minutes() -> None:
    experiment = load_experiment(ROOT / "configs" / "quickstart.yaml")
    assert experiment.profile != "off"

    levels = len(experiment.load.rates_per_s) + 1
    measure = experiment.measure
    level_s = measure.warmup_s + measure.control_s + experiment.profile.window_s + measure.drain_s

    assert levels * level_s <= 60


def test_sustained_is_the_first_test_of_an_engine() -> None:
    experiment = load_experiment(ROOT / "configs" / "sustained.yaml")

    assert experiment.load.rates_per_s == [100_000]
    assert experiment.measure.control_s >= 60
    assert experiment.baseline is not None
    assert experiment.baseline.throughput_per_s == 946
