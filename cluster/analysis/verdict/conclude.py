"""The verdict: the scenario, what holds the engine back, how sure that is, and what to do."""

from collections.abc import Sequence
from typing import Final

from cluster.analysis.clients.client_rules import clients_failed, schedule_missed
from cluster.analysis.observed import Observed
from cluster.analysis.verdict.capacity import Capacity, capacity
from cluster.analysis.verdict.case import CAUSES, Case, Cause
from cluster.analysis.verdict.evidence import gather, probabilities
from cluster.analysis.verdict.recommendation import advise
from cluster.analysis.verdict.scenario import Bottleneck, baseline_sentence, judged_scenario
from cluster.experiment.model import Baseline, Scenarios
from cluster.results.engine import EngineExit, HotFunction
from cluster.results.summary import Calibration, Evidence, Invariance, LevelSummary, Verdict
from cluster.units import format_rate

# Below this the likeliest cause is not named. Two causes equally likely have 0.5 at most.
CONFIDENCE_MIN: Final = 0.6
# Clients that miss their schedule, and an engine that ends, are facts and not inferences; what is
# left for doubt is whether something else made them.
CONFIDENCE_OF_FACT: Final = 0.95


def conclude(
    levels: Sequence[LevelSummary],
    observed: Sequence[Observed],
    *,
    scenarios: Scenarios,
    baseline: Baseline | None = None,
    engine_exit: EngineExit | None = None,
    hot_functions: Sequence[HotFunction] = (),
    spinning: str = "",
    interrupted: bool = False,
    calibrations: Sequence[Calibration] = (),
    invariance: Invariance | None = None,
) -> Verdict:
    """Judge a run.

    Args:
        levels: the summaries of its levels.
        observed: the same levels with their windows merged, in the same order.
        scenarios: the thresholds of A, B, C and beyond.
        baseline: a known rate to show beside.
        engine_exit: how the engine ended, when it did by itself.
        hot_functions: of the profile nearest the limit, hottest first.
        spinning: why the engine's CPU time says nothing; "" when it does.
        interrupted: the user ended the run: its last level shows no limit.
        calibrations: what the load hosts can do by themselves.
        invariance: whether it matters who sends, if that was tested.
    """
    found = capacity(levels, engine_exit, interrupted=interrupted)
    case = _case(
        found,
        levels,
        observed,
        spinning=spinning,
        invariance=invariance,
        calibrations=calibrations,
    )
    evidence, bottleneck, confidence = _judge(found, case, engine_exit)
    scenario, scenario_sentence = judged_scenario(found, bottleneck, scenarios)
    advice = advise(scenario, bottleneck, found, hot_functions, engine_exit)
    return Verdict(
        scenario=scenario,
        scenario_sentence=scenario_sentence,
        sustained_per_s=found.sustained_per_s,
        closed_loop_max_per_s=found.closed_loop_max_per_s,
        predicted_max_per_s=predicted_maximum(levels),
        bottleneck=bottleneck,
        confidence=confidence,
        sentence=_sentence(bottleneck, confidence, found, evidence, engine_exit),
        evidence=evidence,
        recommendation=advice.recommendation,
        next_action=advice.next_action,
        baseline_sentence=baseline_sentence(found, baseline),
    )


def predicted_maximum(levels: Sequence[LevelSummary]) -> float | None:
    """The prediction of the level with the highest throughput: batching makes orders cheaper."""
    predicting = [x for x in levels if x.predicted_max_per_s and x.throughput_per_s.mean]
    best = max(predicting, key=lambda level: level.throughput_per_s.mean or 0, default=None)
    return best.predicted_max_per_s if best else None


def _case(
    found: Capacity,
    levels: Sequence[LevelSummary],
    observed: Sequence[Observed],
    *,
    spinning: str,
    invariance: Invariance | None,
    calibrations: Sequence[Calibration],
) -> Case | None:
    deciding = found.deciding
    seen = next((o for o in observed if deciding and o.index == deciding.index), None)
    if deciding is None or seen is None:
        return None
    # Of its own trial: the same load in another one is no other level.
    trial = [level for level in levels if level.trial == deciding.trial]
    return Case(seen, trial, spinning, calibrations, invariance)


def _judge(
    found: Capacity, case: Case | None, engine_exit: EngineExit | None
) -> tuple[list[Evidence], Bottleneck, float]:
    """The evidence, the cause named and its confidence, 0 when none is named."""
    if found.deciding is None or case is None:
        return [], "inconclusive", 0.0
    rows = gather(case)
    likely = probabilities(rows)
    if clients_failed(found.deciding.findings) and schedule_missed(case.seen):
        return rows, "client", max(CONFIDENCE_OF_FACT, likely["client"])
    if engine_exit is not None:
        return rows, "engine", max(CONFIDENCE_OF_FACT, likely["engine"])
    if found.limit == "none":
        return rows, "inconclusive", 0.0
    cause: Cause = max(CAUSES, key=lambda name: likely[name])
    if likely[cause] < CONFIDENCE_MIN or (found.limit == "late" and cause != "client"):
        return rows, "inconclusive", 0.0
    return rows, cause, likely[cause]


def _sentence(
    bottleneck: Bottleneck,
    confidence: float,
    found: Capacity,
    evidence: Sequence[Evidence],
    engine_exit: EngineExit | None,
) -> str:
    where = _where(found.deciding)
    if bottleneck == "client" and found.deciding and clients_failed(found.deciding.findings):
        return f"The load clients did not send what was due at {where}: they are the limit."
    if engine_exit is not None and bottleneck == "engine":
        return f"The engine ended: {engine_exit.sentence}"
    if bottleneck != "inconclusive":
        why = next((row for row in evidence if row.supports == bottleneck), None)
        because = f" {why.quantity[0].upper()}{why.quantity[1:]}: {why.value}." if why else ""
        return f"The {bottleneck} holds it back at {where} (confidence {confidence:.0%}).{because}"
    if found.limit == "none" and found.sustained is not None:
        return f"Nothing was at its limit: the offered load ended at {where}. Offer more."
    if found.deciding is None:
        return "No level was measured."
    return f"The evidence at {where} does not single out engine, network or client."


def _where(level: LevelSummary | None) -> str:
    if level is None:
        return "every level"
    if level.offered_per_s is None:
        return f"{level.in_flight or 0:,} orders in flight, closed-loop"
    return format_rate(level.offered_per_s)
