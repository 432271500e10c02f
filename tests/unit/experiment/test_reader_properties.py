"""Whatever is written, the reader gives an experiment or sentences: never another exception."""

import copy
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cluster.document.allowed import sections
from cluster.errors import ConfigError
from cluster.experiment.model import Experiment
from cluster.experiment.reader import parse_experiment
from fakes.configs import experiments

CONFIGS = experiments()
TEXTS = [path.read_text() for path in CONFIGS]

# Words of pydantic and Python that no user should have to know.
JARGON = ("Input should", "pydantic", "validation", "Traceback", "literal", "dict", "NoneType")

SYNTAX = "abz019 \n\t:-[]{},&*!|>'\"%@`#?._\\\0é"
KEYS = sorted({name for _, section in sections(Experiment) for name in section.model_fields})
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["off", "on", "1e5", "01750", "1:30", "=", "<<", "~", ".nan", "<section>"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def outcome(text: str, overrides: tuple[str, ...]) -> Experiment | ConfigError:
    """What the reader makes of `text`."""
    try:
        return parse_experiment(text, "x.yaml", overrides)
    except ConfigError as error:
        return error


def reads_or_explains(text: str, *overrides: str) -> None:
    """Read; hold what is said of mistakes to what was promised."""
    read = outcome(text, overrides)
    if isinstance(read, Experiment):
        return
    assert read.problems
    for problem in read.problems:
        line = str(problem)
        assert line.startswith(("x.yaml:", "--set "))
        assert problem.sentence
        assert line.isprintable()
        assert not any(word in problem.sentence for word in JARGON)


@given(st.text())
@example('"\\UFFFFFFFF"')
@example("%YAML 1.99999")
@example("? [a]\n: b")
@example("!!set {a, b}")
@example("!<tag:yaml.org,2002:int> 0x")
@example("a: &a {<<: *a}")
def test_any_text_is_read_or_explained(text: str) -> None:
    reads_or_explains(text)


@given(st.sampled_from(TEXTS), st.data())
def test_any_damage_to_a_valid_file_is_read_or_explained(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    put = data.draw(st.text(st.sampled_from(SYNTAX), max_size=6))

    reads_or_explains(text[:start] + put + text[end:])


@given(VALUES)
def test_any_values_are_read_or_explained(value: Any) -> None:
    reads_or_explains(yaml.safe_dump(value, allow_unicode=True))


@settings(max_examples=300)
@given(st.sampled_from(TEXTS), VALUES, st.data())
def test_any_wrong_value_in_a_valid_file_is_explained(
    text: str,
    value: Any,
    data: st.DataObject,
) -> None:
    root = copy.deepcopy(yaml.safe_load(text))
    node: Any = root
    while True:
        key = data.draw(
            st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node)))
        )
        if not (isinstance(node[key], dict | list) and node[key]) or data.draw(st.booleans()):
            break
        node = node[key]
    node[key] = value

    reads_or_explains(yaml.safe_dump(root, allow_unicode=True))


@given(st.text())
@example("protocol=\x80")
@example("a[0]=1")
@example("load.rates_per_s[99999999999]=1")
def test_any_override_is_read_or_explained(override: str) -> None:
    reads_or_explains(TEXTS[0], override)


@given(st.sampled_from(KEYS), st.sampled_from(KEYS), st.text(max_size=10))
def test_any_value_of_an_override_is_read_or_explained(section: str, key: str, value: str) -> None:
    reads_or_explains(TEXTS[0], f"{section}.{key}={value}")
