"""What `loadcluster protocol …` prints."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from cluster.cli_protocol import protocol
from cluster.errors import ConfigError
from cluster.protocol.builtin import builtin_names, builtin_path
from cluster.protocol.model import json_schema
from fakes.schemas import SMALL, bent


def printed(*arguments: str, exit_status: int = 0) -> str:
    """What the verb prints."""
    result = CliRunner().invoke(protocol, arguments)
    assert result.exit_code == exit_status, result.output
    return result.output


@pytest.mark.parametrize("name", builtin_names())
def test_a_builtin_protocol_is_shown_byte_by_byte(name: str) -> None:
    text = printed("check", name)

    assert text.splitlines()[-1].startswith("ok: ")
    assert "Requests" in text
    assert "Replies" in text


def test_every_byte_of_every_message_is_shown_with_its_field(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(SMALL)

    assert """\
enter/buy: 20 bytes
      0  00 14                    length  20 bytes of the message
      2  01                       type    1
      3  00 00 00 02              id      id 2
      7  00 00 00 00 00 01 86 a0  price   price 100000
     15  00 00 00 64              size    size 100
     19  42                       side    buy

enter/sell: 20 bytes, as enter/buy but
     19  53                       side    sell
""" in printed("check", str(path))


@pytest.mark.parametrize("name", builtin_names())
def test_the_shown_bytes_are_the_whole_message(name: str) -> None:
    shown = json.loads(printed("check", name, "--json"))

    assert shown["ok"]
    for message in [*shown["requests"], *shown["replies"]]:
        at = 0
        for field in message["fields"]:
            assert field["offset"] == at, (message["name"], field)
            at += len(field["bytes"]) // 2
        assert at == message["length"]


def test_credentials_are_masked(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    password = "price: {type: alpha, width: 3, environment: PASSWORD}"  # noqa: S105 - no password
    path.write_text(bent("price: {type: i64, value: price}", password))
    runner = CliRunner(env={"PASSWORD": "xyz"})

    for options in ([], ["--json"]):
        text = runner.invoke(protocol, ["check", str(path), *options]).output
        assert "not shown, from PASSWORD" in text
        assert "xyz" not in text
        assert b"xyz".hex(" ") not in text
        assert b"xyz".hex() not in text


def test_mistakes_are_told_for_machines_too(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(bent("type: u32, value: size", "type: u33, value: size"))

    shown = json.loads(printed("check", str(path), "--json", exit_status=2))

    assert not shown["ok"]
    assert shown["problems"][0]["line"] == 10
    assert shown["problems"][0]["key"] == "requests.enter.fields.size.type"


def test_a_name_that_there_is_not_is_one_sentence() -> None:
    result = CliRunner().invoke(protocol, ["check", "orderwier"])

    assert isinstance(result.exception, ConfigError)
    assert "did you mean `orderwire`?" in str(result.exception)


def test_protocols_are_listed_with_their_titles() -> None:
    lines = printed("list").splitlines()

    assert [line.split()[0] for line in lines] == builtin_names()
    assert any(line.startswith("orderwire") and ": The raw" in line for line in lines)


@pytest.mark.parametrize("name", builtin_names())
def test_a_builtin_file_is_printed_as_it_is(name: str) -> None:
    assert printed("show", name) == builtin_path(name).read_text()


@pytest.mark.parametrize("name", builtin_names())
def test_the_json_schema_takes_every_builtin_file(name: str) -> None:
    jsonschema.Draft202012Validator(json_schema()).validate(
        yaml.safe_load(builtin_path(name).read_text())
    )


def test_the_json_schema_refuses_what_the_compiler_refuses() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())

    assert list(validator.iter_errors(yaml.safe_load(SMALL))) == []
    for old, new in (("title", "ttle"), ("u32", "u33"), ("value: id", "value: idd")):
        assert list(validator.iter_errors(yaml.safe_load(SMALL.replace(old, new, 1))))
