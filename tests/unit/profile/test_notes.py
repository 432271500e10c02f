from collections import Counter as Tally

import pytest

from cluster.experiment.model import Profile
from cluster.profile.aggregate import Stack, WindowStacks
from cluster.profile.notes import notes_on_counters, notes_on_samples
from cluster.profile.stacks import Frame
from cluster.profile.window import HostWindow
from cluster.results.engine import Counter, ProfileWindow

DEEP: Stack = ("t", (Frame("match", "e"), Frame("main", "e")))
SHALLOW: Stack = ("t", (Frame("match", "e"),))


def window(*counters: Counter, samples: int = 1000, lost: int = 0) -> ProfileWindow:
    return ProfileWindow(
        level=3,
        start_ns=0,
        end_ns=1,
        counters=list(counters),
        ratios={},
        ratios_not_measured={},
        samples=samples,
        sample_event="cycles",
        lost_samples=lost,
        hot_functions=[],
        folded={},
        off_cpu_folded={},
    )


def stacks(on_cpu: dict[Stack, int], away_ns: int = 0, own_ns: int = 0) -> WindowStacks:
    return WindowStacks(
        HostWindow(3, 0, 1),
        Tally(on_cpu),
        Tally({DEEP: away_ns} if away_ns else {}),
        own_ns,
    )


def codes(on_cpu: dict[Stack, int], *, samples: int = 1000, lost: int = 0) -> list[str]:
    found = notes_on_samples(window(samples=samples, lost=lost), stacks(on_cpu), Profile())
    assert {finding.level for finding in found} <= {3}
    return [finding.code for finding in found]


def test_a_good_profile_has_nothing_to_be_said() -> None:
    assert codes({DEEP: 1000}) == []


def test_few_samples_are_told() -> None:
    assert codes({DEEP: 50}, samples=50) == ["few-samples"]


def test_lost_records_are_told() -> None:
    assert codes({DEEP: 1000}, lost=7) == ["samples-lost"]


@pytest.mark.parametrize(("call_graph", "advice"), [("fp", "dwarf"), ("dwarf", "-g")])
def test_stacks_without_callers_are_told_with_what_helps(call_graph: str, advice: str) -> None:
    settings = Profile.model_validate({"call_graph": call_graph})
    (finding,) = notes_on_samples(window(), stacks({SHALLOW: 900, DEEP: 100}), settings)

    assert finding.code == "stacks-without-callers"
    assert "90%" in finding.message
    assert advice in finding.advice


def test_time_off_the_cpu_under_a_borrowed_stack_is_told() -> None:
    (finding,) = notes_on_samples(window(), stacks({DEEP: 1000}, 1000, 100), Profile())

    assert finding.code == "waiting-stacks-estimated"
    assert "90%" in finding.message
    assert notes_on_samples(window(), stacks({DEEP: 1000}, 1000, 900), Profile()) == []


def test_counters_that_took_turns_are_told() -> None:
    counters = [
        Counter(event="cycles", value=1, running_ratio=1),
        Counter(event="LLC-loads", value=1, running_ratio=0.4),
        Counter(event="dTLB-loads", value=None, why="no PMU"),
    ]
    (finding,) = notes_on_counters(window(*counters))

    assert finding.code == "counters-scaled"
    assert "LLC-loads was counted 40%" in finding.message
    assert notes_on_counters(window(counters[0])) == []
