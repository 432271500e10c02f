"""Writes the golden plans of the builtin schemas anew: `make plans` runs it.

Native tests, benchmarks and fuzzers load these files; a Python test holds them to the compiler.
"""

from pathlib import Path

from cluster.protocol.builtin import builtin_names, builtin_path, read_schema
from cluster.protocol.compile import compile_schema
from cluster.protocol.plan_text import write_plan

PLANS = Path(__file__).parents[1] / "native" / "protocol" / "plans"

if __name__ == "__main__":
    for name in builtin_names():
        compiled = compile_schema(read_schema(builtin_path(name)))
        (PLANS / f"{name}.plan").write_text(write_plan(compiled.plan))
