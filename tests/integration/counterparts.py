"""Servers that others wrote, each on a free port of loopback, and what they counted themselves."""

import functools
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

READY_TIMEOUT_S = 10
_ANSWER_BYTES_MAX = 1 << 20


def why_no(program: str) -> str | None:
    """The reason to skip a test that needs `program`, or nothing."""
    if _find(program) is None:
        return f"{program} is not on this machine; deploy/system_packages.sh develop installs it"
    return None


def why_no_quickfix() -> str | None:
    """The reason to skip a test that needs QuickFIX, or nothing."""
    if not Path("/usr/include/quickfix/Application.h").exists():
        return (
            "libquickfix-dev is not on this machine; deploy/system_packages.sh develop installs it"
        )
    return why_no("g++")


@dataclass(frozen=True)
class Server:
    """A server that takes connections."""

    port: int

    def ask(self, request: bytes, until: bytes) -> str:
        """Send `request` on a connection of its own; what comes up to and with `until`."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(request)
            answer = b""
            while until not in answer and len(answer) < _ANSWER_BYTES_MAX:
                more = connection.recv(65_536)
                if not more:
                    break
                answer += more
        return answer.decode()


class Redis(Server):
    """redis-server, which keeps nothing on disk."""

    def calls(self) -> Mapping[str, int]:
        """How often each command was carried out, by the server's own count."""
        lines = self.ask(b"INFO commandstats\r\n", b"\r\n\r\n").splitlines()
        stats = [line.removeprefix("cmdstat_") for line in lines if line.startswith("cmdstat_")]
        return {
            name: int(rest.split(",")[0].removeprefix("calls="))
            for name, _, rest in (line.partition(":") for line in stats)
        }


@contextmanager
def running_redis() -> Iterator[Redis]:
    """A Redis without persistence."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="redis-") as directory:
        options = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", directory)
        with _running(["redis-server", "--port", str(port), *options], port):
            yield Redis(port)


class Memcached(Server):
    """memcached with its default limits."""

    def stats(self) -> Mapping[str, int]:
        """The server's own counts, such as `cmd_set` and `delete_hits`."""
        lines = self.ask(b"stats\r\n", b"END\r\n").splitlines()
        words = [line.split() for line in lines if line.startswith("STAT ")]
        return {name: int(value) for _, name, value in words if value.isdigit()}


@contextmanager
def running_memcached() -> Iterator[Memcached]:
    """A memcached with 64 MB."""
    port = free_port()
    command = ["memcached", "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-m", "64", "-t", "1"]
    # It refuses to run as root without a user to become.
    with _running([*command, "-u", "nobody"], port):
        yield Memcached(port)


_NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 256; }}
http {{
    log_format counted '$request_method $status $connection';
    access_log {directory}/access.log counted;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    keepalive_timeout 60s;
    keepalive_requests 10000000;
    default_type application/json;
    server {{
        listen 127.0.0.1:{port};
        location = /orders {{
            if ($request_method = POST) {{ return 201 '{{"status": "new"}}'; }}
            return 405;
        }}
        location /orders/ {{
            if ($request_method = PUT) {{ return 200 '{{"status": "replaced"}}'; }}
            if ($request_method = DELETE) {{ return {delete}; }}
            return 405;
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Nginx(Server):
    """nginx with a log of what it answered."""

    access_log: Path

    def requests(self) -> Mapping[str, int]:
        """Requests by method and status, such as `POST 201`, as the server logged them."""
        counts: dict[str, int] = {}
        for line in self.access_log.read_text().splitlines():
            method_and_status = line.rpartition(" ")[0]
            counts[method_and_status] = counts.get(method_and_status, 0) + 1
        return counts

    def connections(self) -> int:
        """Connections that carried at least one request."""
        lines = self.access_log.read_text().splitlines()
        return len({line.rpartition(" ")[2] for line in lines})


@contextmanager
def running_nginx(*, delete: int = 204) -> Iterator[Nginx]:
    """An nginx that takes orders; it answers a DELETE with the status `delete`."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="nginx-") as name:
        directory = Path(name)
        config = directory / "nginx.conf"
        config.write_text(_NGINX.format(directory=directory, port=port, delete=delete))
        nginx = _find("nginx") or "nginx"
        with _running([nginx, "-p", name, "-c", str(config), "-e", f"{name}/error.log"], port):
            yield Nginx(port, directory / "access.log")


@dataclass(frozen=True)
class QuickFix(Server):
    """The program of quickfix_acceptor.cpp."""

    process: subprocess.Popen[str]

    def counts(self) -> Mapping[str, int]:
        """End it; what it counted, such as `got_D` (new orders), `refused`, `gap_fills`."""
        output, _ = self.process.communicate(timeout=READY_TIMEOUT_S)
        words = (word.partition("=") for word in output.split())
        return {name: int(value) for name, equals, value in words if equals}


@contextmanager
def running_quickfix(begin_string: str, sessions: int, **options: str | int) -> Iterator[QuickFix]:
    """QuickFIX as acceptor of so many sessions; options as in quickfix_acceptor.cpp."""
    port = free_port()
    words = [f"{name}={value}" for name, value in options.items()]
    command = [str(_quickfix_acceptor()), begin_string, str(port), str(sessions), *words]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield QuickFix(port, process)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@functools.cache
def _quickfix_acceptor() -> Path:
    # The directory lives as long as this process: its finaliser removes it.
    directory = tempfile.TemporaryDirectory(prefix="quickfix-", ignore_cleanup_errors=True)
    _kept.append(directory)
    program = Path(directory.name) / "quickfix_acceptor"
    source = Path(__file__).with_name("quickfix_acceptor.cpp")
    # QuickFIX's headers have exception specifications, which C++17 took out of the language.
    flags = ("-std=c++14", "-O1", "-w", "-pthread")
    subprocess.run(["g++", *flags, str(source), "-o", str(program), "-lquickfix"], check=True)
    return program


_kept: list[tempfile.TemporaryDirectory[str]] = []


def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _find(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    """The process takes connections on `port` inside, and has ended outside."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/"
    )
    try:
        _wait_until_it_listens(process, port)
        yield
    finally:
        process.terminate()
        try:
            process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _wait_until_it_listens(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            output, _ = process.communicate()
            raise AssertionError(f"{process.args} ended at once: {output}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"{process.args} does not listen on port {port}")
