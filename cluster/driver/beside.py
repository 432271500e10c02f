"""Has one thing after the other done beside the load, which can't wait for a slow host."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait


class Beside:
    """A thread that carries out tasks in the order they come; whoever brings one waits a moment."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="beside-the-load")
        self._tasks: list[Future[None]] = []
        self.late = False  # whether a task ever took longer than was waited for

    def do(self, task: Callable[[], None]) -> None:
        """Have `task` done, and wait for it at most `patience_s`."""
        self._tasks.append(self._worker.submit(task))
        _, unfinished = wait(self._tasks[-1:], self._patience_s)
        self.late = self.late or bool(unfinished)

    def finish(self) -> None:
        """Wait until all is done. Raises what the first task that failed raised. Idempotent."""
        self._worker.shutdown()
        for task in self._tasks:
            task.result()
