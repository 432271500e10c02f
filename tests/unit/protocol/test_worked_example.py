"""docs/kestrel.md prints what is printed: its first try, the mistakes of it, the bytes."""

import re

from click.testing import CliRunner

from cluster.cli_protocol import protocol
from fakes.configs import ROOT
from fakes.schemas import problems

TEXT = (ROOT / "docs" / "kestrel.md").read_text()
(FIRST_TRY,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def shown(mistakes: list[str]) -> str:
    """Mistakes as the page prints them."""
    return "error: " + "\n".join(mistakes).replace("x.yaml", "kestrel.yaml")


def test_the_first_mistakes_are_those_of_the_page() -> None:
    assert shown(problems(FIRST_TRY)) in TEXT
    assert shown(problems(FIRST_TRY.replace("uint48", "u48"))) in TEXT


def test_a_new_order_has_the_bytes_of_the_page() -> None:
    schema = ROOT / "configs" / "kestrel.yaml"
    output = CliRunner().invoke(protocol, ["check", str(schema)]).output
    begin = output.index("new/limit/buy: 39 bytes")
    order = output[begin : output.index("crc  ", begin)]

    # Its last line is the checksum, over a token that is an example.
    assert order[: order.rindex("\n")] in TEXT
