from pathlib import Path

import pytest

from cluster.errors import ConfigError
from cluster.experiment.model import Baseline, SshHost
from cluster.experiment.reader import load_experiment, parse_experiment

SMALL = """\
name: small
load:
  rates_per_s: [1000, 2000]
"""


def problems(text: str, *overrides: str) -> list[str]:
    """What is wrong with `text`, a line each."""
    with pytest.raises(ConfigError) as raised:
        parse_experiment(text, "x.yaml", overrides)
    return [str(problem) for problem in raised.value.problems]


def sole(text: str, *overrides: str) -> str:
    """The one thing that is wrong with `text`."""
    (problem,) = problems(text, *overrides)
    return problem


def test_a_small_file_gets_the_defaults() -> None:
    experiment = parse_experiment(SMALL, "x.yaml")

    assert experiment.name == "small"
    assert experiment.load.rates_per_s == [1000, 2000]
    assert experiment.engine.port == 9001


def test_a_file_is_read_with_its_overrides(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("\ufeff" + SMALL.replace("\n", "\r\n"), encoding="utf-8")

    experiment = load_experiment(path, ["name=other", "load.rates_per_s[1]=1_500"])

    assert experiment.name == "other"
    assert experiment.load.rates_per_s == [1000, 1500]


def test_every_mistake_is_told_at_once_in_the_order_of_the_file() -> None:
    text = """\
name: two words
engine: {port: 0}
load:
  rates_per_s: [2000, 1000]
measure:
  control_s: soon
"""

    assert problems(text) == [
        (
            "x.yaml:1: name: must be 1 to 64 letters, digits, `.`, `_` or `-`, the first a "
            "letter or digit, not the text `two words`"
        ),
        "x.yaml:2: engine.port: must be a whole number from 1 to 65535, not `0`",
        (
            "x.yaml:4: load.rates_per_s: must rise from low to high, each rate once: "
            "1,000 comes after 2,000"
        ),
        "x.yaml:6: measure.control_s: must be a whole number from 1 to 86400, not the text `soon`",
    ]


def test_an_unknown_key_names_the_nearest_and_all_keys() -> None:
    assert sole(SMALL + "agents:\n  connectionss: 3\n") == (
        "x.yaml:5: agents.connectionss: is not a key of `agents`; did you mean `connections`? "
        "Its keys: `count`, `workers`, `connections`, `wait`, `in_flight_max`, `on_engine_host`"
    )


def test_a_key_in_the_wrong_section_is_sent_to_the_right_one() -> None:
    assert "it belongs elsewhere: `load.rates_per_s`." in sole(SMALL + "rates_per_s: [1]\n")


def test_a_key_given_twice_names_both_lines() -> None:
    assert sole(SMALL + "name: other\n") == (
        "x.yaml:4: name: is given twice: here and on line 1; keep one"
    )


def test_a_missing_key_says_what_belongs_there() -> None:
    assert sole("load: {rates_per_s: [1]}") == (
        "x.yaml: name: is missing; it must be 1 to 64 letters, digits, `.`, `_` or `-`, "
        "the first a letter or digit"
    )


@pytest.mark.parametrize("word", ["off", '"off"', "'off'"])
def test_a_profile_can_be_switched_off(word: str) -> None:
    assert parse_experiment(SMALL + f"profile: {word}\n", "x.yaml").profile == "off"


@pytest.mark.parametrize(
    ("written", "rate"), [("1e5", 100_000), ("1.5e3", 1500), ("50_000", 50_000), ("+2.5", 2.5)]
)
def test_numbers_are_read_as_people_write_them(written: str, rate: float) -> None:
    text = f"name: x\nload: {{rates_per_s: [{written}]}}\n"

    assert parse_experiment(text, "x.yaml").load.rates_per_s == [rate]


def test_a_whole_number_may_be_written_with_an_exponent() -> None:
    assert parse_experiment(SMALL + "agents: {connections: 1e3}", "x").agents.connections == 1000


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("engine: {port: 01750}", "starts with 0, which YAML 1.1 reads as octal (1000)"),
        ("engine: {port: 1:30}", "is a number to base 60 in YAML 1.1"),
        ("engine: {port: 09001}", "no quotes, no 0 in front"),
        ('engine: {port: "9001"}', "not the text `9001`; write the number plainly"),
        ("engine: {port: true}", "must be a whole number from 1 to 65535, not `true`"),
        ("engine: {port: 9001.5}", "must be a whole number from 1 to 65535, not `9001.5`"),
        ("engine: {port: 70_000}", "must be a whole number from 1 to 65535, not `70000`"),
        ("engine: {port: }", "not empty; leave the key out for the default (9001)"),
        ("engine: {port: [1]}", "not a list of 1"),
        ("engine: {port: {a: 1}}", "not a section"),
        ("engine: {port: 2026-11-23}", "not the text `2026-11-23`"),
        ("engine: {port: !!python/none 1}", "the tag `!!python/none` can't be used here"),
        ("engine: {port: !!int x}", "`x` is not a value that can be read"),
        ("engine:", "must be a section (keys: `address`, `i_am_authorized_to_load`"),
        ("engine: {process: [a]}", "must be text of one line or a whole number from 1"),
        ("engine: {process: 0}", "must be text of one line or a whole number from 1"),
        ("engine: {host: remote}", "must be `local` or a section (keys: `ssh`, `user`"),
        ("engine: {host: {port: 22}}", "engine.host.ssh: is missing; it must be text"),
        ("engine: {host: {ssh: a, prot: 1}}", "did you mean `port`?"),
        ("engine: {command: ./engine --fast}", 'write a list: ["./engine", "--fast"]'),
        ("engine: {command: []}", "must be a list of 1 to 1000"),
        ("engine: {command: [a, 9001]}", 'not `9001`; write text in quotes: "9001"'),
        ("engine: {address: 'two words'}", "must be text without spaces"),
        ("engine: {process: a, command: [b]}", "`command` is given as well"),
        ("agents: {wait: spinn}", "must be `spin` or `block`, not the text `spinn`; did you mean"),
        ("agents: {workers: 5}", "agents.connections: must be at least `workers` (5), not 4"),
        ("profile: on", "or `off`, not the text `on`"),
        ("profile: {window_s: 2.5}", "profile.window_s: must be a whole number from 1"),
        ("cpus: {agents: [[0], [1]]}", "has 2 lists for 1 agents"),
        ("cpus: {agents: [[0, 1]]}", "cpus.agents[0]: has 2 CPUs for 1 workers"),
        ("cpus: [0]", "must be `unpinned` or `apart` or a section (keys: `engine`, `agents`)"),
        ("cpus: apart", "`apart` places an engine that loadcluster starts"),
        ("{cpus: apart, ray: {address: auto}}", "`apart` places the agents of this machine only"),
        ("order_flow: {mix: {new: 0.9}}", "`new` + `replace` + `cancel` must be 1, not 1.4"),
        ("order_flow: {mix: {new: 0, replace: 0.5, cancel: 0.5}}", "must be above 0: only what"),
        ("order_flow: {ioc_ratio: 1.0}", "`ioc_ratio` + `market_ratio` must be at most 1"),
        ("order_flow: {mid_price_ticks: 1000, depth_ticks: 500}", "must stay below half"),
        ("order_flow: {ioc_ratio: .nan}", "must be a number from 0 to 1, not `nan`"),
        ("scenarios: {slow_below_per_s: 100_000}", "the thresholds must rise"),
        ("baseline: {name: API}", "baseline.throughput_per_s: is missing; it must be a number"),
        ("abort: {response_p99_ms: 0}", "must be a number above 0 up to 86_400_000, not `0`"),
        ("measure: {warmup_s: -1}", "must be a whole number from 0 to 86400, not `-1`"),
        (
            "protocol: orderwier",
            "or the path of a wire schema (.yaml), not `orderwier`; did you mean",
        ),
        ("1: x", "1: is not a key of an experiment. Its keys: `name`"),
        ("[a]: x", "holds a key that is not a word; write `key: value`"),
        ("<<: {name: y}", "<<: is not a key of an experiment"),
    ],
)
def test_a_wrong_value_gets_one_sentence(yaml: str, message: str) -> None:
    text = SMALL + (yaml[1:-1].replace(", ray", "\nray") if yaml.startswith("{") else yaml) + "\n"

    assert message in sole(text)


@pytest.mark.parametrize(
    ("load", "message"),
    [
        ("{rates_per_s: [0]}", "load.rates_per_s[0]: must be a number from 1 to 1_000_000_000"),
        ("{rates_per_s: [.inf]}", "load.rates_per_s[0]: must be a number from 1 to 1_000_000_000"),
        ("{rates_per_s: [5, 5]}", "load.rates_per_s: must rise from low to high, each rate once"),
        ("{rates_per_s: 5}", "must be a list of up to 200, each a number from 1"),
        ("{rates_per_s: []}", "there is nothing to offer: give `rates_per_s`, `maximum`, or both"),
        ("{}", "there is nothing to offer"),
        ("{maximum: {in_flight: 0}}", "must be a whole number from 1 to 1_000_000, not `0`"),
        ("{speeds: [2, 1]}", "load.speeds: must rise, each speed once: 1 comes after 2"),
        ("{speeds: [1], rates_per_s: [5]}", "load.speeds: give either `rates_per_s` or `speeds`"),
        ("{speeds: [1]}", "load.speeds: scales the recorded times of a file: give `order_flow"),
        ("{maximum: 5}", "load.maximum: must be a section (keys: `in_flight`), not `5`"),
    ],
)
def test_an_impossible_load_gets_one_sentence(load: str, message: str) -> None:
    assert message in sole(f"name: x\nload: {load}\n")


def test_each_worker_of_each_agent_needs_an_order_in_flight() -> None:
    text = "name: x\nagents: {count: 2, workers: 2}\nload:\n  maximum: {in_flight: 3}\n"

    assert sole(text) == (
        "x.yaml:4: load.maximum.in_flight: must be at least 4, one for each worker of each agent, "
        "not 3"
    )


def test_aliases_are_followed() -> None:
    text = "name: x\nload: {rates_per_s: &rates [1], seed: 3}\nmeasure: {warmup_s: &w 3}\n"
    text += "profile: {window_s: *w}\n"

    experiment = parse_experiment(text, "x.yaml")

    assert experiment.profile != "off"
    assert experiment.profile.window_s == 3


def test_alternatives_are_read() -> None:
    text = SMALL + (
        "engine: {host: {ssh: engine-1, port: 2222}, process: 4711}\n"
        "baseline: {name: API, throughput_per_s: 946}\n"
    )

    experiment = parse_experiment(text, "x.yaml")

    assert experiment.engine.host == SshHost(ssh="engine-1", port=2222)
    assert experiment.engine.process == 4711
    assert experiment.baseline == Baseline(name="API", throughput_per_s=946)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.yaml: is empty; it needs at least `name` and `load`"),
        ("# nothing yet\n", "x.yaml: is empty; it needs at least `name` and `load`"),
        ("- a\n- b\n", "x.yaml: must hold keys with their values"),
        ("just words", "x.yaml: must hold keys with their values"),
        ("name: x\nload: [1\n", "x.yaml:3: is not YAML (column 1): while parsing a flow sequence"),
        ("name: x\n\tload: 1\n", "indent with spaces"),
        ("a: 1\n---\na: 2\n", "x.yaml:2: is not YAML (column 1): expected a single document"),
        ("a: *b\n", "x.yaml:1: is not YAML (column 4): found undefined alias 'b'"),
        ("a: \x07\n", "x.yaml: holds a character that no text has (U+0007)"),
        ('a: "\\UFFFFFFFF"\n', "x.yaml: is not YAML"),
        ("[" * 1000, "x.yaml:1: is nested more than 16 deep"),
        ("name: &a [*a]\n", "x.yaml:1: holds more than 100_000 values or 16 levels"),
    ],
)
def test_text_that_is_no_experiment_gets_one_sentence(text: str, message: str) -> None:
    assert message in sole(text)


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for name, inner in zip("bcdefghij", "abcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join(['*' + inner] * 9)}]")

    assert "holds more than 100_000 values or 16 levels" in sole("\n".join(lines))


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"

    with pytest.raises(ConfigError) as raised:
        load_experiment(path)

    assert str(raised.value) == f"{path}: there is no such file"


def test_a_directory_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a directory; name the file in it"):
        load_experiment(tmp_path)


def test_an_unreadable_file_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal is faked: root may read everything."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(ConfigError, match="its permissions forbid it"):
        load_experiment(Path("secret.yaml"))


def test_an_impossible_file_name_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="is not the name of a file"):
        load_experiment(Path("a\0b"))


def test_binary_content_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"name: x\n\x93NUMPY\xff")

    with pytest.raises(ConfigError) as raised:
        load_experiment(path)

    assert str(raised.value) == (f"{path}:2: is not text in UTF-8 (byte 9); is it an experiment?")


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(10**9)

    with pytest.raises(ConfigError, match="is larger than 256 KiB"):
        load_experiment(path)


def test_an_override_is_the_place_of_its_mistakes() -> None:
    assert problems(SMALL, "engine.port=0", "load.rates_per_s=[5, 1]", "agents={cuont: 1}") == [
        "--set engine.port=0: engine.port: must be a whole number from 1 to 65535, not `0`",
        (
            "--set agents={cuont: 1}: agents.cuont: is not a key of `agents`; did you mean "
            "`count`? Its keys: `count`, `workers`, `connections`, `wait`, `in_flight_max`, "
            "`on_engine_host`"
        ),
        (
            "--set load.rates_per_s=[5, 1]: load.rates_per_s: must rise from low to high, each "
            "rate once: 1 comes after 5"
        ),
    ]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("x", "--set x: must be KEY=VALUE, such as agents.count=2"),
        ("=1", "--set =1: must be KEY=VALUE"),
        ("a..b=1", "must be KEY=VALUE"),
        ("a.=1", "must be KEY=VALUE"),
        ("name=[", "--set name=[: name: is not YAML (column 2)"),
        ("engine.port=01750", "starts with 0"),
        ("load.rates_per_s[2]=1", "`load.rates_per_s` has 2 entries, [0] is the first"),
        ("load[0]=1", "`load` is not a list here; set it whole: load=[…]"),
        ("name.first=a", "`name` is `small`, which has no keys; set it whole: name={…}"),
        ("load.rates_per_s.first=1", "`load.rates_per_s` is a list, which has no keys"),
    ],
)
def test_a_wrong_override_gets_one_sentence(override: str, message: str) -> None:
    assert message in sole(SMALL, override)


def test_an_override_mends_what_the_file_has_wrong() -> None:
    experiment = parse_experiment(SMALL + "engine: {port: x}", "x.yaml", ["engine.port=1"])

    assert experiment.engine.port == 1


def test_of_two_overrides_the_later_holds() -> None:
    experiment = parse_experiment(SMALL, "x.yaml", ["agents.count=2", "agents.count=3"])

    assert experiment.agents.count == 3


def test_an_override_makes_the_sections_on_its_way() -> None:
    experiment = parse_experiment(
        SMALL + "engine:\n",
        "x.yaml",
        [
            "engine.reference.threads=2",
            "load.maximum.in_flight=8",
        ],
    )

    assert experiment.engine.reference is not None
    assert experiment.engine.reference.threads == 2
    assert experiment.load.maximum is not None
    assert experiment.load.maximum.in_flight == 8


def test_an_override_without_a_value_empties_the_key() -> None:
    text = "name: x\nload: {rates_per_s: [1], maximum: {in_flight: 5}}"

    assert parse_experiment(text, "x.yaml", ["load.maximum="]).load.maximum is None


def test_the_path_of_a_wire_schema_is_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(SMALL + "protocol: wire/own.yaml\n")

    assert load_experiment(path).protocol == str(tmp_path / "wire" / "own.yaml")


def test_the_path_of_a_wire_schema_in_an_override_is_relative_to_the_user(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(SMALL)

    assert load_experiment(path, ["protocol=own.yaml"]).protocol == str(Path.cwd() / "own.yaml")


def test_a_file_of_orders_is_named_or_described() -> None:
    text = "name: x\nload: {speeds: [1]}\norder_flow:\n  replay: "
    named = parse_experiment(text + "a.parquet\n", "e.yaml").order_flow.replayed
    described = parse_experiment(text + "{file: a.parquet, tick: 0.05}\n", "e.yaml")

    assert named is not None
    assert named.file == "a.parquet"
    assert described.order_flow.replayed is not None
    assert str(described.order_flow.replayed.exact_tick) == "0.05"
    assert "order_flow.replay.tick: must be" in sole(text + "{file: a.csv, tick: 0}\n")
    assert "order_flow.replay.columns.prize: is not a key" in sole(
        text + "{file: a.csv, columns: {prize: x}}\n"
    )


@pytest.mark.parametrize("key", ["symbols: 64", "mix: {new: 1, replace: 0, cancel: 0}"])
def test_a_key_that_means_nothing_beside_a_file_of_orders_is_refused(key: str) -> None:
    text = f"name: x\nload: {{speeds: [1]}}\norder_flow: {{replay: a.csv, seed: 2, {key}}}\n"
    name = key.partition(":")[0]

    assert sole(text).endswith(
        f"order_flow.{name}: means nothing beside `replay`: the orders are those of the file, as "
        f"they are; leave `{name}` or `replay` out"
    )
    assert parse_experiment(text.replace(f", {key}", ""), "e.yaml").order_flow.seed == 2


@pytest.mark.parametrize("written", ["a.csv", "{file: a.csv}"])
def test_the_path_of_a_file_to_replay_is_relative_to_the_experiment(
    tmp_path: Path, written: str
) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"name: x\nload: {{speeds: [1]}}\norder_flow: {{replay: {written}}}\n")
    beside = load_experiment(path).order_flow.replayed
    here = load_experiment(path, ["order_flow.replay=b.csv"]).order_flow.replayed

    assert beside is not None
    assert beside.file == str(tmp_path / "a.csv")
    assert here is not None
    assert here.file == str(Path.cwd() / "b.csv")


@pytest.mark.parametrize(
    "host",
    [
        "{ssh: engine-1, password: hunter2}",
        "{ssh: engine-1, passphrase: hunter2}",
        "{ssh: 'me:hunter2@engine-1'}",
        "{ssh: engine-1, user: 'me:hunter2'}",
    ],
)
def test_a_password_is_refused_and_not_repeated(host: str) -> None:
    said = sole(SMALL + f"engine:\n  host: {host}\n")

    assert said.startswith("x.yaml:5: engine.host.")
    assert "hunter2" not in said


def test_an_ipv6_address_is_no_password() -> None:
    experiment = parse_experiment(SMALL + "engine: {host: {ssh: 'me@fd00::1'}}\n", "x.yaml")

    assert experiment.engine.host == SshHost(ssh="me@fd00::1")
