"""How far the figures can be believed, as the report shows it."""

from cluster.report.budget_views import budget_result, budget_table, budget_traces
from cluster.report.cells import DASH, Table
from cluster.report.client_tables import (
    arrival_table,
    calibration_table,
    clients_result,
    honesty_table,
)
from cluster.report.level_tables import response_table
from cluster.report.levels import level_name
from cluster.report.page import ReportInputs, build_page
from cluster.report.steady_tables import series_table, steadiness_table, steady_result
from cluster.report.uncertainty_tables import (
    half_width,
    interval_table,
    repeated_table,
    uncertainty_result,
)
from cluster.results.summary import Summary, Uncertainty
from fakes.summary import sample_summary

SUMMARY = sample_summary()
LEVELS = SUMMARY.levels
FIRST = LEVELS[0]


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_percentiles_stand_with_the_half_width_of_their_interval() -> None:
    table = response_table(LEVELS)
    row = {column.name: text for column, text in zip(table.columns, texts(table)[0], strict=True)}

    assert row["p50"].endswith("± 1 %")
    assert row["p99"].endswith("± 6 %")
    assert "±" not in row["p99.9"]


def test_an_interval_without_a_bound_says_so_everywhere() -> None:
    open_ended = Uncertainty(low=100_000, high=None, effective_count=900)
    response = FIRST.response_ns.model_copy(
        update={"intervals": FIRST.response_ns.intervals | {"p99": open_ended}}
    )
    level = FIRST.model_copy(update={"response_ns": response})

    assert half_width(response, "p99") == "or more"
    assert "no bound" in [row[4] for row in texts(interval_table([level])) if row[1] == "p99"]
    assert "no upper bound" in uncertainty_result(SUMMARY.model_copy(update={"levels": [level]}))


def test_a_figure_without_interval_says_why() -> None:
    row = next(r for r in interval_table([FIRST]).rows if r[1].text == "p99.9")

    assert row[3].text == DASH
    assert "effective orders" in row[3].reason


def test_figures_between_runs_have_every_trial_and_the_interval() -> None:
    (rate, p99) = texts(repeated_table(SUMMARY.repeated))

    assert rate[2] == "198,000/s, 200,000/s, 202,000/s"
    assert p99[1] == "response p99"
    assert (p99[4], p99[5], p99[6]) == ("116 µs", "122 µs", "± 2.5 %")


def test_a_single_trial_has_no_interval_between_runs() -> None:
    single = SUMMARY.repeated[0].model_copy(
        update={"low": None, "high": None, "half_width_ratio": None}
    )
    row = repeated_table([single]).rows[0]

    assert [cell.text for cell in row[4:]] == [DASH] * 3
    assert all("two trials" in cell.reason for cell in row[4:])


def test_later_trials_and_twins_are_named_so() -> None:
    assert level_name(FIRST.model_copy(update={"trial": 1})) == "10,000/s, trial 2"
    assert level_name(FIRST.model_copy(update={"clients": "doubled"})) == (
        "10,000/s, twice the clients"
    )


def test_warm_up_steadiness_and_little_s_law_are_a_row_of_each_level() -> None:
    row = texts(steadiness_table(LEVELS))[0]

    assert row[1:4] == ["1 s", "0.75 s", "yes"]
    assert row[-1] == "+0.2 % (within 2.0 %)"
    assert "5 levels" in steady_result(LEVELS)


def test_a_test_that_was_not_possible_says_why() -> None:
    row = next(r for r in series_table([FIRST]).rows if r[1].text == "response p99")

    assert row[5].text == DASH
    assert "too few" in row[5].reason


def test_a_level_that_was_not_steady_is_counted() -> None:
    assert FIRST.steadiness is not None
    drifting = FIRST.model_copy(
        update={"steadiness": FIRST.steadiness.model_copy(update={"steady": False})}
    )

    assert steady_result([drifting, *LEVELS[1:]]).startswith("4 of 5")


def test_every_client_stands_with_what_kept_it_from_its_schedule() -> None:
    rows = honesty_table(LEVELS).rows
    late = [row[-1] for row in rows if row[-1].tone == "bad"]

    assert len(rows) == 2 * len(LEVELS)
    assert [cell.text for cell in late] == ["yes: 93% of the tail with 50% of the orders"]
    assert all("no schedule" in row[2].reason for row in rows if "closed" in row[0].text)


def test_arrival_laws_stand_with_what_the_law_expects() -> None:
    row = texts(arrival_table(LEVELS))[0]

    assert row[5] == "1 ms: 1.02 (1) · 10 ms: 1.02 (1) · 100 ms: 1.02 (1) · 1 s: 1.02 (1)"
    assert row[-1] == "yes"
    assert "orders left as the arrival law says" in clients_result(SUMMARY)


def test_a_missed_arrival_law_is_the_result() -> None:
    missed = FIRST.arrival_tests[0].model_copy(update={"kept": False})
    level = FIRST.model_copy(update={"arrival_tests": [missed]})

    assert "missed in 1 of 1" in clients_result(SUMMARY.model_copy(update={"levels": [level]}))


def test_a_host_that_could_not_be_calibrated_says_why() -> None:
    measured, not_measured = calibration_table(SUMMARY.calibrations).rows

    assert measured[4].text == "1,850,000/s"
    assert measured[6].text.endswith("(cached)")
    assert "SSH" in not_measured[4].reason


def test_a_rate_that_the_client_did_not_end_is_a_least_one_of_each_agent() -> None:
    own = SUMMARY.calibrations[0].model_copy(update={"bound_by": "reflector", "agents": 2})

    (row,) = texts(calibration_table([own]))
    assert row[4:6] == ["at least 1,850,000/s by each of 2", "reflector"]


def test_the_budget_is_a_bar_of_shares_and_a_table_of_how_each_is_known() -> None:
    rows = budget_table([FIRST]).rows
    shares = [trace["x"] for trace in budget_traces([FIRST])]

    assert len(rows) == len(FIRST.budget)
    assert sum(x[0] for x in shares if isinstance(x, list)) == 100
    assert "client kernel, in" not in {trace["name"] for trace in budget_traces([FIRST])}
    assert "rest" in budget_result(LEVELS)


def test_a_run_without_any_of_it_still_makes_a_page() -> None:
    page = build_page(ReportInputs(without_belief(SUMMARY)))

    assert not page.intervals.rows
    assert page.clients_result == "No client was tested"
    assert page.steady_result == "No level was tested for a steady state"


def without_belief(summary: Summary) -> Summary:
    """The summary as an older loadcluster wrote it."""
    new = ("arrival_tests", "steadiness", "outlier_agents", "budget")
    levels = []
    for level in summary.levels:
        old = level.model_dump(exclude=set(new))
        for latency in ("response_ns", "service_ns"):
            del old[latency]["intervals"], old[latency]["no_interval"]
        for agent in old["agents"]:
            del agent["on_time_ratio"], agent["poll_gap_ns"]
        levels.append(old)
    whole = summary.model_dump(exclude={"levels", "repeated", "invariance", "calibrations"})
    return Summary.model_validate(whole | {"levels": levels})
