"""What the experiment makes of laws of arrival with parameters."""

import pytest

from cluster.errors import ConfigError
from cluster.experiment.model import Arrivals, Bursts, Experiment, Hawkes
from cluster.experiment.plan import plan
from cluster.experiment.reader import parse_experiment
from cluster.experiment.writer import dump_experiment

CPUS = frozenset({0, 1})


def experiment(arrivals: str, rates: str = "[1000, 2000]", rest: str = "") -> Experiment:
    text = f"name: x\nload:\n  arrivals: {arrivals}\n  rates_per_s: {rates}\n{rest}"
    return parse_experiment(text, "x.yaml")


def problem(arrivals: str, rates: str = "[1000, 2000]", rest: str = "") -> str:
    """The one thing that is wrong."""
    with pytest.raises(ConfigError) as raised:
        experiment(arrivals, rates, rest)
    (problem,) = raised.value.problems
    return str(problem)


@pytest.mark.parametrize("word", ["constant", "poisson"])
def test_a_law_without_parameters_is_a_word(word: str) -> None:
    load = experiment(word).load

    assert (word, None) == (load.law_name, load.law)


def test_a_law_with_parameters_is_a_section() -> None:
    hawkes = experiment("{hawkes: {branching_ratio: 0.5, decay_ms: 20}}").load
    bursts = experiment("{bursts: {on_ms: 5, off_ms: 15, within: constant}}").load

    assert ("hawkes", Hawkes(branching_ratio=0.5, decay_ms=20)) == (hawkes.law_name, hawkes.law)
    assert ("bursts", Bursts(on_ms=5, off_ms=15, within="constant")) == (
        bursts.law_name,
        bursts.law,
    )


def test_a_law_as_run_is_read_back() -> None:
    for arrivals in ("{hawkes: {}}", "{bursts: {on_ms: 2.5, off_ms: 7.5}}"):
        as_run = experiment(arrivals)

        assert parse_experiment(dump_experiment(as_run), "x.yaml") == as_run


def test_an_override_may_change_a_parameter() -> None:
    text = "name: x\nload: {arrivals: {hawkes: {}}, rates_per_s: [1000]}\n"

    changed = parse_experiment(text, "x.yaml", ["load.arrivals.hawkes.branching_ratio=0.6"])

    assert changed.load.law == Hawkes(branching_ratio=0.6)


def test_a_hawkes_memory_grows_with_its_branching_ratio() -> None:
    assert Hawkes(branching_ratio=0.75, decay_ms=5).memory_s == pytest.approx(0.02)
    assert Hawkes(branching_ratio=0.75).spread == pytest.approx(4)


@pytest.mark.parametrize(
    ("arrivals", "sentence"),
    [
        ("often", "load.arrivals: must be `constant` or `poisson` or a section (keys: `hawkes`"),
        ("{}", "load.arrivals: give one law: `hawkes` or `bursts`"),
        ("{hawkes: {}, bursts: {}}", "load.arrivals: give one law: `hawkes` or `bursts`"),
        ("{poisson: {}}", "load.arrivals.poisson: is not a key of `load.arrivals`"),
        (
            "{hawkes: {branching_ratio: 1}}",
            "load.arrivals.hawkes.branching_ratio: must be a number above 0 up to 0.99, not `1`",
        ),
        ("{hawkes: {decay_ms: 0}}", "load.arrivals.hawkes.decay_ms: must be a number from 0.001"),
        (
            "{bursts: {within: hawkes}}",
            "load.arrivals.bursts.within: must be `constant` or `poisson`",
        ),
    ],
)
def test_an_impossible_law_is_told_in_a_sentence(arrivals: str, sentence: str) -> None:
    assert sentence in problem(arrivals)


@pytest.mark.parametrize(
    ("arrivals", "sentence"),
    [
        (
            "{hawkes: {branching_ratio: 0.9, decay_ms: 60}}",
            "x.yaml:3: load.arrivals.hawkes: remembers for 0.6 s",
        ),
        (
            "{bursts: {on_ms: 1000, off_ms: 9000}}",
            "load.arrivals.bursts: come every 10000 ms, so a window of 5 s holds 0.5 of them",
        ),
        ("{bursts: {on_ms: 100, off_ms: 200}}", "so a window of 5 s holds 16.67 of them"),
    ],
)
@pytest.mark.parametrize(
    "rest",
    [
        "measure: {control_s: 5}\nprofile: {window_s: 60}",
        "measure: {control_s: 60}\nprofile: {window_s: 5}",
    ],
)
def test_a_window_that_is_no_fair_sample_is_refused(
    arrivals: str, sentence: str, rest: str
) -> None:
    assert sentence in problem(arrivals, rest=rest)


@pytest.mark.parametrize(
    "arrivals",
    [
        "{hawkes: {branching_ratio: 0.9, decay_ms: 50}}",  # ten memories, but for rounding
        "{bursts: {on_ms: 1000, off_ms: 4000}}",  # one period
        "{bursts: {on_ms: 10, off_ms: 38.7}}",  # more than a hundred, not whole
    ],
)
def test_a_fair_window_is_taken(arrivals: str) -> None:
    assert experiment(arrivals, rest="measure: {control_s: 5}\nprofile: {window_s: 5}").load.law


def test_bursts_that_cannot_carry_a_rate_are_refused() -> None:
    assert (
        "load.arrivals.bursts: come every 100 ms: at 10 orders per second that is 1 in each, "
        "where there must be at least 2"
    ) in problem("{bursts: {on_ms: 10, off_ms: 90}}", "[10, 1000]")
    assert (
        "load.arrivals.bursts: are on for 1 ms in 100 ms: 20,000,000 orders per second in the "
        "mean are 2e+09 while on, and no more than 1,000,000,000 can be"
    ) in problem("{bursts: {on_ms: 1, off_ms: 99}}", "[1000, 20_000_000]")


def test_every_open_level_has_the_law_and_the_maximum_has_none() -> None:
    arrivals = Arrivals(hawkes=Hawkes(branching_ratio=0.5))
    whole = experiment("{hawkes: {branching_ratio: 0.5}}", "[10, 20]\n  maximum: {in_flight: 64}")

    levels = plan(whole, CPUS).levels

    assert ["hawkes", "hawkes", "closed"] == [level.arrivals for level in levels]
    assert [arrivals.law, arrivals.law, None] == [level.law for level in levels]
    assert levels[0].arrivals_in_words == "hawkes (branching ratio 0.5, decay 5 ms)"
    assert levels[2].arrivals_in_words == "closed"


def test_agents_interleave_within_constant_bursts_only() -> None:
    agents = "agents: {count: 4}"
    constant = experiment("{bursts: {within: constant}}", rest=agents)
    poisson = experiment("{bursts: {within: poisson}}", rest=agents)

    assert [0, 0.25, 0.5, 0.75] == [share.phase for share in plan(constant, CPUS).levels[0].shares]
    assert [0, 0, 0, 0] == [share.phase for share in plan(poisson, CPUS).levels[0].shares]
