"""The customer's scenario: slow, medium, fast, or beyond, by what was sustained."""

from dataclasses import dataclass
from typing import Literal

from cluster.analysis.load_rules import RATE_TOLERANCE
from cluster.analysis.verdict.capacity import Capacity
from cluster.analysis.verdict.case import Cause
from cluster.experiment.model import Baseline, Scenarios
from cluster.units import format_rate

Scenario = Literal["A", "B", "C", "beyond-1M"]
Bottleneck = Cause | Literal["inconclusive"]


def scenario_of(rate_per_s: float, limits: Scenarios) -> Scenario:
    """Which scenario a rate falls into."""
    if rate_per_s >= limits.beyond_per_s:
        return "beyond-1M"
    if rate_per_s >= limits.fast_above_per_s:
        return "A"
    return "B" if rate_per_s < limits.slow_below_per_s else "C"


def judged_scenario(
    found: Capacity, bottleneck: Bottleneck, limits: Scenarios
) -> tuple[Scenario | None, str]:
    """The scenario of a run and the sentence that states it.

    A rate that was sustained shows that the engine is at least so fast. That it is no faster can
    only be said when something of the engine was at its limit: a rate below the fast threshold
    decides nothing when more was never offered, or when clients or network ended the rise.
    """
    reached = _reached(found, limits)
    if reached is None:
        return None, "No level was valid, so no sustained rate is known."
    scenario, stated = scenario_of(reached.rate_per_s, limits), reached.stated
    undecided = _undecided(scenario, found, bottleneck)
    if undecided:
        return None, f"At least {stated}; {undecided}"
    return scenario, f"{_NAMES[scenario]}: {stated}, {_meaning(scenario, limits)}"


_NAMES: dict[Scenario, str] = {
    "A": "Scenario A",
    "B": "Scenario B",
    "C": "Scenario C",
    "beyond-1M": "Beyond scenario A",
}


def _undecided(scenario: Scenario, found: Capacity, bottleneck: Bottleneck) -> str:
    """Why a rate below the fast threshold decides nothing about the engine; "" if it does."""
    if scenario in ("A", "beyond-1M"):
        return ""
    if found.limit == "none":
        return "more was never offered, so no scenario can be told."
    if found.limit == "late":
        return "clients were late beyond it: how much faster the engine is can't be told."
    if bottleneck == "client" or (bottleneck == "network" and scenario == "B"):
        return f"the {bottleneck} ended the rise: how much faster the engine is can't be told."
    return ""


def _meaning(scenario: Scenario, limits: Scenarios) -> str:
    slow, fast = format_rate(limits.slow_below_per_s), format_rate(limits.fast_above_per_s)
    if scenario == "beyond-1M":
        return f"at least {format_rate(limits.beyond_per_s)}. The design performs well."
    if scenario == "A":
        return (
            f"at least {fast}. The engine is fast; the network or the API in front of it was the "
            "limit."
        )
    if scenario == "B":
        return (
            f"below {slow}. The engine is slow: its algorithm or data structures are inefficient, "
            "or it waits."
        )
    return f"between {slow} and {fast}. The engine and what is in front of it both contribute."


@dataclass(frozen=True)
class _Reached:
    rate_per_s: float
    stated: str


def _reached(found: Capacity, limits: Scenarios) -> _Reached | None:
    """The rate that decides: what was sustained open-loop, unless closed-loop shows more.

    Where the rise of the rates met no limit, their end says how much was offered and not what the
    engine can do; the closed-loop maximum does, and is stated as such.
    """
    opened, closed = _opened(found), _closed(found)
    if opened is None or closed is None:
        return opened or closed
    undecided = found.limit == "closed-loop" and scenario_of(
        opened.rate_per_s, limits
    ) != scenario_of(closed.rate_per_s, limits)
    if undecided and closed.rate_per_s > opened.rate_per_s:
        return _Reached(
            closed.rate_per_s, f"{closed.stated} (open-loop {opened.stated}, and no more was tried)"
        )
    return opened


def _opened(found: Capacity) -> _Reached | None:
    rate, level = found.sustained_per_s, found.sustained
    if rate is None or level is None:
        return None
    stated = f"{format_rate(rate)} sustained"
    offered = level.offered_per_s
    if offered and offered > rate > (1 - RATE_TOLERANCE) * offered:
        # All that was offered was answered: what is missing is the schedule's own chance.
        return _Reached(offered, f"{stated} of {format_rate(offered)} offered")
    return _Reached(rate, stated)


def _closed(found: Capacity) -> _Reached | None:
    rate = found.closed_loop_max_per_s
    if rate is None:
        return None
    in_flight = found.closed_loop.in_flight if found.closed_loop else None
    held = f" with {in_flight:,} in flight" if in_flight else ""
    return _Reached(rate, f"{format_rate(rate)} answered closed-loop{held}")


def baseline_sentence(found: Capacity, baseline: Baseline | None) -> str:
    """The engine's rate beside a known one; "" without either."""
    if baseline is None:
        return ""
    rate, how = found.sustained_per_s, "sustains"
    if rate is None:
        rate, how = found.closed_loop_max_per_s, "answers, closed-loop,"
    if rate is None:
        return ""
    times = rate / baseline.throughput_per_s
    known = f"the {format_rate(baseline.throughput_per_s)} through {baseline.name}"
    if times < 1:
        return f"The engine alone {how} {format_rate(rate)}, less than {known}."
    return f"The engine alone {how} {format_rate(rate)}, {times:,.1f} times {known}."
