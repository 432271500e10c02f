import os

from cluster.fleet.cpu_use import TICK_NS, CpuUse, busy_ns, is_crowded

STAT = """cpu  30 0 6 300 9 0 0 3 0 0
cpu0 10 1 2 100 3 4 5 6 7 8
cpu1 20 0 4 200 6 0 0 0 0 0
cpu10 90 0 0 0 0 0 0 0 0 0
intr 5 1 1
"""


def test_busy_is_all_that_is_not_idle_stolen_time_included():
    assert busy_ns(STAT, {0}) == (10 + 1 + 2 + 4 + 5 + 6) * TICK_NS
    assert busy_ns(STAT, {0, 1}) == (28 + 24) * TICK_NS


def test_a_cpu_is_not_taken_for_another_with_the_same_first_digit():
    assert busy_ns(STAT, {1}) == 24 * TICK_NS


def test_workers_are_crowded_when_they_have_to_wait_for_each_other():
    usable = len(os.sched_getaffinity(0))

    assert is_crowded(2, (1, 1), 0)
    assert not is_crowded(2, (0, 1), usable)
    assert is_crowded(usable, (), 1)
    assert not is_crowded(usable, (), 0)


def test_a_reflector_of_another_host_is_not_seen():
    assert CpuUse((), None).reflector_busy_ratio() is None


def test_a_process_that_sleeps_is_not_busy():
    use = CpuUse((), os.getppid())

    assert 0 <= use.reflector_busy_ratio() <= 2
