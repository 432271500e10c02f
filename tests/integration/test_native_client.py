"""The native load client from Python, against a socket that says nothing."""

import socket
from collections.abc import Iterator

import numpy as np
import pytest

native = pytest.importorskip("cluster._native", reason="the native module is not built")

pytestmark = pytest.mark.integration

SECOND_NS = 1_000_000_000


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Connections are accepted by the kernel and nobody reads from them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def client_for(port: int, **changes: object):
    settings = {
        "address": "127.0.0.1",
        "port": port,
        "connections": 3,
        "workers": 2,
        "arrivals": "constant",
        "rate_per_s": 1_000.0,
        "in_flight": 0,
        "in_flight_max": 10_000,
        "duration_ns": SECOND_NS // 2,
        "timeout_ns": SECOND_NS // 10,
        "drain_ns": 5 * SECOND_NS,
        "lease_ns": 0,
        "seed": 1,
        "agent": 0,
        "phase": 0.0,
        "cpus": [],
        "spin": False,
        "flow": native.FlowConfig(),
    }
    return native.LoadClient(**(settings | changes))


def test_every_order_to_a_silent_engine_times_out_and_is_accounted_for(silent_port):
    client = client_for(silent_port)
    assert client.connect(5 * SECOND_NS) == 3
    client.start_at(native.now_ns())
    assert client.join(30 * SECOND_NS)

    progress = client.progress()
    intervals = client.take_intervals()
    client.close()

    assert progress.finished
    assert progress.errors == {}
    assert progress.books.intended == 500
    assert progress.books.timed_out == 500
    assert sum(interval.books.timed_out for interval in intervals) == 500
    assert sum(int(interval.send_lag[1].sum()) for interval in intervals) == 500
    assert all(interval.response[1].size == 0 for interval in intervals)


def test_arrays_outlive_their_interval_and_have_the_promised_types(silent_port):
    client = client_for(silent_port)
    client.connect(5 * SECOND_NS)
    client.start_at(native.now_ns())
    client.join(30 * SECOND_NS)
    indices, counts = client.take_intervals()[0].send_lag
    client.close()

    assert indices.dtype == np.uint32
    assert counts.dtype == np.uint64
    assert bool((np.diff(indices.astype(np.int64)) > 0).all())
    assert int(counts.min()) > 0


def test_threads_and_connections_can_be_watched_and_stopped(silent_port):
    client = client_for(silent_port, duration_ns=60 * SECOND_NS, drain_ns=0)
    client.connect(5 * SECOND_NS)
    client.start_at(native.now_ns())

    assert len(set(client.worker_thread_ids())) == 2
    assert client.tcp_stats().connections == 3
    assert client.progress().connections_open == 3
    client.stop()
    assert client.join(30 * SECOND_NS)
    client.close()


def test_what_can_not_be_done_is_a_load_error(silent_port):
    with pytest.raises(native.LoadError, match="rate_per_s: must be above 0"):
        client_for(silent_port, rate_per_s=0.0)
    with pytest.raises(native.LoadError, match="`often` is not one of"):
        client_for(silent_port, arrivals="often")
    with pytest.raises(native.LoadError, match="start_at: connect first"):
        client_for(silent_port).start_at(0)
