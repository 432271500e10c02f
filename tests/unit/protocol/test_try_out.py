"""One order by hand, against an engine that is a list of answers."""

from collections.abc import Iterator

import pytest

from cluster.protocol.try_out import TryOut, Verdict
from fakes.schemas import SMALL, bent, compiled

ACCEPTED_1 = bytes([0, 7, 129, 0, 0, 0, 1])
ACCEPTED_2 = bytes([0, 7, 129, 0, 0, 0, 2])
REJECTED_1 = bytes([0, 7, 130, 0, 0, 0, 1])
WITH_LOGON = bent(
    "requests:\n",
    "session: {logon: logon, logout: logon}\n"
    "requests:\n"
    "  logon:\n"
    "    fields:\n"
    "      length: {type: u16, length: message}\n"
    "      type: {type: u8, is: 9}\n"
    "      password: {type: alpha, width: 8, environment: PASSWORD}\n",
    bent(
        "replies:\n",
        "replies:\n"
        "  welcome:\n"
        "    means: logged_on\n"
        "    fields: {length: {type: u16}, type: {type: u8, is: 200}}\n",
    ),
)


class Answers:
    """What the engine sends at each receive; None: nothing within the time."""

    def __init__(self, *answers: bytes | None) -> None:
        self.sent: list[bytes] = []
        self._answers: Iterator[bytes | None] = iter(answers)

    def send(self, content: bytes) -> None:
        self.sent.append(content)

    def receive(self, timeout_s: float) -> bytes | None:
        assert 0 < timeout_s <= 5
        return next(self._answers, None)


def tried(text: str, *answers: bytes | None) -> tuple[Verdict, str, list[bytes]]:
    """What came of it, what was shown, what was sent."""
    lines: list[str] = []
    engine = Answers(*answers)
    secrets = {"PASSWORD": "sesame"}
    verdict = TryOut(compiled(text), engine, secrets, lines.append, lambda: 0.0).carry_out()
    return verdict, "\n".join(lines), engine.sent


def test_an_order_is_entered_and_cancelled() -> None:
    verdict, shown, sent = tried(SMALL, ACCEPTED_1, ACCEPTED_2)

    assert verdict.ok
    assert [content[2] for content in sent] == [1, 2]
    assert sent[1][3:11] == bytes([0, 0, 0, 2, 0, 0, 0, 1])
    assert "came, means accepted: accepted: 7 bytes" in shown


def test_a_rejected_order_is_an_answer_too() -> None:
    verdict, _, sent = tried(SMALL, REJECTED_1)

    assert verdict.ok
    assert len(sent) == 1


def test_replies_may_come_in_pieces_or_together() -> None:
    verdict, _, _ = tried(SMALL, ACCEPTED_1[:3], ACCEPTED_1[3:] + ACCEPTED_2)

    assert verdict.ok


@pytest.mark.parametrize(
    ("answers", "trouble"),
    [
        ((None,), "the order was not answered"),
        ((b"",), "the engine closed the connection"),
        (
            (bytes([1, 44]) + bytes(38), None),
            "40 bytes came, and by `framing` 300 bytes make a message",
        ),
        ((b"\0", None), "1 bytes came, and by `framing` that is no whole message"),
        (
            (bytes([0, 7, 128, 0, 0, 0, 1]), None),
            "it is most like `accepted`, but byte 2 is 80 where 81 should be",
        ),
        (
            (bytes([0, 8, 129, 0, 0, 0, 1, 0]), None),
            "it is most like `accepted`, but it has 8 bytes and not 7",
        ),
        ((bytes([0, 7, 129, 0, 0, 0, 9]),), "`accepted` names 9, and 1 was sent"),
        ((b"\0\0\0\0",), "what came can't be a message: the length field (bytes 0 to 1) says 0"),
        ((ACCEPTED_1, None), "the cancel was not answered"),
    ],
)
def test_what_does_not_fit_is_said(answers: tuple[bytes | None, ...], trouble: str) -> None:
    verdict, shown, _ = tried(SMALL, *answers)

    assert not verdict.ok
    assert any(trouble in one for one in verdict.troubles), verdict.troubles
    assert f"TROUBLE: {verdict.troubles[0]}" in shown


def test_a_session_is_logged_on_first_and_out_at_the_end() -> None:
    verdict, _, sent = tried(WITH_LOGON, bytes([0, 3, 200]), ACCEPTED_1, ACCEPTED_2, b"")

    assert verdict.ok
    assert [content[2] for content in sent] == [9, 1, 2, 9]


def test_without_an_answer_to_the_logon_no_order_is_sent() -> None:
    verdict, _, sent = tried(WITH_LOGON, None)

    assert verdict.troubles == ("the log-on was not answered",)
    assert len(sent) == 1


def test_credentials_are_sent_and_never_shown_even_if_they_come_back() -> None:
    echo = b"\0\x09sesame "

    verdict, shown, sent = tried(WITH_LOGON, echo, None)

    assert not verdict.ok
    assert b"sesame" in sent[0]
    assert "sesame" not in shown
    assert b"sesame".hex(" ") not in shown
    assert not any("sesame" in trouble for trouble in verdict.troubles)
