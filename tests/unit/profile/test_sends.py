"""What held the engine's replies back, from texts of `ss` and between samples."""

import pytest

from cluster.profile.procfs import ProcSample, SendTimes, parse_samples
from cluster.profile.sends import NO_CONNECTION, NO_SS, NOTHING_SENT, held_back
from cluster.units import NS_PER_S

HEAD = "@ 1000000 50.25 yes\n"
TAIL = ". 1002000\n"
A, B = "10.0.0.1:9001 10.0.0.2:50001", "[::1]:9001 [::1]:50002"


def sample(sends: dict[str, SendTimes] | None) -> ProcSample:
    return ProcSample(real_ns=0, uptime_ns=0, before_ns=0, sends=sends)


def parsed(text: str) -> dict[str, SendTimes] | None:
    (found,), _ = parse_samples(HEAD + text + TAIL)
    return found.sends


def test_every_connection_has_the_times_of_its_lines() -> None:
    assert parsed(
        f"ss:0      4163072 {A}\nss:busy:1008ms\nss:rwnd_limited:1007ms\n"
        f"ss:12     0       {B}\nss:busy:4ms\nss:sndbuf_limited:1ms\n"
    ) == {
        A: SendTimes(busy=1008, rwnd_limited=1007),
        B: SendTimes(busy=4, sndbuf_limited=1),
    }


def test_a_connection_that_never_sent_has_no_times_and_a_missing_ss_is_told_from_none() -> None:
    assert parsed(f"ss:0 0 {A}\n") == {A: SendTimes()}
    assert parsed("") == {}
    assert parsed("ss:refused\n") is None


def test_shares_are_of_what_each_connection_gained_between_the_samples() -> None:
    begin = {A: SendTimes(busy=1000, rwnd_limited=900)}
    end = {A: SendTimes(busy=1800, rwnd_limited=1300), B: SendTimes(busy=200, sndbuf_limited=100)}
    found = held_back([sample(begin), sample(None), sample(end)], NS_PER_S)

    assert found == {
        "rwnd_limited_ratio": pytest.approx(400 / 1000),
        "sndbuf_limited_ratio": pytest.approx(100 / 1000),
        "send_busy_ratio": pytest.approx(0.8),
    }


def test_a_connection_that_ended_counts_as_far_as_it_was_seen() -> None:
    begin = {A: SendTimes(busy=100), B: SendTimes(busy=10)}
    middle = {A: SendTimes(busy=150, rwnd_limited=50), B: SendTimes(busy=10)}
    found = held_back([sample(begin), sample(middle), sample({B: SendTimes(busy=10)})], NS_PER_S)

    assert found == {
        "rwnd_limited_ratio": 1.0,
        "sndbuf_limited_ratio": 0.0,
        "send_busy_ratio": pytest.approx(0.05),
    }


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        ([sample(None), sample(None)], NO_SS),
        ([sample({}), sample({})], NO_CONNECTION),
        ([sample({A: SendTimes(5)}), sample({A: SendTimes(5)})], NOTHING_SENT),
    ],
)
def test_what_can_not_be_told_says_why(samples: list[ProcSample], why: str) -> None:
    assert held_back(samples, NS_PER_S) == why
