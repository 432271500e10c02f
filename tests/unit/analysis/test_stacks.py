import pytest

from cluster.analysis.stacks import SHOWN, functions_of


def test_functions_have_their_share_on_top_and_anywhere():
    found = {f.name: f for f in functions_of({"main;match": 60, "main;match;insert": 40})}

    assert (found["match"].self_ratio, found["match"].total_ratio) == pytest.approx((0.6, 1))
    assert (found["insert"].self_ratio, found["insert"].samples) == pytest.approx((0.4, 40))
    assert "main" not in found


def test_a_function_that_calls_itself_counts_once_per_stack():
    (walk,) = functions_of({"walk;walk;walk": 5})

    assert walk.total_ratio == 1


def test_the_hottest_come_first_and_ties_by_name():
    names = [f.name for f in functions_of({"b": 1, "a": 1, "c": 5})]

    assert names == ["c", "a", "b"]


def test_only_so_many_are_given_and_none_without_samples():
    assert len(functions_of({f"f{i}": 1 for i in range(200)})) == SHOWN
    assert functions_of({}) == []
    assert functions_of({"a": 0}) == []
