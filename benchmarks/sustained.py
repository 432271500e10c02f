"""A minute and more at 100,000 orders per second: do the books balance to the order?

.venv/bin/python benchmarks/sustained.py
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import describe_machine

CONFIG = Path(__file__).parent.parent / "configs" / "sustained.yaml"


def main() -> None:
    """Print the books; exit 1 when they do not balance, or the engine counted otherwise."""
    print(describe_machine())
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cluster", "run", str(CONFIG), "--out", folder, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    summary = json.loads(done.stdout)
    (level,) = summary["levels"]
    orders = level["orders"]
    print(", ".join(f"{name} {count:,}" for name, count in orders.items()))
    told = summary["engine"]["last_output"].splitlines()
    handled = json.loads(told[-1])["total"]["orders"]
    print(
        f"the engine handled {handled:,}, {handled - orders['sent']:+,} against the client's sent"
    )
    answered = orders["accepted"] + orders["rejected"]
    unbalanced = (
        orders["intended"] - orders["sent"] - orders["unsent"],
        orders["sent"] - answered - orders["timed_out"] - orders["lost"],
    )
    response = level["response_ns"]
    print(
        f"throughput {level['throughput_per_s']['mean']:,.0f}/s, response p50 "
        f"{response['p50'] / 1e3:.1f} µs, p99 {response['p99'] / 1e3:.1f} µs; "
        f"imbalance {unbalanced[0]} and {unbalanced[1]}"
    )
    sys.exit(any(unbalanced) or handled != orders["sent"])


if __name__ == "__main__":
    main()
