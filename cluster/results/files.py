"""Files of a run directory: whole or absent, never half; errors say what to do."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.errors import ResultsError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def explained(path: Path, purpose: str) -> Iterator[None]:
    """Turn the system's refusal into a ResultsError that names `path` and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            message, hint = "no space is left", "free some space, or choose another --out"
        elif error.errno in _FORBIDDEN:
            message, hint = "not permitted", "choose a writable directory with --out"
        elif error.errno == errno.ENOENT:
            message, hint = "it does not exist", "check the path"
        else:
            message, hint = error.strerror or str(error), "choose another directory with --out"
        raise ResultsError(f"can't {purpose} {path}: {message}", hint) from error


def write_whole(path: Path, content: str | bytes) -> None:
    """Write `path` so that a reader finds the old file or the new one, whole.

    Raises:
        ResultsError: the directory is not writable, or the disk full; no remnant is left.
    """
    data = content.encode() if isinstance(content, str) else content
    with explained(path, "write"):
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                # Some file systems report a full disk only here; afterwards the name may change.
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def read_bytes(path: Path) -> bytes:
    """A file of a run.

    Raises:
        ResultsError: it is missing or unreadable.
    """
    with explained(path, "read"):
        return path.read_bytes()


def read_text(path: Path) -> str:
    """The text of a file of a run.

    Raises:
        ResultsError: it is missing, unreadable, or not text.
    """
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise ResultsError(f"{path} is damaged: it is not UTF-8 text") from error
