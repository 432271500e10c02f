import pytest

from cluster.fleet.kernel_times import why_no_kernel_times


@pytest.mark.parametrize(
    ("refused", "sends", "receives", "said"),
    [
        ("", 5, 7, ""),
        ("set SO_TIMESTAMPING: Operation not permitted", 5, 7, ""),  # another worker's has some
        ("set SO_TIMESTAMPING: Operation not permitted", 0, 0, "Operation not permitted"),
        ("", 0, 7, "the device stamps nothing"),
        ("", 5, 0, "nothing that it receives"),
        ("", 0, 0, "few orders"),
    ],
)
def test_what_is_missing_is_told_with_its_reason(
    refused: str, sends: int, receives: int, said: str
) -> None:
    told = why_no_kernel_times(refused, sends, receives)

    assert said in told
    assert bool(told) == bool(said)
