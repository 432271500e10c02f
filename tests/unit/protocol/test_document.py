"""docs/protocols.md says what the code does: its examples compile, and no key is missing."""

import re
from collections.abc import Mapping
from typing import Any, get_args

import pytest
import yaml

from cluster.document.allowed import sections
from cluster.protocol.builtin import builtin_names, builtin_path
from cluster.protocol.compile import Compiled
from cluster.protocol.field import Checksum, ReplySource, RequestSource, TypeName
from cluster.protocol.model import KINDS, SIDES, Means, Schema
from cluster.protocol.plan_text import write_plan
from fakes.configs import ROOT, schemas
from fakes.schemas import SMALL, compiled

TEXT = (ROOT / "docs" / "protocols.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
FRAMINGS = [text for text in EXAMPLES if text.startswith("framing:")]
PARTS = [text for text in EXAMPLES if not text.startswith(("framing:", "title:"))]
SMALLEST = next(text for text in EXAMPLES if text.startswith("title:"))
# A schema whose messages go with each framing.
MESSAGES_FOR = {
    "length_prefix": "orderwire",
    "delimiter": "memcached",
    "headed": "http11",
    "resp": "resp",
    "soupbintcp": "ouch42",
    "fix": "fix44",
}


def with_parts(whole: Mapping[str, Any], parts: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with what `parts` has put in, section by section."""
    put = dict(whole)
    for key, value in parts.items():
        both = isinstance(value, dict) and isinstance(put.get(key), dict)
        put[key] = with_parts(put[key], value) if both else value
    return put


def compiled_data(data: Mapping[str, Any]) -> Compiled:
    return compiled(yaml.safe_dump(dict(data), sort_keys=False))


def messages_for(framing: object) -> dict[str, Any]:
    """A schema that is right but for its framing."""
    rule = framing if isinstance(framing, str) else next(iter(framing))  # type: ignore[call-overload]
    if rule in MESSAGES_FOR:
        return dict(yaml.safe_load(builtin_path(MESSAGES_FOR[rule]).read_text()))
    small = dict(yaml.safe_load(SMALL))
    if rule == "fixed":
        for message in (*small["requests"].values(), *small["replies"].values()):
            message["length"] = framing["fixed"]  # type: ignore[index]
    return small


def words_of(model: object) -> set[str]:
    return set(get_args(model))


def test_the_smallest_schema_compiles_and_its_plan_is_the_one_that_is_shown() -> None:
    assert f"```text\n{write_plan(compiled(SMALLEST).plan)}```" in TEXT


@pytest.mark.parametrize("example", FRAMINGS, ids=lambda text: text.split(":")[1].strip()[:12])
def test_a_framing_goes_with_messages_of_its_kind(example: str) -> None:
    framing = yaml.safe_load(example)["framing"]
    schema = messages_for(framing)
    of_replies = "replies" in schema["framing"]  # what is sent there is framed otherwise

    assert compiled_data(schema | {"framing": {"replies": framing} if of_replies else framing})


def test_every_rule_of_framing_has_an_example() -> None:
    shown = [yaml.safe_load(text)["framing"] for text in FRAMINGS]

    assert {rule if isinstance(rule, str) else next(iter(rule)) for rule in shown} == {
        *MESSAGES_FOR,
        "fixed",
        "by_type",
    }


@pytest.mark.parametrize("example", PARTS, ids=lambda text: text.split(":")[0])
def test_an_example_compiles_where_it_is_put_in(example: str) -> None:
    assert compiled_data(with_parts(yaml.safe_load(SMALLEST), yaml.safe_load(example)))


def test_every_key_of_the_model_is_explained() -> None:
    keys = {
        info.alias or name
        for _, section in sections(Schema)
        for name, info in section.model_fields.items()
    }
    words = set(re.findall(r"`([a-z_0-9.]+)", TEXT)) | set(re.findall(r"([a-z_0-9]+):", TEXT))

    assert {"framing", "ends_with", "every_s", "justify", "exponent"} <= keys
    assert keys - words == set()


def test_every_word_of_the_model_is_explained() -> None:
    words = set(re.findall(r"`([a-z_0-9]+)`", TEXT))
    known = words_of(TypeName) | words_of(RequestSource) | words_of(ReplySource)
    known |= words_of(Means) | words_of(Checksum) | {*KINDS, *SIDES}

    assert known - words == set()


def test_every_builtin_schema_is_in_the_table() -> None:
    for name in builtin_names():
        assert f"\n| `{name}` |" in TEXT


def test_every_statement_of_the_golden_plans_is_in_the_table() -> None:
    table = TEXT[TEXT.index("| statement |") :]
    shown = {span.split()[0] for span in re.findall(r"`([^`]+)`", table)}
    used = {
        line.split()[0]
        for path in (ROOT / "native" / "protocol" / "plans").glob("*.plan")
        for line in path.read_text().splitlines()
    }

    assert used - {"end"} - shown == set()


@pytest.mark.parametrize("path", schemas(), ids=lambda path: path.stem)
def test_every_schema_of_configs_compiles(path: Any) -> None:
    assert compiled(path.read_text())
