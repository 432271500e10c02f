from collections.abc import Sequence
from pathlib import Path

import pytest

from cluster.errors import ProcessNotFound
from cluster.experiment.model import Profile
from cluster.host.protocol import Completed
from cluster.profile.events import SOFTWARE_EVENTS, meaning_of_cache_misses
from cluster.profile.perf_record import record_argv, sampling_frequency_hz
from cluster.profile.preflight import Preflight, judge, preflight, recorded_event
from cluster.profile.requirements import PROBED, sections
from cluster.results.engine import Capability
from fakes.host import FakeHost

DATA = Path(__file__).parents[2] / "data" / "perf"
ROOT_ON_A_VM = (DATA / "preflight-root-vm.txt").read_text()
NOBODY = (DATA / "preflight-nobody.txt").read_text()
EVLIST = "cycles:u: type: 0, size: 128, { sample_period, sample_freq }: 997\nstatus 0\n"


def capability(found: Preflight, what: str) -> Capability:
    return next(c for c in found.capabilities if what in c.what)


def facts(**changes: str) -> dict[str, str]:
    return sections(ROOT_ON_A_VM) | changes


def test_root_on_a_virtual_machine_has_everything_but_hardware_counters() -> None:
    found = judge(facts())
    missing = [c.what for c in found.capabilities if not c.available]

    assert found.events == set(SOFTWARE_EVENTS)
    assert found.sample_event == "cpu-clock"
    assert missing == ["hardware counters"]
    assert "bare metal" in capability(found, "hardware counters").remedy
    assert "hypervisor" in found.unavailable["LLC-load-misses"]
    assert not found.why_no_samples


def test_another_users_engine_can_not_be_watched_and_the_remedy_is_told() -> None:
    found = judge(sections(NOBODY))
    watching = capability(found, "watching")

    assert found.events == set()
    assert (watching.available, "perf_event_paranoid" in watching.why) == (False, True)
    assert "setcap" in watching.remedy
    assert found.why_no_samples == watching.why


def test_a_machine_with_counters_counts_what_it_can() -> None:
    rows = [f"1;;{event}:u;5;100.00;;" for event in PROBED if not event.startswith("{")]
    rows = [row.replace("1;;LLC-loads", "<not supported>;;LLC-loads") for row in rows]
    found = judge(
        facts(
            events="\n".join([*rows, "status 0"]),
            **{f"event {PROBED[-1]}": "Error:\nThe slots event is not supported.\nstatus 255"},
        )
    )

    assert found.sample_event == "cycles"
    assert {"cycles", "cache-misses", "stalled-cycles-backend"} <= found.events
    assert set(found.unavailable) & found.events == set()
    assert "LLC-loads" in found.unavailable
    assert "L2 cache (AMD)" in capability(found, "hardware counters").what
    assert not capability(found, "top-down").available
    assert not capability(found, "event LLC-loads").available


def test_events_that_one_perf_does_not_know_are_probed_one_by_one() -> None:
    refused = "event syntax error: 'x'\nstatus 129"
    one_by_one = {f"event {event}": refused for event in PROBED} | {
        "event cycles": "5;;cycles;1;100.00;;\nstatus 0"
    }
    found = judge(facts(events=refused, **one_by_one))

    assert found.events == {"cycles"}
    assert found.unavailable["branches"] == "this perf does not know it"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "perf is not installed"),
        ("WARNING: perf not found for kernel 6.8.0-45", "wrapper without a perf"),
    ],
)
def test_without_a_perf_that_runs_nothing_is_asked_of_it(said: str, why: str) -> None:
    found = judge(facts(perf_path="", perf=said))

    assert found.perf == ""
    assert why in capability(found, "perf").why
    assert "apt-get install" in capability(found, "perf").remedy
    assert set(found.unavailable.values()) == {capability(found, "perf").why}


@pytest.mark.parametrize(
    ("changes", "what", "word"),
    [
        ({"uid": "1000", "capabilities": "0"}, "kernel stacks", "perf_event_paranoid is 2"),
        ({"kptr_restrict": "2"}, "names of kernel functions", "kptr_restrict is 2"),
        ({"threads": "600", "cpus": "128"}, "open files", "20000"),
        ({"free_kib": "2048"}, "room for samples", "2 MiB"),
        ({"tools": "bash timeout"}, "supervision (setpriv)", "setpriv is not installed"),
        ({"binary": "/e\nELF 64-bit, dynamically linked, stripped"}, "function names", "stripped"),
        ({"compiled": "GNU C++20 12.2.0 -g -O2"}, "frame pointers", "without them"),
    ],
)
def test_what_the_host_lacks_has_a_cause_and_a_remedy(
    changes: dict[str, str], what: str, word: str
) -> None:
    missing = capability(judge(facts(**changes)), what)

    assert not missing.available
    assert word in missing.why
    assert missing.remedy


def test_a_capability_replaces_root() -> None:
    found = judge(facts(uid="1000", capabilities=f"{1 << 38:x}"))

    assert capability(found, "kernel stacks").available


def test_rights_of_the_perf_program_replace_root() -> None:
    rights = "/usr/bin/perf cap_syslog,cap_perfmon=ep"
    found = judge(facts(uid="1000", capabilities="0", perf_rights=rights, kptr_restrict="1"))

    assert capability(found, "kernel stacks").available
    assert not [c for c in found.capabilities if "names of kernel" in c.what]


@pytest.mark.parametrize("kptr_restrict", ["0", "1"])
def test_the_right_to_watch_does_not_name_the_kernels_functions(kptr_restrict: str) -> None:
    rights = "/usr/bin/perf cap_perfmon=ep"
    found = judge(
        facts(uid="1000", capabilities="0", perf_rights=rights, kptr_restrict=kptr_restrict)
    )

    assert capability(found, "kernel stacks").available
    assert "no CAP_SYSLOG" in capability(found, "names of kernel").why


def test_facts_that_can_not_be_read_are_no_error() -> None:
    found = judge({})

    assert found.perf == ""
    assert found.events == set()


def test_a_process_that_is_gone_is_an_error() -> None:
    host = FakeHost({"sh -s": "== alive\n\n== tools\nbash\n"})

    with pytest.raises(ProcessNotFound, match="no process 42"):
        preflight(host, 42, Profile())


def test_sampling_without_the_tracepoint_is_tried_when_it_is_forbidden() -> None:
    def record(argv: Sequence[str], _stdin: bytes) -> str:
        forbidden = "Error:\tUnable to find debugfs/tracefs\nstatus 129\n"
        return forbidden if "sched:sched_switch" in argv else EVLIST

    found = preflight(FakeHost({"sh -s": ROOT_ON_A_VM, "sh -c": record}), 42, Profile())

    assert found.sample_event == "cycles"
    assert not found.switch_stacks
    assert "trace points" in capability(found, "stacks of waiting threads").why


def test_sampling_that_is_refused_has_its_reason() -> None:
    said = Completed(("sh",), 0, "PMU Hardware doesn't support sampling\nstatus 255\n", "")
    found = preflight(FakeHost({"sh -s": ROOT_ON_A_VM, "sh -c": said}), 42, Profile())

    assert found.sample_event == ""
    assert not capability(found, "sampling").available
    assert "can count, but not sample" in found.why_no_samples


def test_the_event_is_told_from_the_data_not_from_what_was_asked() -> None:
    assert recorded_event("cpu-clock: type: 1, size: 128\n") == "cpu-clock"
    assert recorded_event("sched:sched_switch: type: 2\ncycles:P: type: 0, size: 1") == "cycles"


def test_stacks_by_dwarf_are_sampled_less_often() -> None:
    dwarf = Profile(call_graph="dwarf", frequency_hz=997)
    argv = record_argv(["perf"], 42, dwarf, "cycles", "")

    assert sampling_frequency_hz(dwarf) == 199
    assert argv[argv.index("--call-graph") + 1] == "dwarf,8192"
    assert argv[argv.index("-F") + 1] == "199"


def test_perf_record_uses_the_clock_of_the_windows_and_leaves_no_cache() -> None:
    argv = record_argv(["perf"], 42, Profile(frequency_hz=997), "cycles", "sched:sched_switch")

    assert argv[argv.index("-k") + 1] == "CLOCK_MONOTONIC"
    assert argv[argv.index("-D") + 1] == "-1"
    assert [argv[i + 1] for i, word in enumerate(argv) if word == "-e"] == [
        "cycles",
        "sched:sched_switch",
    ]
    assert {"-N", "--switch-events", "--sample-cpu", "-g", "--max-size"} <= set(argv)


@pytest.mark.parametrize(
    ("model", "word"),
    [
        ("Intel(R) Xeon(R) Platinum 8375C", "last-level"),
        ("AMD EPYC 9R14", "L2"),
        ("Arm", "L1"),
        ("", "whatever"),
    ],
)
def test_cache_misses_mean_what_the_make_says(model: str, word: str) -> None:
    assert word in meaning_of_cache_misses(model)
