"""The reference engine speaks three protocols; the same orders have the same fate over each."""

from pathlib import Path

import pytest

from cluster.host.reference import reference_engine
from integration.counterparts import free_port
from integration.wire_runs import is_balanced, level_of, run_level

PASSWORDS = {"ENGINE_PASSWORD": "open sesam", "LOADCLUSTER_USER": "TRADER"}

pytestmark = pytest.mark.integration


def command(port: int, protocol: str, *options: str) -> list[str]:
    """The reference engine, speaking `protocol`."""
    return [str(reference_engine()), "--port", str(port), "--protocol", protocol, *options]


def test_the_same_orders_trade_the_same_over_every_protocol(tmp_path: Path) -> None:
    fates = {}
    for protocol in ("orderwire", "ouch42", "fix44"):
        port = free_port()
        engine = {"port": port, "command": command(port, protocol)}
        level = level_of(tmp_path, protocol, port, engine=engine)
        assert is_balanced(level)
        assert level.replies is not None
        fates[protocol] = (
            level.orders.accepted,
            level.orders.rejected,
            level.replies.executions,
            level.replies.remainders,
        )

    assert fates["orderwire"][2] > 0
    assert fates["ouch42"] == fates["orderwire"]
    assert fates["fix44"] == fates["orderwire"]


@pytest.mark.parametrize("protocol", ["ouch42", "fix44"])
def test_who_has_the_password_may_trade(protocol: str, tmp_path: Path) -> None:
    port = free_port()
    options = ("--user", "TRADER", "--password-env", "ENGINE_PASSWORD")
    engine = {"port": port, "command": command(port, protocol, *options)}
    env = PASSWORDS | {"LOADCLUSTER_PASSWORD": "open sesam"}

    orders = level_of(tmp_path, protocol, port, env, engine=engine).orders

    assert orders.sent > 0
    assert orders.accepted == orders.sent


@pytest.mark.parametrize(
    ("protocol", "reason"),
    [
        ("ouch42", "refused: A (not_authorized)"),
        ("fix44", "refused: Username or Password is wrong"),
    ],
)
def test_who_has_not_is_told_the_engines_reason(protocol: str, reason: str, tmp_path: Path) -> None:
    port = free_port()
    options = ("--user", "TRADER", "--password-env", "ENGINE_PASSWORD")
    engine = {"port": port, "command": command(port, protocol, *options)}
    env = PASSWORDS | {"LOADCLUSTER_PASSWORD": "open rye"}

    said = run_level(tmp_path, protocol, port, env, engine=engine)

    assert said.exit_status == 1
    assert reason in said.stderr
    assert "open rye" not in said.stderr
