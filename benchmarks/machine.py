"""What the benchmarks share: where the native tools are, and which machine this is."""

import os
import platform
from importlib.util import find_spec
from pathlib import Path


def native_tool(name: str) -> str:
    """An executable that was built with the installed loadcluster."""
    found = find_spec("cluster._native")
    if found is None or found.origin is None:
        raise SystemExit("loadcluster is not built: run `make setup`")
    return str(Path(found.origin).parent / "bin" / name)


def describe_machine() -> str:
    """CPU, cores, kernel: what a figure is worth nothing without."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), "?")
    hypervisor = any(x.startswith("flags") and " hypervisor" in x for x in lines)
    where = "virtual" if hypervisor else "bare metal"
    return f"{model}, {os.cpu_count()} CPUs, {where}, Linux {platform.release()}"
