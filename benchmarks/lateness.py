"""How late orders arrive against their schedule, judged from the server's side.

    .venv/bin/python benchmarks/lateness.py [--rate 100000] [--seconds 5] [--repeat 3]

A neutral judge (arrivals.cpp) on one CPU stamps every arrival; on another, in turn, our client and
a bare spinning loop (bare_pacer.cpp, the limit of this machine) send at a constant rate. A pacer
may only be late: the ideal schedule's phase is the earliest that no arrival precedes (1st
percentile, for noise).
"""

import argparse
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from machine import describe_machine, native_tool

HERE = Path(__file__).parent
SKIP_S = 0.5  # the judge's first arrivals fault its memory in


def build(name: str, folder: Path) -> str:
    """Compile a program that lies beside this one."""
    program = folder / name
    sources = [f"-I{HERE.parent / 'native'}", str(HERE / f"{name}.cpp"), "-o", str(program)]
    subprocess.run(["g++", "-std=c++20", "-O2", *sources], check=True)
    return str(program)


def lateness_us(arrivals_ns: np.ndarray, skip_s: float = SKIP_S) -> tuple[np.ndarray, float]:
    """Lateness of each arrival against an ideal constant schedule, and the achieved rate.

    Args:
        arrivals_ns: arrival times. Shape (n,).
        skip_s: left out at the start.
    """
    times = np.sort(arrivals_ns.astype(np.int64))
    times = times[(times > times[0] + skip_s * 1e9) & (times < times[-1] - 0.1e9)]
    rate = (len(times) - 1) / ((times[-1] - times[0]) / 1e9)
    off = times - times[0] - np.arange(len(times)) * 1e9 / rate
    return (off - np.percentile(off, 1)) / 1e3, float(rate)


def client(port: int, rate: int, seconds: int) -> list[str]:
    """Our client's command line."""
    command = [native_tool("loadcluster-client"), "--port", str(port), "--cpus", "1", "--spin"]
    return [*command, "--arrivals", "constant", "--rate", str(rate), "--duration", str(seconds)]


def measure(judge: str, out: Path, port: int, command: list[str]) -> tuple[float, float, str]:
    """Judge one run of `command`; p50 and p99 in µs, and a line of the table."""
    server = subprocess.Popen(
        ["taskset", "-c", "0", judge, str(port), "orderwire", out], stderr=subprocess.DEVNULL
    )
    try:
        wait_until_open(port)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        server.wait(10)
    finally:
        server.kill()
    late, got = lateness_us(np.fromfile(out, dtype=np.uint64))
    p50, p99, p999 = np.percentile(late, (50, 99, 99.9))
    line = f"{got:>12,.0f} {p50:>9.2f} {p99:>9.1f} {p999:>10.1f} {late.max():>9.1f}"
    return float(p50), float(p99), line


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_until_open(port: int) -> None:
    """Wait until the judge listens, without connecting: it ends when its last client has left."""
    needle = f":{port:04X} "
    for _ in range(200):
        if any(needle in line for line in Path("/proc/net/tcp").read_text().splitlines()):
            return
        subprocess.run(["sleep", "0.01"], check=True)
    sys.exit("the judge did not start")


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rate", type=int, default=100_000)
    options.add_argument("--seconds", type=int, default=5)
    options.add_argument("--repeat", type=int, default=3)
    chosen = options.parse_args()
    print(describe_machine())
    print(f"{'':6} {'got/s':>12} {'p50 µs':>9} {'p99 µs':>9} {'p99.9 µs':>10} {'max µs':>9}")
    medians: dict[str, list[tuple[float, float]]] = {"limit": [], "client": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        judge, pacer = build("arrivals", folder), build("bare_pacer", folder)
        for _ in range(chosen.repeat):
            for who, seen in medians.items():
                port = free_port()
                bare = [pacer, str(port), str(chosen.rate), str(chosen.seconds), "1"]
                ours = client(port, chosen.rate, chosen.seconds)
                command = bare if who == "limit" else ours
                p50, p99, line = measure(judge, folder / "arrivals.bin", port, command)
                seen.append((p50, p99))
                print(f"{who:6} {line}")
    (limit50, limit99), (ours50, ours99) = (np.median(x, axis=0) for x in medians.values())
    print(
        f"median of {chosen.repeat}: client p50 {ours50:.2f} µs ({ours50 / limit50:.1f} of the "
        f"limit), p99 {ours99:.1f} µs ({ours99 / limit99:.1f} of the limit)"
    )


if __name__ == "__main__":
    main()
