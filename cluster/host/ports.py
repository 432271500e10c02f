"""Ports of this machine."""

import socket


def free_port(address: str) -> int | None:
    """A TCP port that nobody listens on; None when `address` is not one of this machine's."""
    try:
        family, *_, place = socket.getaddrinfo(address, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as found:
            found.bind(place)
            port: int = found.getsockname()[1]
            return port
    except OSError:
        return None
