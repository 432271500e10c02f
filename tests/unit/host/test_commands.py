import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import CommandFailed, MissingTool
from cluster.host.commands import bounded, checked, completed, missing_tool
from cluster.host.lines import LONGEST_LINE_BYTES, Lines
from cluster.host.protocol import Completed
from fakes.host import FakeHost


def test_the_host_itself_ends_a_command_a_little_later_than_we_do() -> None:
    assert ["env", "LC_ALL=C", "timeout", "-k", "2", "13", "perf", "-v"] == bounded(
        ["perf", "-v"], 10.5
    )


@pytest.mark.parametrize(
    ("stderr", "tool"),
    [
        (b"timeout: failed to run command 'perf': No such file or directory\n", "perf"),
        (b"timeout: can't execute 'perf': No such file or directory\n", "perf"),
        (b"env: 'timeout': No such file or directory\n", "timeout"),
    ],
)
def test_a_program_that_is_not_there_is_a_missing_tool(stderr: bytes, tool: str) -> None:
    with pytest.raises(MissingTool, match=f"`{tool}` can't be run"):
        completed("engine", ["perf"], 127, b"", stderr)


def test_a_program_that_may_not_be_run_is_told() -> None:
    stderr = b"timeout: failed to run command './engine': Permission denied\n"

    with pytest.raises(MissingTool, match="may not be executed") as caught:
        completed("engine", ["./engine"], 126, b"", stderr)

    assert "chmod +x ./engine" == caught.value.hint


def test_output_that_is_no_text_is_kept_readable() -> None:
    assert Completed(("x",), 127, "\ufffd", "") == completed("engine", ["x"], 127, b"\xff", b"")


def test_a_missing_perf_comes_with_the_package_to_install() -> None:
    assert "linux-perf (Debian)" in missing_tool("engine", "perf").hint


def test_a_checked_command_that_fails_is_an_error() -> None:
    host = FakeHost({"ls": Completed(("ls",), 2, "", "ls: no such file\n")})

    with pytest.raises(CommandFailed, match="`ls /x` ended with 2: ls: no such file"):
        checked(host, ["ls", "/x"])


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n"))), st.integers(1, 7))
def test_lines_come_out_as_they_went_in_whatever_the_pieces(lines: list[str], size: int) -> None:
    text = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    collected = Lines()
    taken = []

    for start in range(0, len(text), size):
        collected.feed(text[start : start + size])
        while (line := collected.take()) is not None:
            taken.append(line)

    assert text.decode("utf-8", "replace").split("\n")[:-1] == taken


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    collected = Lines()

    collected.feed(b"x" * (LONGEST_LINE_BYTES + 1))
    collected.feed(b"ready\n")

    assert "ready" == collected.take()
