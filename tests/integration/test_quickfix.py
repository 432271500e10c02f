"""QuickFIX, which others wrote, as the engine of FIX 4.2 and 4.4."""

from pathlib import Path

import pytest

from integration.counterparts import running_quickfix, why_no_quickfix
from integration.wire_runs import CONNECTIONS, is_balanced, level_of, run_level, undisturbed_level

BEGIN_STRINGS = {"fix42": "FIX.4.2", "fix44": "FIX.4.4"}

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(why_no_quickfix() is not None, reason=str(why_no_quickfix())),
]


@pytest.mark.parametrize("protocol", BEGIN_STRINGS)
def test_quickfix_counts_as_many_messages_as_we_count_orders(protocol: str, tmp_path: Path) -> None:
    with running_quickfix(BEGIN_STRINGS[protocol], CONNECTIONS) as quickfix:
        orders = level_of(tmp_path, protocol, quickfix.port).orders
        counts = quickfix.counts()

    assert counts["logons"] == CONNECTIONS
    assert counts["got_D"] > 0
    assert counts["got_G"] > 0
    assert counts["got_F"] > 0
    assert counts["got_D"] + counts["got_G"] + counts["got_F"] == orders.sent
    assert counts["fills"] > 0
    assert orders.accepted == orders.sent


@pytest.mark.parametrize("protocol", BEGIN_STRINGS)
def test_what_quickfix_refuses_is_rejected(protocol: str, tmp_path: Path) -> None:
    refused = {"refuse_symbol": "S00001"}
    with running_quickfix(BEGIN_STRINGS[protocol], CONNECTIONS, **refused) as quickfix:
        level = level_of(tmp_path, protocol, quickfix.port, order_flow={"symbols": 4})
        counts = quickfix.counts()

    assert is_balanced(level)
    assert counts["refused"] > 0
    assert level.orders.rejected == counts["refused"]
    # OrdRejReason 1 and CxlRejReason 1: QuickFIX's application knows neither symbol nor order.
    (reason,) = level.reject_reasons
    assert reason.in_words == "1 (unknown_symbol or unknown_order)"
    assert reason.count == counts["refused"]
    assert level.orders.timed_out == 0


@pytest.mark.parametrize("protocol", BEGIN_STRINGS)
def test_a_test_request_is_answered_and_a_resend_request_filled(
    protocol: str, tmp_path: Path
) -> None:
    """QuickFIX forgets an order, asks for it, and is told that it will not be sent again.

    What arrived in the meantime is beyond the gap: it is skipped, so it has no answer.
    """
    with running_quickfix(BEGIN_STRINGS[protocol], CONNECTIONS, ask=10, forget=20) as quickfix:
        level = level_of(tmp_path, protocol, quickfix.port)
        counts = quickfix.counts()

    assert is_balanced(level)
    assert counts["heartbeats_asked_for"] == CONNECTIONS
    assert counts["gap_fills"] == CONNECTIONS
    assert counts["logons"] == CONNECTIONS
    assert level.orders.lost == 0
    assert CONNECTIONS <= level.orders.timed_out <= 10 * CONNECTIONS


def test_quickfix_refuses_a_wrong_password_and_we_say_why(tmp_path: Path) -> None:
    with running_quickfix("FIX.4.4", CONNECTIONS, wants="open sesame") as quickfix:
        said = run_level(tmp_path, "fix44", quickfix.port, {"LOADCLUSTER_PASSWORD": "open rye"})

    assert said.exit_status == 1
    assert "refused: Rejected Logon Attempt: wrong password" in said.stderr
    assert "open rye" not in said.stderr


def test_quickfix_lets_the_right_password_in(tmp_path: Path) -> None:
    with running_quickfix("FIX.4.4", CONNECTIONS, wants="open sesame") as quickfix:
        password = {"LOADCLUSTER_PASSWORD": "open sesame"}
        orders = level_of(tmp_path, "fix44", quickfix.port, password).orders

    assert orders.sent > 0
    assert orders.accepted == orders.sent


@pytest.mark.parametrize("protocol", BEGIN_STRINGS)
def test_heartbeats_keep_idle_sessions_alive(protocol: str, tmp_path: Path) -> None:
    """QuickFIX ends a session that is silent for 2.4 s; here each has an order every 8 s."""
    sessions = 8
    with running_quickfix(BEGIN_STRINGS[protocol], sessions) as quickfix:
        orders = level_of(
            tmp_path,
            protocol,
            quickfix.port,
            agents={"count": 1, "connections": sessions},
            load={"arrivals": "constant", "rates_per_s": [1]},
            measure={"warmup_s": 0, "control_s": 5, "drain_s": 1},
        ).orders
        counts = quickfix.counts()

    assert orders.accepted == orders.sent > 0
    assert counts["got_0"] >= 2 * sessions
    assert counts["logons"] == sessions
    assert counts["got_5"] == sessions


def test_the_schedule_holds_against_quickfix(tmp_path: Path) -> None:
    with running_quickfix("FIX.4.4", CONNECTIONS) as quickfix:
        level = undisturbed_level(tmp_path, "fix44", quickfix.port)

    assert level.valid
    assert level.orders.unsent == 0
