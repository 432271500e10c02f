import json

from cluster.report.speedscope import folded_text, speedscope_json


def test_folded_stacks_are_one_sorted_line_each() -> None:
    assert "a;b 2\na;c\x20d 1\n" == folded_text({"a;c\nd": 1, "a;b": 2})


def test_profiles_share_their_frames() -> None:
    document = json.loads(
        speedscope_json(
            {"on-CPU": ({"t;f": 3, "t;g": 1}, "samples"), "off-CPU": ({"t;wait": 5}, "ns")}
        )
    )

    assert [{"name": n} for n in ("t", "f", "g", "wait")] == document["shared"]["frames"]
    on_cpu, off_cpu = document["profiles"]
    assert [[0, 1], [0, 2]] == on_cpu["samples"]
    assert [3, 1] == on_cpu["weights"]
    assert (0, 4, "none") == (on_cpu["startValue"], on_cpu["endValue"], on_cpu["unit"])
    assert ([[0, 3]], "nanoseconds") == (off_cpu["samples"], off_cpu["unit"])


def test_a_profile_without_stacks_is_left_out() -> None:
    assert [] == json.loads(speedscope_json({"on-CPU": ({}, "samples")}))["profiles"]
