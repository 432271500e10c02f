"""From the command to the first order, and what an agent weighs: a shortened quickstart.

The first run calibrates its load host and remembers it; the medians are of the others.

.venv/bin/python benchmarks/startup.py [--repeat 3]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import describe_machine

CONFIG = Path(__file__).parent.parent / "configs" / "quickstart.yaml"
MIB = 1024 * 1024


def measure(cache: str) -> tuple[float, float]:
    """One run: seconds until the first order is due, MiB of the largest agent."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cluster", "run", str(CONFIG), "--out", folder, "--json"]
        shortened = ("load.rates_per_s=[200000]", "load.maximum=null", "profile.window_s=1")
        for setting in shortened:
            command += ["--set", setting]
        began_ns = time.monotonic_ns()
        env = os.environ | {"XDG_CACHE_HOME": cache}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
        summary = json.loads(done.stdout)
        (log,) = Path(folder).glob("*/events.jsonl")
        events = [json.loads(line) for line in log.read_text().splitlines()]
        first_ns = next(e["time_ns"] for e in events if e["kind"] == "load-started")
    peaks = [agent["peak_rss_bytes"] for level in summary["levels"] for agent in level["agents"]]
    return (first_ns - began_ns) / 1e9, max(peaks) / MIB


def main() -> None:
    """Print each run and the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeat", type=int, default=3)
    print(describe_machine())
    with tempfile.TemporaryDirectory() as cache:
        first_s, _ = measure(cache)
        print(f"first order due {first_s:.2f} s after the command, calibration included")
        runs = [measure(cache) for _ in range(options.parse_args().repeat)]
    for first_s, agent_mib in runs:
        print(
            f"first order due {first_s:.2f} s after the command, agent {agent_mib:.0f} MiB at most"
        )
    first_s, agent_mib = (statistics.median(column) for column in zip(*runs, strict=True))
    print(f"median of {len(runs)}: {first_s:.2f} s (goal 8), {agent_mib:.0f} MiB (goal 300)")


if __name__ == "__main__":
    main()
