"""The fleet on Ray: one actor per load host. The only importer of ray.

Ray carries calls, snapshots and histograms; no order ever crosses it. It is imported when a fleet
starts, not before: it reads its environment at import and takes its time.
"""

import contextlib
import functools
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Self, TypeVar

from cluster.errors import StartFailed
from cluster.experiment.model import Ray
from cluster.fleet import keeper
from cluster.fleet.agent import Agent
from cluster.fleet.keeper import family
from cluster.fleet.protocol import Fleet, PerAgent
from cluster.fleet.ray_head import Head, reach
from cluster.fleet.token import TokenError, require_token

T = TypeVar("T")

LOAD_RESOURCE = "loadgen"
OBJECT_STORE_BYTES = 128 * 1024 * 1024  # snapshots and histograms are small
SESSION_PARENT = "/tmp"  # noqa: S108  (Ray's socket paths must stay below 107 bytes)
FETCH_TIMEOUT_S = 2.0
KEEPER_TIMEOUT_S = 10.0
HEAD_LOST_S = 7 * 86_400  # longer than any run
NODE_ID_LABEL = "ray.io/node-id"  # every node has it
THREADS_PER_ACTOR = 4  # an actor that is connecting or finishing still answers polls


class RayFleet(Fleet):
    """Agents as Ray actors."""

    def __init__(
        self,
        ray: ModuleType,
        actors: Mapping[str, Any],
        release: Callable[[], None],
        head: Head,
        marks: tuple[str, ...] = (),
    ) -> None:
        self.agents = tuple(actors)
        self._ray = ray
        self._actors = dict(actors)
        self._release = release
        self._head = head
        self.marks = marks

    def call(
        self, method: Callable[..., T], arguments: Mapping[str, tuple[Any, ...]], timeout_s: float
    ) -> PerAgent[T]:
        """See `Fleet.call`."""
        name = method.__name__
        calls = {
            agent: getattr(self._actors[agent], name).remote(*args)
            for agent, args in arguments.items()
        }
        answered = self._answered(list(calls.values()), timeout_s)
        ok: dict[str, T] = {}
        failed: dict[str, str] = {}
        for agent, reference in calls.items():
            if reference not in answered:
                failed[agent] = f"no answer to `{name}` within {timeout_s:g} s"
                continue
            try:
                ok[agent] = self._ray.get(reference)
            except self._ray.exceptions.RayError as error:
                failed[agent] = _reason(error)
        return PerAgent(ok, failed)

    def _answered(self, references: list[Any], timeout_s: float) -> set[Any]:
        """Those of the answers that are here in time."""
        # Large ones stay with their agents until they are fetched. In one wait with a silent agent
        # that would begin when the time is up: it would take the others' answers with it.
        given, _ = self._ray.wait(
            references, num_returns=len(references), timeout=timeout_s, fetch_local=False
        )
        if not given:
            return set()
        here, _ = self._ray.wait(given, num_returns=len(given), timeout=FETCH_TIMEOUT_S)
        return set(here)

    def why_headless(self) -> str:
        """See `Fleet.why_headless`."""
        return self._head.why_gone()

    def close(self) -> None:
        """See `Fleet.close`."""
        if self._actors:
            self._actors = {}
            self._release()


def start_ray(
    settings: Ray,
    agents: tuple[str, ...],
    hosts: int | None = None,
    avoid: Collection[str] = (),
) -> RayFleet:
    """Start an embedded Ray, or join the one at `settings.address`, and place one actor per agent.

    Args:
        settings: Which Ray.
        agents: Their names.
        hosts: So many load hosts are enough, agents that follow each other then share one; left
            out: each agent needs its own.
        avoid: Addresses of nodes of a joined cluster that get no agent.

    Raises:
        StartFailed: Ray does not start or can't be joined, or has no room for every agent.
    """
    with contextlib.ExitStack() as undo:
        cleaner = None
        if settings.address is None:
            cleaner = undo.enter_context(_Cleaner())
            ray = _embedded(hosts or len(agents), cleaner.session)
        else:
            ray = _join(settings)
        undo.callback(ray.shutdown)
        if cleaner is not None:
            # Ray's own processes only: this process has other children, such as the engine.
            cleaner.watch_over(family(os.getpid(), cleaner.session))
        if settings.address is None:
            avoid = ()  # there is one node
        head = Head(settings.address)
        actors = _place(
            ray, settings, agents, hosts or len(agents), avoid=avoid, head=head, undo=undo
        )
        # From here on the fleet's own close undoes it.
        marks = (Path(cleaner.session).name,) if cleaner is not None else ()
        return RayFleet(ray, actors, undo.pop_all().close, head, marks)


class _Cleaner:
    """The process that cleans up after an embedded Ray, also when this one is killed."""

    def __init__(self) -> None:
        self.session = tempfile.mkdtemp(prefix="loadcluster-ray-", dir=SESSION_PARENT)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, self.session],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        self._process.wait(KEEPER_TIMEOUT_S)

    def watch_over(self, processes: list[tuple[int, int]]) -> None:
        """End these processes, if they still run, when this one is gone."""
        for pid, ticks in processes:
            self._stdin.write(f"{pid} {ticks}\n")
        self._stdin.flush()

    @property
    def _stdin(self) -> IO[str]:
        assert self._process.stdin is not None  # noqa: S101  (it was made with a pipe)
        return self._process.stdin


def _embedded(hosts: int, session: str) -> ModuleType:
    ray = _ray_with_token(_private_token(session))
    try:
        ray.init(
            address="local",
            include_dashboard=False,
            resources={LOAD_RESOURCE: hosts},
            object_store_memory=OBJECT_STORE_BYTES,
            log_to_driver=False,
            logging_level="ERROR",
            _temp_dir=session,
        )
    except Exception as error:
        raise StartFailed(
            "an embedded Ray did not start",
            {"ray": _first_line(error)},
            "look for another program on its ports or a full /tmp, or set `fleet: in-process`",
        ) from error
    return ray


def _join(settings: Ray) -> ModuleType:
    try:
        reach(str(settings.address))
        require_token()
        # Without it Ray ends this process, and all that was measured with it, a minute after the
        # head was lost.
        os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", str(HEAD_LOST_S))
        ray = _ray_with_token(None)
        ray.init(address=settings.address, log_to_driver=False, logging_level="ERROR")
    except TokenError as error:
        raise StartFailed(
            f"the Ray cluster at {settings.address} can't be joined",
            {"token": error.message},
            error.hint,
        ) from error
    except Exception as error:
        raise StartFailed(
            f"the Ray cluster at {settings.address} can't be joined",
            {"ray": _mismatch(error) or _first_line(error)},
            "check `ray status` there, `ray.address`, and that this user has the cluster's token "
            "(RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token)",
        ) from error
    return ray


def _place(
    ray: ModuleType,
    settings: Ray,
    agents: tuple[str, ...],
    hosts: int,
    *,
    avoid: Collection[str],
    head: Head,
    undo: contextlib.ExitStack,
) -> dict[str, Any]:
    from ray.util.placement_group import placement_group, remove_placement_group  # noqa: PLC0415
    from ray.util.scheduling_strategies import (  # noqa: PLC0415
        PlacementGroupSchedulingStrategy,
    )

    # One load host per agent on a cluster; an embedded Ray is a single host by definition.
    strategy = "PACK" if settings.address is None else "STRICT_SPREAD"
    nodes = _load_hosts(ray)
    avoided = [node for node in nodes if node["NodeManagerAddress"] in avoid]
    if settings.address is not None and len(nodes) - len(avoided) >= len(agents):
        hosts = len(agents)
    group = placement_group(
        [{LOAD_RESOURCE: 1}] * hosts, strategy=strategy, **_not_on(avoided, hosts)
    )
    undo.callback(_quietly, functools.partial(remove_placement_group, group), head)
    if not group.wait(settings.start_timeout_s):
        raise StartFailed(
            f"no room for {len(agents)} agents within {settings.start_timeout_s:g} s",
            {"ray": _room(_load_hosts(ray), avoided)},
            f"start each load host with: ray start --address=… "
            f"--resources='{{\"{LOAD_RESOURCE}\": 1}}'",
        )
    remote = ray.remote(Agent)
    actors = {}
    for index, name in enumerate(agents):
        actor = remote.options(
            num_cpus=0,
            resources={LOAD_RESOURCE: hosts / len(agents)},
            max_concurrency=THREADS_PER_ACTOR,
            scheduling_strategy=PlacementGroupSchedulingStrategy(
                placement_group=group,
                placement_group_bundle_index=index * hosts // len(agents),
            ),
        ).remote()
        undo.callback(_quietly, functools.partial(ray.kill, actor), head)
        actors[name] = actor
    return actors


def _load_hosts(ray: ModuleType) -> list[dict[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"] and LOAD_RESOURCE in node["Resources"]]


def _not_on(avoided: list[dict[str, Any]], bundles: int) -> dict[str, Any]:
    if not avoided:
        return {}
    ids = ",".join(node["NodeID"] for node in avoided)
    return {"bundle_label_selector": [{NODE_ID_LABEL: f"!in({ids})"}] * bundles}


def _room(nodes: list[dict[str, Any]], avoided: list[dict[str, Any]]) -> str:
    said = f"{len(nodes)} nodes offer the resource `{LOAD_RESOURCE}`"
    if not avoided:
        return said
    left_out = ", ".join(node["NodeManagerAddress"] for node in avoided)
    return f"{said}; the engine's own ({left_out}) is left out, unless `agents.on_engine_host`"


def _ray_with_token(token: Path | None) -> ModuleType:
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if token is not None:
        os.environ["RAY_AUTH_TOKEN_PATH"] = str(token)
    import ray  # noqa: PLC0415

    return ray


@functools.cache
def _token() -> str:
    # One per process: Ray reads it once, when it is imported.
    return secrets.token_hex(32)


def _private_token(session: str) -> Path:
    """A token file for an embedded Ray, so that `ray.init` leaves ~/.ray alone."""
    path = Path(session) / "token"
    path.touch(mode=0o600)
    path.write_text(_token())
    return path


def _quietly(undo: Callable[[], object], head: Head) -> None:
    # Undoing what a dead cluster has taken with it is no error: there is nothing left to undo.
    if head.why_gone():
        return
    try:
        undo()
    except Exception as error:  # noqa: BLE001  (any of Ray's, at the very end)
        sys.stderr.write(f"while closing Ray: {_first_line(error)}\n")


def _reason(error: Exception) -> str:
    cause = getattr(error, "cause", None) or error
    return _first_line(cause)


def _mismatch(error: BaseException) -> str:
    """Ray's own words where its or Python's versions differ: both, on one line."""
    said = " ".join(str(error).split())
    return said if said.startswith("Version mismatch") else ""


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
