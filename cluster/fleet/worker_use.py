"""What the kernel says of one of our own threads."""

from pathlib import Path

from cluster.results.agent import WorkerThread

TASKS = Path("/proc/self/task")


def worker_use(thread_id: int, tasks: Path = TASKS) -> WorkerThread | None:
    """CPU time, run-queue wait and involuntary switches of a thread since it began.

    Returns:
        None when the thread has ended.

    Source:
        Linux, Documentation/scheduler/sched-stats.rst (schedstat: on-CPU ns, waiting ns, slices).
    """
    task = tasks / str(thread_id)
    try:
        cpu_ns, wait_ns, *_ = (task / "schedstat").read_text().split()
        status = (task / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    switches = status.partition("nonvoluntary_ctxt_switches:")[2].split()
    return WorkerThread(
        thread_id=thread_id,
        cpu_ns=int(cpu_ns),
        run_queue_wait_ns=int(wait_ns),
        involuntary_switches=int(switches[0]) if switches else 0,
    )
