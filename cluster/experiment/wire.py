"""The experiment's protocol: compiled, and held against what the experiment asks of it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Final, Literal

from cluster.document.path import format_path
from cluster.errors import ConfigError, Problem
from cluster.experiment.model import Experiment, OrderFlow
from cluster.experiment.plan import AgentShare, Level, Plan
from cluster.experiment.twin import TWICE, doubled, why_no_twin
from cluster.protocol.builtin import read_schema, schema_path
from cluster.protocol.compile import compile_schema
from cluster.protocol.fit import IdBlock, Needs, ids_for, misfits
from cluster.protocol.plan_text import write_plan

# An assumption: closed-loop, nobody knows how many orders a worker will get answered over TCP.
ORDERS_PER_WORKER_PER_S: Final = 3_000_000
# Random arrivals bunch, and connections take turns unevenly.
MARGIN: Final = 2
SPARE_ORDERS: Final = 10_000
# Quantities are exponential in a part; native/client/random.h says how far out they get.
EXPONENTIAL_MAX: Final = 23


@dataclass(frozen=True)
class CompiledProtocol:
    """Everything that is needed to speak an experiment's protocol."""

    title: str
    plan_text: str  # what native code loads
    ids: tuple[IdBlock, ...]  # which ids are used, for each level
    secrets: Mapping[str, str] = field(repr=False)  # credentials by the NAME of secret.NAME
    timed_reply: Literal["first", "last"]  # which reply ends the response time
    reasons: Mapping[str, str]  # names of rejections' codes (digits or letters), for the report
    refusals: Mapping[str, str]  # the same of refused logons


def compile_protocol(
    experiment: Experiment,
    planned: Plan,
    started: datetime | None = None,
    environment: Mapping[str, str] | None = None,
) -> CompiledProtocol:
    """Compile the protocol of `experiment` and hold it against what is planned.

    Call it once per run, in the driver, before anything is started; hand `plan_text` to every
    agent. Credentials are never in it: `secrets` has them beside it, by the name of the environment
    variable, defaults included. Native code gets them by that name (`secret.NAME`); they are shown
    and saved nowhere.

    Connection n (counted over all agents, from 0) of level l counts its ids from
    `ids[l].first + n * ids[l].per_connection`.

    Args:
        experiment: Its `protocol` is a builtin name or the path of a schema.
        planned: The levels; how many ids a connection needs comes from them, with a margin.
        started: When the run begins, for ids that are unique over a day; left out: now.
        environment: Where credentials must be set; left out: this process's.

    Raises:
        ConfigError: the schema is wrong, or can't carry the experiment: all mistakes at once.
    """
    replay = experiment.order_flow.replayed
    compiled = compile_schema(
        read_schema(schema_path(experiment.protocol)),
        replayed_symbols=None if replay is None else replay.symbols_max,
    )
    environment = os.environ if environment is None else environment
    needs = needs_of(experiment, planned, started or datetime.now(UTC), environment)
    problems = [
        Problem(experiment.name, None, format_path(mistake.path), mistake.sentence)
        for mistake in misfits(compiled, needs)
    ]
    if problems:
        raise ConfigError(problems)
    return CompiledProtocol(
        title=compiled.title,
        plan_text=write_plan(compiled.plan),
        ids=ids_for(compiled, needs),
        secrets={
            name: environment.get(name) or compiled.defaults[name] for name in compiled.secrets
        },
        timed_reply=compiled.plan.timed,
        reasons=compiled.reasons,
        refusals=compiled.refusals,
    )


def needs_of(
    experiment: Experiment, planned: Plan, started: datetime, environment: Mapping[str, str]
) -> Needs:
    """What `experiment` asks of its protocol."""
    flow = experiment.order_flow
    # What a file asks for is seen row by row: native/client/replay_sendable.h refuses the rest.
    is_made = flow.replay is None
    shares = {"replace": flow.mix.replace, "cancel": flow.mix.cancel} if is_made else {}
    kinds = {
        "limit": 1 - flow.ioc_ratio - flow.market_ratio,
        "market": flow.market_ratio,
        "immediate_or_cancel": flow.ioc_ratio,
    }
    if not is_made:
        kinds = {}
    midnight = started.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    of_level = _orders_per_connection if is_made else _orders_of_file
    return Needs(
        orders_per_connection=(
            *map(of_level, planned.levels),
            *_of_pair(experiment, planned, of_level),
        ),
        connections=experiment.agents.count * experiment.agents.connections,
        duration_s=sum(level.duration_s for level in planned.levels),  # that surely pass
        started_tenths=(started - midnight) // timedelta(milliseconds=100),
        prices=_prices(flow) if is_made else (1, 1),
        sizes=_sizes(flow) if is_made else (1, 1),
        symbols=flow.symbols if is_made else 1,
        kinds=frozenset(kind for kind, share in kinds.items() if share > 0),
        actions=frozenset(action for action, share in shares.items() if share > 0),
        environment=environment,
    )


def _of_pair(
    experiment: Experiment, planned: Plan, of_level: Callable[[Level], int]
) -> tuple[int, ...]:
    """The most that any level and its twin may need: which one is repeated is not known yet."""
    if not experiment.measure.client_invariance or why_no_twin(experiment):
        return ()
    unpinned = ((),) * (TWICE * experiment.agents.count)
    first = planned.trials[0]
    twins = [
        doubled(experiment, level, 0, unpinned)
        for level in first
        if not why_no_twin(experiment, level)
    ]
    return max(map(of_level, first)), max(map(of_level, twins), default=0)


def _orders_per_connection(level: Level) -> int:
    """The most that a connection of any agent may have to send at a level."""
    return max(
        ceil(_most_per_s(share) * level.longest_s / share.connections) + SPARE_ORDERS
        for share in level.shares
    )


def _orders_of_file(level: Level) -> int:
    """As above, of a file: one connection may have the only symbol that is traded."""
    if level.offered_per_s is not None:
        return ceil(MARGIN * level.offered_per_s * level.longest_s) + SPARE_ORDERS
    return ORDERS_PER_WORKER_PER_S * level.longest_s


def _most_per_s(share: AgentShare) -> float:
    return MARGIN * share.rate_per_s or share.workers * ORDERS_PER_WORKER_PER_S


def _prices(flow: OrderFlow) -> tuple[int, int]:
    """As native/client/order_flow.cpp has them: resting orders around a mid that walks."""
    farthest = max(1, (flow.spread_ticks + 1) // 2, flow.depth_ticks)
    reach = farthest + max(1, flow.depth_ticks // 4)
    least = 0 if flow.market_ratio > 0 else flow.mid_price_ticks - reach
    return least, flow.mid_price_ticks + reach


def _sizes(flow: OrderFlow) -> tuple[int, int]:
    """As native/client/order_flow.cpp has them: half for certain, the rest exponential."""
    certain = flow.quantity_mean // 2
    return 1, 1 + certain + EXPONENTIAL_MAX * (flow.quantity_mean - certain)
