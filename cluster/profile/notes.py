"""What the reader of a profile must know about it. Pure."""

from typing import Final, Literal

from cluster.experiment.model import Profile
from cluster.profile.aggregate import WindowStacks, shallow_ratio
from cluster.results.engine import ProfileWindow
from cluster.results.finding import Finding, Severity

# perf extrapolates what it counted only part of the time; above this nothing is worth a word.
RUNNING_RATIO_MIN: Final = 0.95
# A function with a tenth of so many samples is known to ± 6 percentage points (binomial, 95 %).
SAMPLES_MIN: Final = 100
# Where so many user stacks have no caller, the code was built without frame pointers.
SHALLOW_RATIO_MAX: Final = 0.4
SWITCH_STACK_RATIO_MIN: Final = 0.5


def notes_on_counters(window: ProfileWindow) -> list[Finding]:
    """Counters that shared the hardware."""
    scaled = [
        counter
        for counter in window.counters
        if counter.running_ratio is not None and counter.running_ratio < RUNNING_RATIO_MIN
    ]
    if not scaled:
        return []
    least = min(scaled, key=lambda counter: counter.running_ratio or 0)
    return [
        Finding(
            severity=Severity.NOTE,
            code="counters-scaled",
            message=f"{len(scaled)} counters took turns on the hardware and are extrapolated; "
            f"{least.event} was counted {(least.running_ratio or 0):.0%} of the window.",
            level=window.level,
        )
    ]


def notes_on_samples(
    window: ProfileWindow, stacks: WindowStacks, settings: Profile | Literal["off"]
) -> list[Finding]:
    """Samples that are few, lost, or have no callers."""
    findings = []
    if window.samples < SAMPLES_MIN:
        findings.append(
            Finding(
                severity=Severity.NOTE,
                code="few-samples",
                message=f"The profile has only {window.samples} samples: the shares of its "
                "functions are rough.",
                advice="Set a longer profile.window_s; an idle engine gives no samples at all.",
                level=window.level,
            )
        )
    if window.lost_samples:
        findings.append(
            Finding(
                severity=Severity.WARNING,
                code="samples-lost",
                message=f"perf lost {window.lost_samples} records of the profile.",
                advice="Lower profile.frequency_hz, or give the host an idle CPU.",
                level=window.level,
            )
        )
    shallow = shallow_ratio(stacks.on_cpu)
    if shallow is not None and shallow > SHALLOW_RATIO_MAX and window.samples >= SAMPLES_MIN:
        uses_dwarf = settings != "off" and settings.call_graph == "dwarf"
        findings.append(
            Finding(
                severity=Severity.NOTE,
                code="stacks-without-callers",
                message=f"{shallow:.0%} of the engine's stacks have no caller: hot functions are "
                "right, but not who called them.",
                advice="Build the engine with -g."
                if uses_dwarf
                else "Build the engine with -fno-omit-frame-pointer, or set "
                "profile.call_graph: dwarf.",
                level=window.level,
            )
        )
    return findings + _off_cpu_notes(window, stacks)


def _off_cpu_notes(window: ProfileWindow, stacks: WindowStacks) -> list[Finding]:
    away_ns = stacks.off_cpu_ns.total()
    if not away_ns or stacks.off_cpu_ns_with_stack >= SWITCH_STACK_RATIO_MIN * away_ns:
        return []
    return [
        Finding(
            severity=Severity.NOTE,
            code="waiting-stacks-estimated",
            message="How long threads were off the CPU is exact, but "
            f"{1 - stacks.off_cpu_ns_with_stack / away_ns:.0%} of that time has no stack of its "
            "own: it is shown under the thread's last sample before.",
            level=window.level,
        )
    ]
