"""What is known of a lab that is up: written by its keeper, read by every other command."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lab.errors import LabError

_START_TICKS = 19  # field of /proc/PID/stat after the name and the state, counted from 1


@dataclass(frozen=True)
class Running:
    """A process, and when it started: another one may get its pid."""

    pid: int
    start_ticks: int

    @classmethod
    def of(cls, pid: int) -> "Running":
        """The process that has that pid now."""
        return cls(pid, _start_ticks(pid))

    @property
    def lives(self) -> bool:
        """Whether it still runs."""
        return self.start_ticks != 0 and _start_ticks(self.pid) == self.start_ticks


@dataclass(frozen=True)
class State:
    """A lab: who keeps it, and the init of every host by its name."""

    keeper: Running
    load_hosts: int
    switch: Running | None = None  # None: not up yet
    inits: dict[str, Running] = field(default_factory=dict)

    def save(self, directory: Path) -> None:
        """Write it at once, so that nobody reads a part."""
        part = directory / "state.part"
        part.write_text(json.dumps(asdict(self), indent=2))
        part.replace(_file(directory))

    @property
    def switch_pid(self) -> int:
        """A process in the switch's network.

        Raises:
            LabError: it is not up.
        """
        if self.switch is None or not self.switch.lives:
            raise LabError("the lab is not up: take it down and up again")
        return self.switch.pid

    def init_of(self, name: str) -> int:
        """The pid of a host's init.

        Raises:
            LabError: there is no such host, or it is not up.
        """
        init = self.inits.get(name)
        if init is None:
            names = ", ".join(self.inits) or "none"
            raise LabError(f"the lab has no host `{name}`; those that are up: {names}")
        if not init.lives:
            raise LabError(f"{name} has ended: take the lab down and up again")
        return init.pid


def load_state(directory: Path) -> State | None:
    """The lab of that directory; None where there is none.

    Raises:
        LabError: its file is damaged.
    """
    try:
        raw = json.loads(_file(directory).read_text())
        inits = {name: Running(**init) for name, init in raw["inits"].items()}
        switch = Running(**raw["switch"]) if raw["switch"] else None
        return State(Running(**raw["keeper"]), raw["load_hosts"], switch, inits)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(f"{_file(directory)} can't be read: {error}") from error


def _file(directory: Path) -> Path:
    return directory / "state.json"


def _start_ticks(pid: int) -> int:
    """Ticks after boot; 0: it is gone."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 0 if state == "Z" else int(fields[_START_TICKS - 1])


def ourselves() -> Running:
    """This process."""
    return Running.of(os.getpid())
