from cluster.report.left_behind import left_behind_result, left_behind_table
from cluster.results.left_behind import LeftBehind

CLEAN = LeftBehind(host="load-1", looked_for=["load threads"])
DIRTY = LeftBehind(host="engine-1", looked_for=["perf"], found=["pid 7: perf record"])
UNKNOWN = LeftBehind(host="load-2", looked_for=["load threads"], not_looked="no answer")


def test_a_clean_end_says_where_was_looked() -> None:
    assert left_behind_result([CLEAN]) == "nothing was left behind (looked at load-1)"


def test_what_is_left_and_what_is_not_known_are_told_apart() -> None:
    assert left_behind_result([CLEAN, DIRTY, UNKNOWN]) == (
        "something was left behind on engine-1; on load-2 not everything could be looked for "
        "(looked at load-1, engine-1, load-2)"
    )


def test_many_hosts_are_counted() -> None:
    hosts = [CLEAN.model_copy(update={"host": f"load-{k}"}) for k in range(6)]

    assert left_behind_result(hosts).endswith("load-3 and 2 more hosts)")


def test_an_older_run_does_not_claim_to_be_clean() -> None:
    assert left_behind_result([]).startswith("nobody looked")


def test_the_table_says_what_was_found() -> None:
    rows = left_behind_table([CLEAN, DIRTY, UNKNOWN]).rows

    assert [row[2].text for row in rows] == [
        "nothing",
        "pid 7: perf record",
        "not known: no answer",
    ]
