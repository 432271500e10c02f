"""Ends a lab that was left up, also one whose keeper was killed."""

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Final

from lab.errors import LabError
from lab.state import Running, load_state

END_S: Final = 30.0
LOOK_S: Final = 0.05


def take_down(directory: Path) -> bool:
    """End the lab of that directory and remove it. Doing it again does no harm.

    Returns:
        Whether there was one.

    Raises:
        LabError: the directory holds no lab, or something could not be ended.
    """
    if not directory.exists():
        return False
    state = load_state(directory)
    if state is None:
        raise LabError(f"{directory} is no lab's directory: it has no state.json")
    if state.keeper.lives:
        os.kill(state.keeper.pid, signal.SIGTERM)
        _await_end(state.keeper, "the lab's keeper")
    # Of a keeper that was killed: the hosts end when they see that nobody holds their stdin.
    for name, init in state.inits.items():
        _await_end(init, name)
    shutil.rmtree(directory, ignore_errors=True)
    if directory.exists():
        raise LabError(f"{directory} can't be removed")
    return True


def _await_end(process: Running, what: str) -> None:
    deadline = time.monotonic() + END_S
    while process.lives and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    if process.lives:
        os.kill(process.pid, signal.SIGKILL)
        raise LabError(f"{what} did not end within {END_S:g} s and was killed: try again")
