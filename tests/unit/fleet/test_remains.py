"""What the kernel still has of a load, read from a copy of its files."""

from pathlib import Path

import pytest

from cluster.fleet.remains import Remains, remains_of

HEADING = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  t inode\n"
)
LINE = "   {sl}: 0100007F:9C40 0100007F:{port:04X} 01 0:0 00:0 0        0        0 {inode} 1\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    for thread, name in ((1, "python"), (2, "load-0"), (3, "load-collector"), (4, "ray::IDLE")):
        (tmp_path / "task" / str(thread)).mkdir(parents=True)
        (tmp_path / "task" / str(thread) / "comm").write_text(f"{name}\n")
    (tmp_path / "net").mkdir()
    lines = [
        LINE.format(sl=0, port=9001, inode=100),
        LINE.format(sl=1, port=9001, inode=200),  # of another process
        LINE.format(sl=2, port=22, inode=300),
        LINE.format(sl=3, port=9001, inode=0),  # TIME_WAIT is nobody's
    ]
    (tmp_path / "net" / "tcp").write_text(HEADING + "".join(lines))
    (tmp_path / "fd").mkdir()
    for descriptor, inode in ((3, 100), (4, 300)):
        (tmp_path / "fd" / str(descriptor)).symlink_to(f"socket:[{inode}]")
    return tmp_path


def test_own_threads_and_own_connections_to_the_port_are_counted(proc: Path) -> None:
    assert remains_of(9001, proc) == Remains(threads=2, connections=1)


def test_another_port_is_no_load(proc: Path) -> None:
    assert remains_of(9002, proc).connections == 0


def test_what_listens_is_no_load_of_an_agent_that_has_not_had_any(proc: Path) -> None:
    (proc / "net" / "tcp6").write_text(HEADING + LINE.format(sl=0, port=0, inode=300))

    assert remains_of(0, proc).connections == 0
