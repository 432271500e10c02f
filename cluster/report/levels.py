"""What is said of levels: their names, and sentences that state the result of each chart."""

from collections.abc import Sequence
from typing import Final

from cluster.analysis.uncertainty.latency import UNSTABLE
from cluster.analysis.verdict.capacity import capacity
from cluster.results.summary import CurvePoint, LevelSummary
from cluster.units import format_ns, format_rate, format_speed

# Below this share of what was offered, a level that is not valid also fell short visibly.
FELL_SHORT_RATIO: Final = 0.99

_CLIENTS: Final = {"planned": "", "repeated": ", once more", "doubled": ", twice the clients"}

CURVE_LEVELS_MAX: Final = 12  # more lines than that can't be told apart


def is_closed(level: LevelSummary) -> bool:
    """Whether the level is closed-loop: nothing was offered, answers released orders."""
    return level.offered_per_s is None


def level_name(level: LevelSummary) -> str:
    """A level's short name, such as 100,000/s."""
    which = f", trial {level.trial + 1}" if level.trial else ""
    return _offer(level) + which + _CLIENTS[level.clients]


def _offer(level: LevelSummary) -> str:
    if level.offered_per_s is not None and level.speed is not None:
        return f"{format_rate(level.offered_per_s)} ({format_speed(level.speed)})"
    if level.offered_per_s is not None:
        return format_rate(level.offered_per_s)
    return "closed-loop" if level.in_flight is None else f"closed-loop ({level.in_flight:,})"


def load_per_s(level: LevelSummary) -> float | None:
    """Where a level stands on the load axis: a closed-loop one at its own throughput."""
    return level.offered_per_s if level.offered_per_s is not None else level.throughput_per_s.mean


def name_of_level(levels: Sequence[LevelSummary], index: int | None) -> str:
    """The name of level `index`; its number when no such level was measured."""
    if index is None:
        return ""
    found = next((level for level in levels if level.index == index), None)
    return level_name(found) if found else f"level {index + 1}"


def throughput_result(levels: Sequence[LevelSummary]) -> str:
    """What the throughput chart shows, in one sentence."""
    found = capacity(levels)
    sentences = []
    if found.sustained is not None:
        sentences.append(f"the engine kept up with {level_name(found.sustained)}")
    opened = [level for level in levels if not is_closed(level)]
    sustained_per_s = (found.sustained and found.sustained.offered_per_s) or 0
    beyond = [v for v in opened if not v.valid and (v.offered_per_s or 0) > sustained_per_s]
    if beyond:
        sentences.append(_not_sustained(beyond[0]))
    elif any(not level.valid for level in opened):
        invalid = sum(not level.valid for level in opened)
        sentences.append(f"{invalid} of {len(opened)} open-loop levels are not valid")
    if found.closed_loop_max_per_s is not None:
        sentences.append(f"closed-loop it reached {format_rate(found.closed_loop_max_per_s)}")
    return _sentence(sentences) or "No level gave a throughput"


def _not_sustained(level: LevelSummary) -> str:
    mean, offered = level.throughput_per_s.mean, level.offered_per_s
    if mean is None or offered is None:
        return f"at {level_name(level)} offered no throughput could be measured"
    if mean < FELL_SHORT_RATIO * offered:
        return f"at {level_name(level)} offered it answered {format_rate(mean)}"
    return f"the level at {level_name(level)} is not valid"


def response_result(levels: Sequence[LevelSummary]) -> str:
    """What the response time chart shows, in one sentence."""
    trusted, remark = _trusted(levels)
    known = [(v, v.response_ns.p99) for v in trusted if v.response_ns.p99 is not None]
    if not known and any(_is_unstable(level) for level in trusted):
        return "No open-loop level was stable at its rate: without a steady state there is no p99"
    if not known:
        return "No open-loop level gave enough orders for a p99"
    (first, first_ns), (last, last_ns) = known[0], known[-1]
    if first is last:
        return (
            f"99 of 100 orders take less than {format_ns(first_ns)} at {level_name(first)}{remark}"
        )
    grown = last_ns / max(first_ns, 1)
    change = "the same" if 0.95 <= grown <= 1.05 else f"{_factor(grown)} times as long"  # noqa: PLR2004 - 5 %
    return (
        f"p99 is {format_ns(first_ns)} at {level_name(first)} and {format_ns(last_ns)} at "
        f"{level_name(last)}: {change}{remark}"
    )


def curve_result(levels: Sequence[LevelSummary]) -> str:
    """What the percentile curve shows, in one sentence, of the highest trusted level."""
    trusted, remark = _trusted(levels)
    for level in reversed(trusted):
        tail = _deepest(level.curve)
        if tail is not None:
            beyond = float(f"{100 / (100 - tail.percentile):.2g}")
            return (
                f"At {level_name(level)}, about one order in {beyond:,.0f} takes longer than "
                f"{format_ns(tail.value_ns)}{remark}"
            )
    return "No open-loop level has a percentile curve"


def parts_result(levels: Sequence[LevelSummary]) -> str:
    """Whose the response time is at the highest trusted level, in one sentence."""
    trusted, remark = _trusted(levels)
    for level in reversed(trusted):
        lag, response = level.send_lag_ns.p99, level.response_ns.p99
        if lag is None or not response:
            continue
        inside = level.engine_ns.p99
        engine = "unknown" if inside is None else format_ns(inside)
        return (
            f"At {level_name(level)}, of a response time p99 of {format_ns(response)}: engine time "
            f"p99 {engine}, send lag p99 {format_ns(lag)}{remark}"
        )
    return "No open-loop level shows where the response time goes"


def _is_unstable(level: LevelSummary) -> bool:
    return level.response_ns.not_measured.get("p99", "").startswith(UNSTABLE)


def _trusted(levels: Sequence[LevelSummary]) -> tuple[list[LevelSummary], str]:
    """The valid open-loop levels; without any, all open-loop ones with a remark that says so."""
    opened = [level for level in levels if not is_closed(level)]
    valid = [level for level in opened if level.valid]
    return (valid, "") if valid else (opened, " (no open-loop level is valid)")


def _factor(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"  # noqa: PLR2004 - two digits do


def curve_levels(levels: Sequence[LevelSummary]) -> list[LevelSummary]:
    """The levels whose percentile curve is drawn: all, or every k-th down from the highest."""
    known = [level for level in levels if level.curve]
    every = max(1, -(-len(known) // CURVE_LEVELS_MAX))
    return known[::-1][::every][::-1]


def _deepest(curve: Sequence[CurvePoint]) -> CurvePoint | None:
    return max(
        (point for point in curve if point.percentile < 100),  # noqa: PLR2004 - 100 is the maximum
        key=lambda point: point.percentile,
        default=None,
    )


def _sentence(parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]
