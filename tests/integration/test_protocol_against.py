"""`loadcluster protocol check … --against …`, against the reference engine and against nobody."""

import json
import socket
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from cluster.cli_protocol import protocol
from cluster.errors import EngineError
from integration.running import Running, running_engine

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def engine() -> Iterator[Running]:
    with running_engine() as running:
        yield running


def test_the_reference_engine_speaks_orderwire(engine: Running) -> None:
    result = CliRunner().invoke(
        protocol, ["check", "orderwire", "--against", f"127.0.0.1:{engine.port}", "--json"]
    )
    said = json.loads(result.output)

    assert result.exit_code == 0
    assert said["troubles"] == []
    assert [line.split(":")[1].strip() for line in said["log"] if line.startswith("came")] == [
        "accepted",
        "cancelled",
    ]


def test_the_reference_engine_does_not_speak_ouch(engine: Running) -> None:
    result = CliRunner().invoke(
        protocol, ["check", "ouch42", "--against", f"127.0.0.1:{engine.port}"]
    )

    assert result.exit_code == 1
    assert "not ok:\n  the engine closed the connection\n  the log-on was not answered" in (
        result.output
    )


def test_nobody_there_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it
        port = taken.getsockname()[1]
        result = CliRunner().invoke(
            protocol, ["check", "orderwire", "--against", f"127.0.0.1:{port}"]
        )

    assert isinstance(result.exception, EngineError)
    assert str(result.exception) == f"127.0.0.1:{port}: Connection refused"
