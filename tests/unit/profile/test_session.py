from pathlib import Path

from cluster.experiment.model import Profile
from cluster.host.clock import ClockOffset
from cluster.host.supervised import Ended
from cluster.profile.perf_lane import how_it_failed
from cluster.profile.profile_window import profile_window
from cluster.profile.session import ProfileSession
from cluster.profile.window import HostWindow
from fakes.host import FakeHost

CLOCK = ClockOffset(offset_ns=1_000, error_ns=5, method="test")
NO_PERF = "== alive\nyes\n\n== tools\nsh\n\n== perf_path\n\n"


def ended(why: str, status: int | None = 0, signal: str | None = None, said: str = "") -> Ended:
    return Ended(status, signal, why, "", said)  # type: ignore[arg-type]  # one of the reasons


def test_a_host_without_perf_and_bash_costs_the_profile_not_the_run(tmp_path: Path) -> None:
    host = FakeHost({"sh -s": NO_PERF})
    host.says = ["missing bash5"]
    with ProfileSession(host, 42, 9001, Profile(), CLOCK, max_s=60) as session:
        session.open_window(0)
        session.close_window()
        window = session.engine_window(0, 10)
        profile = session.finish({0: 5}, tmp_path)

    assert (window, profile) == (None, ())
    assert {"no-profile", "profile-lane-failed"} == {f.code for f in session.findings}
    assert {"perf", "procfs"} <= {c.what for c in session.capabilities if not c.available}
    assert all(c.why for c in session.capabilities if not c.available)


def test_a_preflight_that_fails_is_a_finding() -> None:
    host = FakeHost()  # it has not even a shell
    host.says = ["missing bash5"]
    with ProfileSession(host, 42, 9001, Profile(), CLOCK, max_s=60) as session:
        pass

    assert [f.code for f in session.findings] == ["profile-lane-failed"] * 2


def test_a_profile_that_is_off_says_so_and_is_no_finding() -> None:
    host = FakeHost()
    host.says = ["missing bash5"]
    with ProfileSession(host, 42, 9001, "off", CLOCK, max_s=60) as session:
        pass

    assert session.capabilities[0].why == "the experiment says `profile: off`"
    assert host.ran == []
    assert [f.message.split()[0] for f in session.findings] == ["Procfs"]


def test_an_end_that_we_asked_for_is_no_failure() -> None:
    assert how_it_failed(ended("stopped", None, "SIGINT")) == ("", "")


def test_a_perf_that_ends_with_its_engine_is_no_failure() -> None:
    assert how_it_failed(ended("exited", 0)) == ("", "")


def test_data_that_grew_too_large_is_told() -> None:
    why, remedy = how_it_failed(
        ended("exited", 0, said="[ perf record: perf size limit reached, stopping session ]")
    )

    assert "reached 1GB" in why
    assert "profile.window_s" in remedy


def test_every_other_end_has_its_reason() -> None:
    killed, _ = how_it_failed(ended("exited", None, "SIGKILL"))
    refused, remedy = how_it_failed(ended("exited", 255, said="Too many events are opened."))
    lost, _ = how_it_failed(ended("heartbeat-timeout", None, "SIGINT"))

    assert "SIGKILL" in killed
    assert "one file per thread" in refused
    assert "ulimit" in remedy
    assert "did not hear from us" in lost


def test_times_of_a_window_are_told_in_the_drivers_clock() -> None:
    window = profile_window(
        HostWindow(4, 11_000, 21_000),
        [],
        None,
        {},
        sample_event="",
        unavailable={"cycles": "no PMU"},
        why_no_counters="perf was ended by SIGKILL",
        orders=7,
        to_driver_ns=CLOCK.to_driver_ns,
    )
    why = {counter.event: counter.why for counter in window.counters}

    assert (window.level, window.start_ns, window.end_ns) == (4, 10_000, 20_000)
    assert (why["cycles"], why["branches"]) == ("no PMU", "perf was ended by SIGKILL")
    assert (window.samples, window.folded, window.hot_functions) == (0, {}, [])


def test_artefacts_that_can_not_be_written_are_a_finding(tmp_path: Path) -> None:
    host = FakeHost({"sh -s": NO_PERF})
    host.says = ["missing bash5"]
    in_the_way = tmp_path / "profile"
    in_the_way.write_text("a file, not a directory")
    with ProfileSession(host, 42, 9001, Profile(), CLOCK, max_s=60) as session:
        profile = session.finish({}, in_the_way)

    assert profile == ()
    assert any("Keeping the profile failed" in f.message for f in session.findings)
