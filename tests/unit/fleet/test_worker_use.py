from pathlib import Path

from cluster.fleet.worker_use import worker_use
from cluster.results.agent import WorkerThread


def test_a_thread_is_read_from_schedstat_and_status(tmp_path: Path) -> None:
    task = tmp_path / "42"
    task.mkdir()
    (task / "schedstat").write_text("1000 200 7\n")
    (task / "status").write_text(
        "Name:\tload-0\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t3\n"
    )

    expected = WorkerThread(
        thread_id=42, cpu_ns=1000, run_queue_wait_ns=200, involuntary_switches=3
    )
    assert worker_use(42, tmp_path) == expected


def test_a_thread_that_has_ended_has_no_use(tmp_path: Path) -> None:
    assert worker_use(42, tmp_path) is None
