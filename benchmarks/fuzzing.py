"""How many bad inputs plans, decoder, logons and sessions are fed in a bounded time.

.venv/bin/python benchmarks/fuzzing.py [--seconds 30]
"""

import argparse
import re
import subprocess
from pathlib import Path

from machine import describe_machine

SCRIPT = Path(__file__).parent.parent / "scripts" / "fuzz.sh"
LINE = re.compile(r"(?P<target>\w+): (?P<inputs>\d+) inputs in (?P<seconds>\d+) s, no failure")


def main() -> None:
    """Fuzz each target for a while and print a table; a failure ends with its own words."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=30, help="for each target")
    seconds: int = options.parse_args().seconds
    print(describe_machine())
    done = subprocess.run(
        [SCRIPT, "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(done.returncode)
    found = [match.groupdict() for match in LINE.finditer(done.stdout)]
    if not found:
        return  # skipped, and the script has said why
    print("| target | inputs | per second |")
    print("|---|---|---|")
    for row in sorted(found, key=lambda row: row["target"]):
        inputs = int(row["inputs"])
        print(f"| {row['target']} | {inputs:,} | {inputs / int(row['seconds']):,.0f} |")
    print(f"| together | {sum(int(row['inputs']) for row in found):,} | |")


if __name__ == "__main__":
    main()
