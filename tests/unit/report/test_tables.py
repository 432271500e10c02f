from cluster.report.cells import DASH, Table
from cluster.report.engine_tables import (
    capabilities_table,
    counters_table,
    engine_load_table,
    functions_table,
    memory_table,
    ratios_table,
    threads_table,
    waiting_table,
)
from cluster.report.host_tables import EVENTS_SHOWN, events_table, facts_table, hosts_of
from cluster.report.level_tables import (
    agents_table,
    books_table,
    curve_table,
    parts_table,
    response_table,
    throughput_table,
)
from cluster.report.reply_tables import REASONS_SHOWN, reasons_table, replies_table
from cluster.results.engine import Counter
from cluster.results.orders import OrderCounts
from cluster.results.replies import RejectReason
from fakes.summary import (
    NO_COUNTERS,
    TOO_FEW,
    dead_engine_summary,
    sample_events,
    sample_facts,
    sample_summary,
)

SUMMARY = sample_summary()
LEVELS = SUMMARY.levels


def texts(table: Table, row: int) -> list[str]:
    return [cell.text for cell in table.rows[row]]


def by_name(table: Table, row: int) -> dict[str, str]:
    return dict(zip([c.name for c in table.columns], texts(table, row), strict=True))


def test_throughput_has_a_row_per_level_from_low_to_high() -> None:
    table = throughput_table(LEVELS)

    assert [level.index for level in LEVELS] == list(range(len(table.rows)))
    assert [
        "50,000/s",
        "poisson",
        "50,000/s",
        DASH,
        "49,650/s",
        "49,990/s",
        "50,300/s",
        "yes",
    ] == texts(table, 1)


def test_a_closed_loop_level_offers_nothing_and_says_so() -> None:
    offered = throughput_table(LEVELS).rows[-1][2]

    assert (DASH, "closed-loop: nothing was offered") == (offered.text, offered.reason)


def test_a_percentile_without_support_is_a_dash_with_the_recorded_reason() -> None:
    table = response_table(LEVELS)

    assert by_name(table, 0)["p99.9"] == DASH
    assert table.reasons == (TOO_FEW,)
    assert by_name(table, 3)["p99.9"] == "780 µs"


def test_the_level_at_which_the_engine_died_has_reasons_everywhere() -> None:
    table = response_table(dead_engine_summary().levels)

    assert set(texts(table, 2)[1:]) == {DASH}
    assert "the engine died: SIGSEGV" in table.reasons


def test_an_early_end_stands_beside_validity() -> None:
    valid = throughput_table(dead_engine_summary().levels).rows[2][-1]

    assert ("no, ended early: the engine died: SIGSEGV", "bad") == (valid.text, valid.tone)


def test_the_parts_have_four_quantities_per_level() -> None:
    table = parts_table(LEVELS[:1])

    assert ["Response time", "Service time", "Send lag", "Engine time"] == [
        row[1].text for row in table.rows
    ]
    assert by_name(table, 2)["p99"] == "1.4 µs"


def test_the_curve_has_a_row_per_point() -> None:
    table = curve_table(LEVELS)

    assert sum(len(level.curve) for level in LEVELS) == len(table.rows)
    assert ["10,000/s", "p99.99", "217 µs"] == texts(table, 10)


def test_the_books_show_every_fate_and_that_they_balance() -> None:
    expected = ["10,000/s", "100,000", "100,000", "0", "99,600", "400", "0", "0", "balanced"]

    assert expected == texts(books_table(LEVELS), 0)


def test_books_that_do_not_balance_say_by_how_much() -> None:
    orders = OrderCounts(intended=10, sent=8, unsent=1, accepted=5, lost=1)
    level = LEVELS[0].model_copy(update={"orders": orders})

    row = books_table([level]).rows[0]

    assert row[-1].text == "off by +1 (schedule) and +2 (answers)"
    assert row[-1].tone == "bad"


def test_agents_have_a_row_each_per_level_with_their_own_figures() -> None:
    table = agents_table(LEVELS)

    assert 2 * len(LEVELS) == len(table.rows)
    row = by_name(table, 1)
    assert ("agent-1", "load-1", "30,000") == (row["Agent"], row["Host"], row["Sent"])
    assert ("33.0 %", "22 µs", "180 MiB") == (
        row["Busiest worker"],
        row["Round trip"],
        row["Peak memory"],
    )
    assert row["Receiver-limited"] == DASH


def test_a_lost_agent_says_why() -> None:
    lost = LEVELS[0].agents[0].model_copy(update={"lost": "no answer for 5 s"})
    level = LEVELS[0].model_copy(update={"agents": [lost]})

    cell = agents_table([level]).rows[0][1]

    assert ("agent-0 (lost: no answer for 5 s)", "bad") == (cell.text, cell.tone)


def test_a_counter_that_could_not_count_gives_the_reason_and_never_zero() -> None:
    table = counters_table(SUMMARY.engine.counters)

    assert ["task-clock", "2.91 s", "100 %"] == texts(table, 0)
    assert ["minor-faults", "0", "42.0 %"] == texts(table, 2)
    assert (DASH, NO_COUNTERS) == (table.rows[3][1].text, table.rows[3][1].reason)


def test_a_counter_keeps_a_unit_it_has() -> None:
    table = counters_table([Counter(event="energy-pkg", value=12.5, unit="Joules")])

    assert table.rows[0][1].text == "12.5 Joules"


def test_ratios_say_why_they_are_unknown() -> None:
    table = ratios_table(SUMMARY.engine)

    assert ["instructions per cycle", DASH] == texts(table, 0)
    assert table.rows[0][1].reason.startswith("cycles were not counted")


def test_ratios_are_percentages_where_they_are_shares() -> None:
    engine = SUMMARY.engine.model_copy(
        update={
            "ratios": {"ipc": 2.113, "cache_miss_ratio": 0.0312, "task_clock_ns_per_order": 1211.4}
        }
    )

    rows = [[cell.text for cell in row] for row in ratios_table(engine).rows]

    assert [
        ["instructions per cycle", "2.11"],
        ["cache miss ratio", "3.1 %"],
        ["task clock per order", "1.21 µs"],
    ] == rows


def test_threads_stand_busiest_first() -> None:
    table = threads_table(list(reversed(SUMMARY.engine.threads)))

    assert ["match-0 (4711)", "engine (4708)"] == [row[0].text for row in table.rows]


def test_the_busiest_thread_stands_beside_the_maximum_it_predicts() -> None:
    table = engine_load_table(LEVELS)

    assert ["200,000/s", "match-0", "46.0 %", "0.4 %", "2.3 µs", "434,783/s"] == texts(table, 3)


def test_a_level_whose_threads_were_not_seen_says_why() -> None:
    row = engine_load_table(dead_engine_summary().levels).rows[2]

    assert {DASH} == {cell.text for cell in row[1:]}
    assert {"the engine died: SIGSEGV"} == {cell.reason for cell in row[1:]}


def test_memory_that_was_not_measured_says_why() -> None:
    table = memory_table(SUMMARY.engine.memory)

    assert ["peak resident size", "90 MiB"] == texts(table, 0)
    assert ["growth of the resident size", "1.5 KiB/s"] == texts(table, 1)
    assert table.rows[3][1].reason == "allocations are not traced in this version"


def test_functions_stand_hottest_first_with_their_whole_names() -> None:
    table = functions_table(list(reversed(SUMMARY.profile.hot_functions)))

    assert [
        "cluster::OrderBook::match(cluster::Order&)",
        "loadcluster-engine",
        "31.2 %",
        "44.7 %",
        "1,817",
    ] == texts(table, 0)


def test_waiting_functions_have_shares_of_time_and_no_samples() -> None:
    function = SUMMARY.profile.off_cpu[0].model_copy(update={"name": "ep_poll_[k]"})

    table = waiting_table([function])

    assert ["ep_poll", "92.0 %", "97.0 %"] == texts(table, 0)


def test_what_cannot_be_measured_stands_first_with_cause_and_remedy() -> None:
    table = capabilities_table(SUMMARY.profile.capabilities)

    assert [
        "hardware counters",
        f"no, because {NO_COUNTERS}",
        "run on bare metal, or give the guest a virtual PMU",
    ] == texts(table, 0)
    assert ["perf", "yes", DASH] == texts(table, 1)


def test_nested_facts_have_dotted_names_and_nulls_their_reason() -> None:
    facts = hosts_of(sample_facts())

    assert ["engine-host", "load-1"] == list(facts)
    rows = {row[0].text: row[1] for row in facts_table(facts["engine-host"]).rows}
    assert rows["cpu.model"].text == "AMD EPYC 7B13"
    assert rows["cpu.governor"].reason == "the guest has no frequency driver"
    assert rows["clock offset"].text == "0 ns"
    assert not {"not_measured", "not measured"} & set(rows)


def test_facts_are_written_with_their_units() -> None:
    rows = [
        [cell.text for cell in row]
        for row in facts_table({"memory_bytes": 8 * 2**30, "clock_error_ns": 12_000}).rows
    ]

    assert [["memory", "8 GiB"], ["clock error", "12 µs"]] == rows


def test_facts_may_be_a_list_that_names_its_hosts() -> None:
    facts = hosts_of([{"hostname": "a", "nics": [{"name": "eth0", "mtu": 1500}]}, {"cores": 2}])

    assert ["a", "host 2"] == list(facts)
    rows = {row[0].text: row[1].text for row in facts_table(facts["a"]).rows}
    assert rows["nics"] == "name eth0, mtu 1500"


def test_facts_of_no_known_shape_are_no_hosts() -> None:
    assert {} == hosts_of("text")
    assert {} == hosts_of(None)


def test_events_are_timed_from_the_first() -> None:
    table = events_table(sample_events())

    assert ["0.000", "level-started", "level 0, offered_per_s 10000"] == texts(table, 0)
    assert ["7.001", "perf-enabled", "level 0"] == texts(table, 1)


def test_too_many_events_are_counted_instead() -> None:
    table = events_table([{"time_ns": i, "kind": "tick"} for i in range(EVENTS_SHOWN + 5)])

    assert EVENTS_SHOWN + 1 == len(table.rows)
    assert ["", "…", "5 more are in events.jsonl"] == texts(table, EVENTS_SHOWN)


def test_what_was_replied_has_a_row_per_level_with_the_time_to_the_last_reply() -> None:
    row = by_name(replies_table(LEVELS), 1)

    assert row["Executions"] == "166,666"
    assert row["Unsolicited"] == "0"
    assert row["Several"] == "30,000"
    assert row["Last reply p50"] == "47.6 µs"


def test_where_the_last_reply_is_timed_the_first_is_told() -> None:
    level = LEVELS[1]
    update = {"timed_reply": "last", "first_reply_ns": level.last_reply_ns, "last_reply_ns": None}
    row = by_name(replies_table([level.model_copy(update=update)]), 0)

    assert row["First reply p50"] == "47.6 µs"
    assert "Last reply p50" not in row


def test_a_level_without_orders_of_several_replies_says_so() -> None:
    why = "no order had several replies"
    update = {"last_reply_ns": None, "not_measured": {"last_reply_ns": why}}
    table = replies_table([LEVELS[1].model_copy(update=update)])

    assert by_name(table, 0)["Last reply p99"] == DASH
    assert by_name(table, 0)["Several"] == "0"
    assert table.reasons == (why,)


def test_levels_of_before_replies_were_counted_have_no_row() -> None:
    older = [level.model_copy(update={"replies": None}) for level in LEVELS]

    assert replies_table(older).rows == ()


def test_reasons_of_rejections_stand_beside_what_they_mean_and_only_the_first_are_shown() -> None:
    row = by_name(reasons_table(LEVELS), 0)
    many = [RejectReason(reason=str(n), meaning="", count=1) for n in range(30)]
    update = {"reject_reasons": many}

    assert row == {
        "Level": "10,000/s",
        "Reason": "3",
        "Meaning": "unknown order",
        "Orders": "200",
    }
    assert len(reasons_table([LEVELS[0].model_copy(update=update)]).rows) == REASONS_SHOWN
