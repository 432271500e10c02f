from pathlib import Path

import pytest

from cluster.fleet.host_cpu import cpu_ticks, steal_ratio


def stat(directory: Path, text: str) -> Path:
    path = directory / "stat"
    path.write_text(text)
    return path


def test_stolen_time_is_a_share_of_all_time_between_the_readings(tmp_path: Path) -> None:
    # user nice system idle iowait irq softirq steal guest guest_nice
    begin = cpu_ticks(stat(tmp_path, "cpu  100 0 50 800 10 0 5 35 7 0\ncpu0 1 2\n"))
    end = cpu_ticks(stat(tmp_path, "cpu  120 0 60 850 10 0 5 55 9 0\n"))

    assert begin == (100, 0, 50, 800, 10, 0, 5, 35)
    assert steal_ratio(begin, end) == pytest.approx(20 / 100)


def test_without_a_reading_or_time_in_between_there_is_no_share(tmp_path: Path) -> None:
    ticks = cpu_ticks(stat(tmp_path, "cpu  100 0 50 800 10 0 5 35 0 0\n"))

    assert steal_ratio(ticks, ticks) is None
    assert steal_ratio(None, ticks) is None
    assert steal_ratio(ticks, None) is None


@pytest.mark.parametrize("text", ["", "intr 1 2 3 4 5 6 7 8\n", "cpu  1 2 3 4\n"])
def test_a_kernel_that_does_not_tell_has_no_reading(tmp_path: Path, text: str) -> None:
    assert cpu_ticks(stat(tmp_path, text)) is None


def test_a_host_without_the_file_has_no_reading(tmp_path: Path) -> None:
    assert cpu_ticks(tmp_path / "absent") is None


def test_this_host_tells() -> None:
    assert cpu_ticks() is not None
