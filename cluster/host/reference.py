"""Where the reference engine's executable is, and how it is brought to a host."""

from importlib.util import find_spec
from pathlib import Path

from cluster.errors import EngineError
from cluster.host.protocol import Host

EXECUTABLE = "loadcluster-engine"
OWNER_RUNS = 0o700


def reference_engine() -> Path:
    """The executable that was built with this installation.

    Raises:
        EngineError: it was not built.
    """
    found = find_spec("cluster._native")
    path = Path(found.origin).parent / "bin" / EXECUTABLE if found and found.origin else None
    if path is None or not path.exists():
        raise EngineError(
            "the reference engine is not built",
            "build it with `make setup` (it needs a C++20 compiler)",
        )
    return path


def reference_engine_argv(
    host: Host, *, address: str, port: int, threads: int, protocol: str
) -> list[str]:
    """The command that starts the reference engine on `host`, where it is put if need be.

    Raises:
        EngineError: it was not built.
        HostError: it could not be put on the host.
    """
    path = str(reference_engine())
    if not host.is_local:
        remote = f"{host.private_directory()}/{EXECUTABLE}"
        host.put(reference_engine().read_bytes(), remote, mode=OWNER_RUNS)
        path = remote
    listens = ["--address", address, "--port", str(port)]
    return [path, *listens, "--threads", str(threads), "--protocol", protocol]
