from pathlib import Path

import pytest

from cluster.protocol.builtin import builtin_names, builtin_path, read_schema
from cluster.protocol.compile import compile_schema
from cluster.protocol.plan_text import write_plan

PLANS = Path(__file__).parents[3] / "native" / "protocol" / "plans"


@pytest.mark.parametrize("name", builtin_names())
def test_the_golden_plan_is_what_the_compiler_makes(name: str) -> None:
    """`make plans` writes them anew; look at what changes before you commit."""
    compiled = compile_schema(read_schema(builtin_path(name)))

    assert (PLANS / f"{name}.plan").read_text() == write_plan(compiled.plan)


def test_every_golden_plan_has_its_schema() -> None:
    assert sorted(path.stem for path in PLANS.glob("*.plan")) == builtin_names()
