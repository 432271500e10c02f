from cluster.analysis.uncertainty.latency import withheld
from cluster.report.levels import (
    CURVE_LEVELS_MAX,
    curve_levels,
    curve_result,
    level_name,
    load_per_s,
    name_of_level,
    parts_result,
    response_result,
    throughput_result,
)
from cluster.results.summary import LevelSummary, Throughput
from fakes.summary import dead_engine_summary, sample_summary

LEVELS = sample_summary().levels


def falling_behind(level: LevelSummary) -> LevelSummary:
    return level.model_copy(
        update={
            "throughput_per_s": Throughput(min=140_000, mean=150_000, max=160_000),
            "valid": False,
        }
    )


def test_levels_are_named_by_what_was_offered() -> None:
    names = [level_name(level) for level in LEVELS]

    assert ["10,000/s", "50,000/s", "100,000/s", "200,000/s", "closed-loop (1,024)"] == names


def test_a_closed_loop_level_stands_at_its_own_throughput() -> None:
    assert [10_000, 50_000, 100_000, 200_000, 412_300] == [load_per_s(level) for level in LEVELS]


def test_a_level_is_found_by_its_index() -> None:
    assert name_of_level(LEVELS, 2) == "100,000/s"
    assert name_of_level(LEVELS, 9) == "level 10"
    assert name_of_level(LEVELS, None) == ""


def test_the_throughput_sentence_names_the_highest_level_kept_and_the_maximum() -> None:
    assert throughput_result(LEVELS) == (
        "The engine kept up with 200,000/s; closed-loop it reached 412,300/s"
    )


def test_the_throughput_sentence_says_where_the_engine_fell_behind() -> None:
    levels = [*LEVELS[:3], falling_behind(LEVELS[3])]

    assert throughput_result(levels) == (
        "The engine kept up with 100,000/s; at 200,000/s offered it answered 150,000/s"
    )


def test_a_level_that_is_not_valid_was_not_kept_up_with() -> None:
    invalid = LEVELS[1].model_copy(update={"valid": False})

    assert throughput_result([LEVELS[0], invalid]) == (
        "The engine kept up with 10,000/s; the level at 50,000/s is not valid"
    )


def test_levels_below_the_sustained_one_that_are_not_valid_are_counted() -> None:
    invalid = LEVELS[0].model_copy(update={"valid": False})

    assert throughput_result([invalid, *LEVELS[1:4]]) == (
        "The engine kept up with 200,000/s; 1 of 4 open-loop levels are not valid"
    )


def test_sentences_about_time_rest_on_valid_levels() -> None:
    invalid = [level.model_copy(update={"valid": False}) for level in LEVELS]

    assert "200,000/s" not in response_result([*LEVELS[:3], invalid[3]])
    assert "200,000/s" not in curve_result([*LEVELS[:3], invalid[3]])
    assert "200,000/s" not in parts_result([*LEVELS[:3], invalid[3]])
    assert parts_result(invalid).endswith(" (no open-loop level is valid)")


def test_the_response_sentence_compares_the_lowest_and_highest_open_loop_level() -> None:
    assert response_result(LEVELS) == (
        "p99 is 77.5 µs at 10,000/s and 429 µs at 200,000/s: 5.5 times as long"
    )
    assert response_result(LEVELS[:1]) == ("99 of 100 orders take less than 77.5 µs at 10,000/s")


def test_the_curve_sentence_speaks_of_the_rarest_orders_of_the_highest_level() -> None:
    assert curve_result(LEVELS) == (
        "At 200,000/s, about one order in 10,000 takes longer than 1.48 ms"
    )


def test_the_parts_sentence_names_engine_time_and_send_lag() -> None:
    assert parts_result(LEVELS) == (
        "At 200,000/s, of a response time p99 of 429 µs: engine time p99 8.4 µs, "
        "send lag p99 1.4 µs"
    )


def test_sentences_of_nothing_say_that_there_is_nothing() -> None:
    assert throughput_result([]) == "No level gave a throughput"
    why = "unstable at this rate: unanswered orders piled up by 100/s"
    unstable = LEVELS[0].model_copy(
        update={"response_ns": withheld(LEVELS[0].response_ns, why), "valid": False}
    )
    assert "was stable at its rate" in response_result([unstable])
    assert response_result([]) == "No open-loop level gave enough orders for a p99"
    assert curve_result([]) == "No open-loop level has a percentile curve"
    assert parts_result([]) == "No open-loop level shows where the response time goes"


def test_a_level_without_figures_is_named_as_such() -> None:
    assert throughput_result(dead_engine_summary().levels) == (
        "The engine kept up with 50,000/s; at 100,000/s offered no throughput could be measured"
    )


def test_of_many_levels_some_curves_are_drawn_and_the_highest_always() -> None:
    many = [LEVELS[i % 4].model_copy(update={"index": i}) for i in range(30)]

    drawn = [level.index for level in curve_levels(many)]

    assert len(drawn) <= CURVE_LEVELS_MAX
    assert [2, 5, 8] == drawn[:3]
    assert drawn[-1] == 29


def test_a_large_factor_has_no_exponent() -> None:
    slow = LEVELS[3].response_ns.model_copy(update={"p99": 77_500 * 1_234})
    levels = [LEVELS[0], LEVELS[3].model_copy(update={"response_ns": slow})]

    assert response_result(levels).endswith(": 1,234 times as long")
