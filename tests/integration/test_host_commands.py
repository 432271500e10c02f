"""What every host does, on this machine and over SSH."""

import stat
from contextlib import closing
from pathlib import Path

import pytest

from cluster.errors import CommandFailed, HostError, MissingTool
from cluster.host.commands import checked
from cluster.host.connect import open_host
from cluster.host.protocol import Host
from integration.sshd import Sshd, why_not

pytestmark = pytest.mark.integration

SHOW = 'for word; do printf "[%s]" "$word"; done'
AWKWARD = [
    "two words",
    "",
    "'",
    '"',
    'it\'s "so"',
    "$(echo pwned)",
    "`echo pwned`",
    "$HOME",
    "a\nb",
    "-n",
    "--",
    "\\",
    "*",
    "~",
    "; exit 1",
    "& ",
    "!!",
    "#",
    "µs",
    "{a,b}",
    "\ttab ",
]


@pytest.mark.parametrize("word", AWKWARD)
def test_an_argument_arrives_as_it_is(host: Host, word: str) -> None:
    ended = host.run(["sh", "-c", SHOW, "sh", word, "last"])

    assert f"[{word}][last]" == ended.stdout


def test_a_program_whose_name_begins_with_a_dash_is_a_program(host: Host) -> None:
    with pytest.raises(MissingTool, match="`-x` can't be run"):
        host.run(["-x", "1"])


def test_a_command_tells_status_and_both_outputs(host: Host) -> None:
    ended = host.run(["sh", "-c", "echo out; echo err >&2; exit 3"])

    assert (3, "out\n", "err\n", False) == (ended.exit_status, ended.stdout, ended.stderr, ended.ok)


def test_a_signal_is_told_as_a_shell_tells_it(host: Host) -> None:
    assert 128 + 9 == host.run(["sh", "-c", "kill -9 $$"]).exit_status


def test_stdin_arrives_and_ends(host: Host) -> None:
    data = bytes(range(256)) * 2000

    ended = host.run(["wc", "-c"], stdin=data)

    assert str(len(data)) == ended.stdout.strip()


def test_without_input_stdin_is_at_its_end(host: Host) -> None:
    assert "" == host.run(["cat"]).stdout


def test_a_command_may_end_without_reading_its_input(host: Host) -> None:
    assert host.run(["true"], stdin=b"x" * 1_000_000).ok


def test_much_output_on_both_streams_does_not_block(host: Host) -> None:
    ended = host.run(["sh", "-c", "seq 100000; seq 100000 >&2"])

    assert ended.stdout == ended.stderr
    assert 588_895 == len(ended.stdout)


def test_the_locale_is_c(host: Host) -> None:
    assert "C" == host.run(["sh", "-c", "echo $LC_ALL"]).stdout.strip()


def test_there_is_no_terminal(host: Host) -> None:
    assert "not a tty" in host.run(["tty"]).stdout


def test_a_missing_program_is_a_missing_tool_with_its_package(host: Host) -> None:
    with pytest.raises(MissingTool, match="`no-such-program` can't be run") as caught:
        host.run(["no-such-program"])

    assert "give its full path" in caught.value.hint


def test_a_program_that_itself_ends_with_127_is_not_missing(host: Host) -> None:
    assert 127 == host.run(["sh", "-c", "exit 127"]).exit_status


def test_a_command_that_takes_too_long_is_ended_on_the_host(host: Host, tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"took longer than 0.5 s"):
        host.run(["sh", "-c", f"echo $$ >{tmp_path}/pid; exec sleep 60"], timeout_s=0.5)

    pid = (tmp_path / "pid").read_text().strip()
    script = 'for turn in $(seq 100); do [ -e "/proc/$1" ] || exit 0; sleep 0.1; done; exit 1'
    assert host.run(["sh", "-c", script, "sh", pid], timeout_s=20).ok


def test_checked_raises_with_status_and_the_last_lines_of_stderr(host: Host) -> None:
    with pytest.raises(CommandFailed, match="ended with 2: no such thing"):
        checked(host, ["sh", "-c", "echo no such thing >&2; exit 2"])


def test_a_file_comes_back_as_it_was_put(host: Host, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    path = str(tmp_path / "it's a file")

    host.put(content, path)
    host.get(path, tmp_path / "copy")

    assert content == host.read(path)
    assert content == (tmp_path / "copy").read_bytes()
    assert 0o600 == stat.S_IMODE(Path(path).stat().st_mode)


def test_a_file_gets_the_mode_asked_for(host: Host, tmp_path: Path) -> None:
    host.put(b"#!/bin/sh\n", str(tmp_path / "script"), mode=0o755)

    assert 0o755 == stat.S_IMODE((tmp_path / "script").stat().st_mode)


def test_put_replaces_a_longer_file(host: Host, tmp_path: Path) -> None:
    path = str(tmp_path / "file")

    host.put(b"long content", path)
    host.put(b"short", path)

    assert b"short" == host.read(path)


def test_a_file_of_proc_is_read_to_its_end(host: Host) -> None:
    assert Path("/proc/version").read_bytes() == host.read("/proc/version")


def test_a_missing_file_says_so(host: Host, tmp_path: Path) -> None:
    with pytest.raises(HostError, match="nowhere: No such file"):
        host.read(str(tmp_path / "nowhere"))


def test_a_file_in_a_missing_directory_says_so(host: Host, tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"can't write .*: No such file"):
        host.put(b"", str(tmp_path / "nowhere" / "file"))


def test_private_directories_are_ours_alone_and_go_with_the_host(sshd: Sshd) -> None:
    for spec in ("local", sshd.spec()):
        with closing(open_host(spec)) as host:
            paths = [Path(host.private_directory()) for _ in range(3)]
            (paths[0] / "file").write_text("content")
            modes = {stat.S_IMODE(path.stat().st_mode) for path in (*paths, paths[0].parent)}

        assert {0o700} == modes
        assert 3 == len(set(paths))
        assert not paths[0].parent.exists()


def test_a_closed_host_may_be_closed_again(sshd: Sshd) -> None:
    for spec in ("local", sshd.spec()):
        host = open_host(spec)
        host.close()
        host.close()


def test_a_host_without_sftp_takes_and_gives_files(tmp_path: Path) -> None:
    if reason := why_not():
        pytest.skip(reason)
    content = bytes(range(256)) * 4000
    path = str(tmp_path / "a file")
    with (
        Sshd(tmp_path, sftp=False) as server,
        closing(open_host(server.spec())) as host,
    ):
        host.put(content, path, mode=0o640)
        host.get(path, tmp_path / "copy")
        read = host.read(path)
        with pytest.raises(HostError, match="nowhere: No such file"):
            host.read(str(tmp_path / "nowhere"))
        with pytest.raises(HostError, match=r"can't write .*nonexistent|No such file"):
            host.put(b"", str(tmp_path / "nowhere" / "file"))

    assert content == read == (tmp_path / "copy").read_bytes()
    assert 0o640 == stat.S_IMODE(Path(path).stat().st_mode)
