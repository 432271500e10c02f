import socket

from cluster.fleet.ray_head import Head


def test_a_head_that_listens_is_there_and_one_that_ended_is_gone_for_good() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        head = Head(address)
        assert head.why_gone() == ""

    why = head.why_gone()
    assert why == f"nobody answers at {address}: Connection refused"
    port = int(address.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        assert head.why_gone() == why


def test_what_has_no_address_to_ask_is_there() -> None:
    assert Head(None).why_gone() == ""
    assert Head("auto").why_gone() == ""
