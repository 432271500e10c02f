"""Whether a compiled schema can carry what an experiment asks for: plain arithmetic.

Every misfit is a sentence about a key of the experiment. What is asked for comes as numbers, so
that a protocol knows nothing of experiments.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cluster.document.path import format_path
from cluster.document.sentences import Mistake
from cluster.protocol.compile import Compiled
from cluster.protocol.plan import NATURAL

# The ids of a day are dealt out to its tenths of a second, with an hour to spare: runs that follow
# each other then never use the same ones, and the last one of a day still has room.
TENTHS_PER_DAY: Final = 25 * 36_000


@dataclass(frozen=True)
class Needs:
    """What an experiment asks of its protocol."""

    orders_per_connection: tuple[int, ...]  # of each level, at most
    connections: int  # of all agents together
    duration_s: int  # of all levels together
    started_tenths: int  # of a second since midnight, UTC
    prices: tuple[int, int]
    sizes: tuple[int, int]
    symbols: int
    kinds: frozenset[str]  # of new orders
    actions: frozenset[str]  # replace and cancel, if they are asked for
    environment: Mapping[str, str]


@dataclass(frozen=True)
class IdBlock:
    """Which ids a level uses. Connections are counted over all agents, from 0."""

    first: int
    per_connection: int  # connection n begins n times this later; 0: each counts for itself


def ids_for(compiled: Compiled, needs: Needs) -> tuple[IdBlock, ...]:
    """The ids of each level of a run that begins when `needs` says."""
    first = compiled.ids.first
    if compiled.ids.unique_per == "connection":
        return tuple(IdBlock(first, 0) for _ in needs.orders_per_connection)
    if compiled.ids.unique_per == "day":
        first += needs.started_tenths * _ids_per_tenth(compiled)
    blocks = []
    for orders in needs.orders_per_connection:
        blocks.append(IdBlock(first, orders))
        first += orders * needs.connections
    return tuple(blocks)


def misfits(compiled: Compiled, needs: Needs) -> list[Mistake]:
    """Everything that the protocol can't do of what is asked; keys are those of an experiment."""
    return [
        *_missing_messages(compiled, needs),
        *_beyond_limits(compiled, needs),
        *_ids(compiled, needs),
        *_environment(compiled, needs),
    ]


def _missing_messages(compiled: Compiled, needs: Needs) -> Iterator[Mistake]:
    sent = {(rule.action, rule.kind) for rule in compiled.plan.sends}
    keys = {"market": "market_ratio", "immediate_or_cancel": "ioc_ratio"}
    for kind in sorted(needs.kinds):
        if ("new", kind) not in sent:
            yield Mistake(
                ("order_flow", keys.get(kind, "mix")),
                f"asks for {kind.replace('_', '-')} orders, and {compiled.title} has none",
            )
    for action in sorted(needs.actions):
        if (action, "") not in sent:
            yield Mistake(
                ("order_flow", "mix", action),
                f"must be 0: `orders` of {compiled.title} has no `{action}`",
            )


def _beyond_limits(compiled: Compiled, needs: Needs) -> Iterator[Mistake]:
    asked = (
        ("price", needs.prices, ("order_flow", "mid_price_ticks"), "prices"),
        ("size", needs.sizes, ("order_flow", "quantity_mean"), "quantities"),
        ("symbol", (0, needs.symbols - 1), ("order_flow", "symbols"), "instruments"),
        ("client", (0, needs.connections - 1), ("agents", "connections"), "connections"),
    )
    for source, (low, high), key, what in asked:
        limit = compiled.limits.get(source)
        if limit is None or limit.low <= low <= high <= limit.high:
            continue
        yield Mistake(
            key,
            f"leads to {what} from {low:,} to {high:,}, and {limit.low:,} to {limit.high:,} fit "
            f"into `{format_path(limit.path)}` of {compiled.title}",
        )


def _highest_id(compiled: Compiled) -> int:
    limit = compiled.limits.get("id")
    return NATURAL["id"][1] if limit is None else limit.high


def _ids_per_tenth(compiled: Compiled) -> int:
    return max(0, _highest_id(compiled) - compiled.ids.first) // TENTHS_PER_DAY


def _ids(compiled: Compiled, needs: Needs) -> Iterator[Mistake]:
    limit = compiled.limits.get("id")
    field = f"`{format_path(limit.path)}`" if limit else "an id"
    unique_per = compiled.ids.unique_per
    most = max(needs.orders_per_connection)
    counted = sum(needs.orders_per_connection) * needs.connections
    wanted = most if unique_per == "connection" else counted
    first = ids_for(compiled, needs)[0].first
    last = first + wanted - 1
    share = _ids_per_tenth(compiled) * 10 * max(1, needs.duration_s)
    if last > _highest_id(compiled) or first < (limit.low if limit else 0):
        yield Mistake(
            ("load",),
            f"may need ids from {first:,} to {last:,} ({_whose(unique_per)}), and only ids up "
            f"to {_highest_id(compiled):,} fit into {field} of {compiled.title}: lower the rates, "
            "shorten the levels or use more connections",
        )
    elif unique_per == "day" and wanted > share:
        yield Mistake(
            ("load",),
            f"may need {wanted:,} ids in {needs.duration_s:,} s, and {share:,} are this run's "
            f"share of a day's ids in {field} of {compiled.title}: lower the rates or use fewer "
            "connections",
        )
    sequence = compiled.limits.get("sequence")
    if sequence is not None and (compiled.plan.session.first_sequence or 0) + most > sequence.high:
        yield Mistake(
            ("load",),
            f"may need {most:,} messages per connection, and numbers up to "
            f"{sequence.high:,} fit into `{format_path(sequence.path)}` of {compiled.title}",
        )


def _whose(unique_per: str) -> str:
    return "each connection" if unique_per == "connection" else f"unique over a {unique_per}"


def _environment(compiled: Compiled, needs: Needs) -> Iterator[Mistake]:
    for name, place in compiled.secrets.items():
        if not needs.environment.get(name) and name not in compiled.defaults:
            yield Mistake(
                ("protocol",),
                f"{compiled.title} takes a credential from the environment variable {name} "
                f"({place}), which is not set: set it, or give it a `default`",
            )
