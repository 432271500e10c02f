"""The threads that carry the load, found while a run goes on."""

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

WORKER: Final = re.compile(r"load-\d+")
LOOK_S: Final = 0.01


class LoadThreads:
    """Tells of every load thread of a process, soon after it began. A context manager."""

    def __init__(self, pid: int, found: Callable[[int, int], None]) -> None:
        """Begin with `__enter__`.

        Args:
            pid: the process of the agents.
            found: called with the thread's id and how many came before it.
        """
        self._tasks = Path(f"/proc/{pid}/task")
        self._found = found
        self._seen: set[int] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_S):
            for thread_id in sorted(self._new()):
                self._found(thread_id, len(self._seen))
                self._seen.add(thread_id)

    def _new(self) -> list[int]:
        with suppress(OSError):
            ids = {int(task.name) for task in self._tasks.iterdir()} - self._seen
            return [thread_id for thread_id in ids if WORKER.fullmatch(self._name(thread_id))]
        return []

    def _name(self, thread_id: int) -> str:
        with suppress(OSError):
            return (self._tasks / str(thread_id) / "comm").read_text().strip()
        return ""
