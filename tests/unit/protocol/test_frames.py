import pytest

from cluster.protocol.frames import BrokenFrameError, frame_length
from cluster.protocol.plan import (
    DelimiterFrame,
    FixedFrame,
    FixFrame,
    Frame,
    HeadFrame,
    LengthFrame,
    RespFrame,
)

WHOLE = LengthFrame(at=0, width=2, order="big", add=0, min=3, max=100)
REST = LengthFrame(at=1, width=2, order="little", add=3, min=3, max=100)
LINE = DelimiterFrame(b"\r\n", 20)
HTTP = HeadFrame(b"\r\n\r\n", b"Content-Length:", 200)
RESP = RespFrame(100)
FIX = FixFrame(b"8=FIX.4.4\x01", 200)
REPORT = b"8=FIX.4.4\x019=5\x0135=8\x0110=123\x01"


@pytest.mark.parametrize(
    ("frame", "content"),
    [
        (FixedFrame(4), b"abcd"),
        (WHOLE, b"\0\x05abc"),
        (REST, b"x\x02\0ab"),
        (LINE, b"STORED\r\n"),
        (HTTP, b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc"),
        (HTTP, b"HTTP/1.1 204 No Content\r\n\r\n"),
        (RESP, b"+OK\r\n"),
        (RESP, b"$3\r\nabc\r\n"),
        (RESP, b"$-1\r\n"),
        (RESP, b"*2\r\n$1\r\na\r\n:7\r\n"),
        (RESP, b"*0\r\n"),
        (FIX, REPORT),
    ],
)
def test_a_frame_ends_where_its_rule_says(frame: Frame, content: bytes) -> None:
    assert frame_length(frame, content) == len(content)
    assert frame_length(frame, content + b"more") == len(content)
    for end in range(len(content)):
        length = frame_length(frame, content[:end])
        assert length is None or length == len(content)


@pytest.mark.parametrize(
    ("frame", "content", "sentence"),
    [
        (WHOLE, b"\0\x02", "says 2, which makes 2 bytes; 3 to 100 are allowed"),
        (WHOLE, b"\x01\x2c", "says 300"),
        (LINE, b"x" * 20, "do not come within 20 bytes"),
        (HTTP, b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "no number stands after"),
        (HTTP, b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", "200 are allowed"),
        (RESP, b"OK\r\n", "a value can't begin with b'O'"),
        (RESP, b"$x\r\n", "is not a length"),
        (RESP, b"$200\r\n", "is longer than 100 bytes"),
        (RESP, b"$3\r\nabcde", "a string of 3 bytes does not end where it says"),
        (RESP, b"*1\r\n" * 10, "is nested more than 8 deep"),
        (FIX, b"8=FIX.4.2\x01", "does not begin with 8=FIX.4.4"),
        (FIX, b"8=FIX.4.4\x0135=8\x01", "BodyLength (tag 9) does not come second"),
        (FIX, REPORT.replace(b"9=5", b"9=4"), "CheckSum (tag 10) does not stand where"),
        (FIX, REPORT[:-1] + b"4", "is not three digits and the separator"),
    ],
)
def test_what_can_be_no_frame_says_why(frame: Frame, content: bytes, sentence: str) -> None:
    with pytest.raises(BrokenFrameError) as raised:
        frame_length(frame, content)

    assert sentence in str(raised.value)
