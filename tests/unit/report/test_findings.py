from cluster.report.findings import Occurrence, finding_groups, headline
from cluster.results.finding import Finding, Severity
from cluster.results.summary import Summary
from fakes.summary import dead_engine_summary, sample_summary


def with_findings(*found: Finding) -> Summary:
    return sample_summary().model_copy(update={"findings": list(found), "levels": LEVELS})


LEVELS = [level.model_copy(update={"findings": []}) for level in sample_summary().levels]


def late(level: int, message: str) -> Finding:
    return Finding(severity=Severity.INVALID, code="late", message=message, level=level)


def test_findings_stand_gravest_first() -> None:
    groups = finding_groups(dead_engine_summary())

    assert ["invalid", "warning", "note"] == [group.severity for group in groups]
    assert ("engine-died", "100,000/s") == (groups[0].code, groups[0].level)


def test_what_was_found_at_several_levels_is_said_once_by_the_highest() -> None:
    (group,) = finding_groups(
        with_findings(late(2, "by 3 ms"), late(0, "by 1 ms"), late(1, "by 2"))
    )

    assert ("100,000/s", "by 3 ms") == (group.level, group.message)
    assert (Occurrence("10,000/s", "by 1 ms"), Occurrence("50,000/s", "by 2")) == group.others
    assert group.likewise == "Likewise at 10,000/s and 50,000/s."


def test_a_finding_made_once_has_no_others() -> None:
    (group,) = finding_groups(with_findings(late(2, "by 3 ms")))

    assert ((), "") == (group.others, group.likewise)


def test_a_finding_that_run_and_level_share_is_shown_once() -> None:
    finding = late(0, "by 1 ms")
    level = LEVELS[0].model_copy(update={"findings": [finding]})
    summary = sample_summary().model_copy(update={"findings": [finding], "levels": [level]})

    assert [()] == [group.others for group in finding_groups(summary)]


def test_the_same_code_in_two_weights_makes_two_groups() -> None:
    note = late(1, "a little").model_copy(update={"severity": Severity.NOTE})

    groups = finding_groups(with_findings(note, late(2, "much")))

    assert ["invalid", "note"] == [group.severity for group in groups]


def test_a_run_that_is_not_valid_says_how_many_kinds_of_findings_say_why() -> None:
    invalid = with_findings(late(0, "a"), late(1, "b")).model_copy(update={"valid": False})

    assert headline(invalid) == (
        "This measurement is not valid: one finding says why. Do not rely on its figures."
    )


def test_an_interrupted_run_says_so() -> None:
    cut = sample_summary().model_copy(update={"interrupted": True})

    assert headline(cut) == "The run was interrupted: what was measured until then is shown."
