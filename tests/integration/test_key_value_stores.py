"""Redis and memcached, which others wrote, take orders over the shipped schemas."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.counterparts import (
    Memcached,
    Redis,
    running_memcached,
    running_redis,
    why_no,
)
from integration.wire_runs import is_balanced, level_of, undisturbed_level

pytestmark = pytest.mark.integration


@pytest.fixture
def redis() -> Iterator[Redis]:
    if reason := why_no("redis-server"):
        pytest.skip(reason)
    with running_redis() as server:
        yield server


@pytest.fixture
def memcached() -> Iterator[Memcached]:
    if reason := why_no("memcached"):
        pytest.skip(reason)
    with running_memcached() as server:
        yield server


def test_redis_counts_as_many_commands_as_we_count_orders(redis: Redis, tmp_path: Path) -> None:
    orders = level_of(tmp_path, "resp", redis.port).orders

    calls = redis.calls()
    assert calls["set"] > 0
    assert calls["del"] > 0
    assert calls["set"] + calls["del"] == orders.sent
    assert orders.accepted == orders.sent


def test_a_redis_without_memory_rejects_what_it_can_not_store(redis: Redis, tmp_path: Path) -> None:
    redis.ask(b"CONFIG SET maxmemory 1\r\n", b"\r\n")

    level = level_of(tmp_path, "resp", redis.port)

    assert is_balanced(level)
    assert level.orders.sent > 0
    assert level.orders.rejected == level.orders.sent
    (reason,) = level.reject_reasons
    assert reason.reason.startswith("OOM command not allowed")


def test_memcached_counts_as_many_commands_as_we_count_orders(
    memcached: Memcached, tmp_path: Path
) -> None:
    orders = level_of(tmp_path, "memcached", memcached.port).orders

    stats = memcached.stats()
    assert stats["cmd_set"] > 0
    assert stats["delete_hits"] > 0
    assert stats["delete_misses"] == 0
    assert stats["cmd_set"] + stats["delete_hits"] == orders.sent
    assert orders.accepted == orders.sent


def test_the_schedule_holds_against_redis(redis: Redis, tmp_path: Path) -> None:
    level = undisturbed_level(tmp_path, "resp", redis.port)

    assert level.valid
    assert level.orders.unsent == 0
