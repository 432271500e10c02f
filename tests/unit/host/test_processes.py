import pytest

from cluster.errors import ProcessNotFound
from cluster.host.processes import ProcessFacts, find_process
from fakes.host import FakeHost

LISTING = [
    "100",
    "7\t250\tmatching-engine\t/opt/matching-engine-v2\t/opt/matching-engine-v2 --port 9001",
    "8\t300\tbash\tbash\tbash run-matching-engine-v2.sh",
    "9\t400\tworker\t/opt/worker\t/opt/worker 1",
    "10\t500\tworker\t/opt/worker\t/opt/worker 2",
    "11\t600\tbash\tbash\tbash -c for directory in /proc/[0-9]*; do matching-engine-v2",
]


def host() -> FakeHost:
    return FakeHost({"bash -c": "\n".join(LISTING)})


def test_a_process_is_found_by_pid_or_by_the_name_of_its_program() -> None:
    engine = ProcessFacts(7, "matching-engine", "/opt/matching-engine-v2 --port 9001", 2.5)

    assert engine == find_process(host(), 7)
    assert engine == find_process(host(), "matching-engine-v2")
    assert engine == find_process(host(), "matching-engine")


def test_several_matches_are_listed_with_pid_and_command_line() -> None:
    with pytest.raises(ProcessNotFound) as caught:
        find_process(host(), "worker")

    assert (
        "fake: 2 processes are called `worker`: pid 9: /opt/worker 1; pid 10: /opt/worker 2"
        == caught.value.message
    )


def test_no_match_lists_processes_that_mention_the_name_but_not_the_search_itself() -> None:
    with pytest.raises(ProcessNotFound) as caught:
        find_process(host(), "run-matching")

    assert (
        "fake: no process is called `run-matching`; its name is in the command line of "
        "pid 8: bash run-matching-engine-v2.sh" == caught.value.message
    )


def test_a_pid_that_is_not_there_is_told() -> None:
    with pytest.raises(ProcessNotFound, match="no process has pid 12"):
        find_process(host(), 12)
