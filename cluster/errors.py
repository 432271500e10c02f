"""Every error a user can act on.

ClusterError               message and hint
├── ConfigError            the experiment file or a --set is wrong: all problems at once
├── HostError              something on a host failed: host
│   ├── ConnectionFailed   SSH could not be opened, or was lost
│   ├── CommandFailed      command, exit status, last lines of stderr
│   ├── MissingTool        perf, bash, setpriv … and how to install it
│   └── ProcessNotFound    the engine's process: none, or more than one, matches
├── EngineError            the engine we started did not come up, or ended
├── FleetError             per agent: which failed, and why
│   ├── StartFailed        agents, placement or connections did not come up in time
│   └── AgentLost          an agent stopped answering during a level
├── ResultsError           a run directory is missing, damaged, full, or of another schema version
└── Interrupted            the user asked to stop (Ctrl-C or SIGTERM)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class ClusterError(Exception):
    """Something went wrong that the user can act on."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Problem:
    """One mistake in an experiment file."""

    file: str
    line: int | None
    key: str
    sentence: str  # what is wrong and what is allowed

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.sentence}" if self.key else f"{place}: {self.sentence}"


class ConfigError(ClusterError):
    """The experiment can't be carried out as written; `problems` lists every mistake."""

    def __init__(self, problems: Sequence[Problem], hint: str = "") -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems), hint)


class HostError(ClusterError):
    """Something on a host failed."""

    def __init__(self, host: str, message: str, hint: str = "") -> None:
        super().__init__(f"{host}: {message}", hint)
        self.host = host


class ConnectionFailed(HostError):
    """SSH could not be opened, or the connection was lost."""


class CommandFailed(HostError):
    """A command on a host ended with an error."""

    def __init__(
        self, host: str, argv: Sequence[str], exit_status: int, stderr: str, hint: str = ""
    ) -> None:
        tail = " | ".join(stderr.strip().splitlines()[-3:])
        said = f": {tail}" if tail else ""
        super().__init__(host, f"`{' '.join(argv)}` ended with {exit_status}{said}", hint)
        self.argv = tuple(argv)
        self.exit_status = exit_status
        self.stderr = stderr


class MissingTool(HostError):
    """A program that is needed on a host is not there."""


class ProcessNotFound(HostError):
    """The engine's process could not be told: none, or more than one, matches."""


class EngineError(ClusterError):
    """The engine did not come up, or ended by itself."""


class FleetError(ClusterError):
    """Load agents failed; `failed` says which, and why."""

    def __init__(self, message: str, failed: Mapping[str, str], hint: str = "") -> None:
        details = "; ".join(f"{name}: {why}" for name, why in failed.items())
        super().__init__(f"{message}: {details}" if details else message, hint)
        self.failed = dict(failed)


class StartFailed(FleetError):
    """Agents, placement or connections did not come up in time."""


class AgentLost(FleetError):
    """An agent stopped answering during a level."""


class ResultsError(ClusterError):
    """A run directory is missing, damaged, not writable, full, or of another schema version."""


class Interrupted(ClusterError):
    """The user asked to stop; what was measured so far is kept."""
