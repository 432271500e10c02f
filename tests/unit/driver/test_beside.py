import threading

import pytest

from cluster.driver.beside import Beside


def test_what_is_done_in_time_is_not_late() -> None:
    done: list[int] = []
    beside = Beside(patience_s=60)

    beside.do(lambda: done.append(1))
    beside.do(lambda: done.append(2))

    assert done == [1, 2]
    assert not beside.late
    beside.finish()


def test_a_slow_task_is_waited_for_only_at_the_end_and_keeps_its_turn() -> None:
    gate = threading.Event()
    done: list[str] = []

    def slow() -> None:
        gate.wait(60)
        done.append("slow")

    beside = Beside(patience_s=0)
    beside.do(slow)
    beside.do(lambda: done.append("next"))
    before = list(done)
    gate.set()
    beside.finish()
    beside.finish()

    assert before == []
    assert done == ["slow", "next"]
    assert beside.late


def test_what_went_wrong_in_a_task_is_raised_at_the_end() -> None:
    beside = Beside(patience_s=60)
    beside.do(threading.Lock().release)

    with pytest.raises(RuntimeError, match="unlocked"):
        beside.finish()
