"""What a load host knows of itself: calibrations remembered on it, one file each.

Whatever is wrong with it, the host is calibrated anew. It holds facts of hosts and figures only.
"""

import hashlib
import json
import logging
import os
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from cluster import __version__
from cluster.errors import ClusterError
from cluster.fleet.calibration_spec import CalibrationSpec
from cluster.host.reference import reference_engine
from cluster.results.files import read_text, write_whole
from cluster.results.record import Record
from cluster.results.summary import Calibration

OLDEST: Final = timedelta(days=30)
# Something else used the host: next time that may be over, but not in the next minutes.
OLDEST_DISTURBED: Final = timedelta(hours=1)
ONLY_OURS: Final = 0o700

_log = logging.getLogger(__name__)

Key = dict[str, str | int | list[int] | None]


class Remembered(Record):
    """One file of the cache."""

    key: Key
    calibration: Calibration


def cache_directory() -> Path:
    """Where calibrations are kept, as the XDG Base Directory Specification says."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification: a path that is not absolute is to be ignored.
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return root / "loadcluster" / "calibration"


def key_of(spec: CalibrationSpec, build: str) -> Key:
    """Everything that changes the answer.

    Args:
        spec: what is asked for.
        build: of the native code; see `native_build`.
    """
    shape = spec.shape
    return {
        **{f"fact {name}": value for name, value in spec.facts.items()},
        "host": spec.host,
        "against": spec.against,
        "version": __version__,
        "build": build,
        "agents": shape.agents,
        "workers": shape.workers,
        "connections": shape.connections,
        "in_flight_max": shape.in_flight_max,
        "wait": "spin" if shape.spin else "block",
        "cpus": list(shape.cpus),
    }


def native_build() -> str:
    """A digest of the load client and of the reflector, as they are installed here."""
    return hashlib.sha256(_client() + reference_engine().read_bytes()).hexdigest()[:16]


def client_build() -> str:
    """A digest of the load client, as it is installed here."""
    return hashlib.sha256(_client()).hexdigest()[:16]


def _client() -> bytes:
    client = find_spec("cluster._native")
    return Path(client.origin).read_bytes() if client is not None and client.origin else b""


def recall(directory: Path, key: Key, now: datetime | None = None) -> Calibration | None:
    """What is known under `key`: None if nothing is, or it is old, damaged, or of another key."""
    try:
        found = Remembered.model_validate_json(read_text(_file(directory, key)))
        age = (now or datetime.now(UTC)) - datetime.fromisoformat(found.calibration.measured_at)
    except (ClusterError, ValidationError, ValueError, TypeError):
        return None
    known = found.calibration
    disturbed = known.clean_rate_per_s is None or known.bound_by == "other load"
    oldest = OLDEST_DISTURBED if disturbed else OLDEST
    if found.key != key or not timedelta(0) <= age <= oldest:
        return None
    return known.model_copy(update={"cached": True})


def remember(directory: Path, key: Key, calibration: Calibration) -> None:
    """Keep a calibration. Where that is not possible, the next run measures again."""
    try:
        directory.mkdir(mode=ONLY_OURS, parents=True, exist_ok=True)
        content = Remembered(key=key, calibration=calibration).model_dump_json(indent=2)
        write_whole(_file(directory, key), content)
    except (ClusterError, OSError) as error:
        _log.warning("the calibration can't be remembered: %s", error)


def _file(directory: Path, key: Key) -> Path:
    text = json.dumps(key, sort_keys=True, ensure_ascii=False)
    return directory / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
