"""nginx, which others wrote, takes orders over HTTP/1.1."""

from pathlib import Path

import pytest

from integration.counterparts import running_nginx, why_no
from integration.wire_runs import CONNECTIONS, is_balanced, level_of, undisturbed_level

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(why_no("nginx") is not None, reason=str(why_no("nginx"))),
]


def test_nginx_logs_as_many_requests_as_we_count_orders(tmp_path: Path) -> None:
    with running_nginx() as nginx:
        orders = level_of(tmp_path, "http11", nginx.port).orders
        requests = nginx.requests()

    assert set(requests) == {"POST 201", "PUT 200", "DELETE 204"}
    assert sum(requests.values()) == orders.sent
    assert orders.accepted == orders.sent


def test_connections_are_kept_alive_over_all_orders(tmp_path: Path) -> None:
    with running_nginx() as nginx:
        level_of(tmp_path, "http11", nginx.port)

        assert nginx.connections() == CONNECTIONS


def test_a_status_other_than_2xx_rejects_the_order(tmp_path: Path) -> None:
    with running_nginx(delete=404) as nginx:
        level = level_of(tmp_path, "http11", nginx.port)
        requests = nginx.requests()

    assert is_balanced(level)
    assert requests["DELETE 404"] > 0
    assert level.orders.rejected == requests["DELETE 404"]
    assert level.orders.accepted == requests["POST 201"] + requests["PUT 200"]
    assert [reason.reason for reason in level.reject_reasons] == ["404"]


def test_the_schedule_holds_against_nginx(tmp_path: Path) -> None:
    with running_nginx() as nginx:
        level = undisturbed_level(tmp_path, "http11", nginx.port)

    assert level.valid
    assert level.orders.unsent == 0
