"""Where a frame ends: the rules of the plan, applied to bytes. Written for clarity, not speed."""

from cluster.protocol.plan import (
    DelimiterFrame,
    FixedFrame,
    FixFrame,
    Frame,
    HeadFrame,
    LengthFrame,
    RespFrame,
    TypeFrame,
)

_CRLF = b"\r\n"
_SEPARATOR = b"\x01"
_RESP_LINES = b"+-:_#,("
_RESP_STRINGS = b"$!="
_RESP_COUNTED = b"$!=*~>%"
_RESP_DEPTH_MAX = 8
_NUMBER_MAX = 12  # digits of a length that is still looked at


class BrokenFrameError(Exception):
    """The bytes can't be the start of a frame; the text says why."""


def frame_length(frame: Frame, content: bytes) -> int | None:  # noqa: PLR0911 - one for each kind
    """Bytes of the first frame in `content`; None: more must come before it is known.

    The frame itself may be longer than `content`. With TypeFrame it can't be told from the bytes
    alone: whoever knows the replies finds it.

    Raises:
        BrokenFrameError: this can't be a frame, whatever comes.
    """
    match frame:
        case FixedFrame():
            return frame.size
        case LengthFrame():
            return _by_length(frame, content)
        case DelimiterFrame():
            return _through(content, frame.end, frame.max)
        case HeadFrame():
            return _by_head(frame, content)
        case RespFrame():
            return _by_resp(frame, content)
        case FixFrame():
            return _by_fix(frame, content)
        case TypeFrame():
            return None


def said_in(frame: Frame, content: bytes) -> bytes:
    """A whole frame without the characters that only end it."""
    match frame:
        case DelimiterFrame():
            return content.removesuffix(frame.end)
        case RespFrame():
            return content.removesuffix(_CRLF)
    return content


def frame_max(frame: Frame) -> int:
    """The longest frame."""
    return frame.size if isinstance(frame, FixedFrame) else frame.max


def _by_length(frame: LengthFrame, content: bytes) -> int | None:
    if len(content) < frame.at + frame.width:
        return None
    number = int.from_bytes(content[frame.at : frame.at + frame.width], frame.order)
    length = number + frame.add
    if not frame.min <= length <= frame.max:
        raise BrokenFrameError(
            f"the length field (bytes {frame.at} to {frame.at + frame.width - 1}) says {number}, "
            f"which makes {length} bytes; {frame.min} to {frame.max} are allowed"
        )
    return length


def _through(content: bytes, end: bytes, most: int) -> int | None:
    place = content.find(end)
    length = place + len(end)
    if length > most or (place < 0 and len(content) >= most):
        raise BrokenFrameError(f"the characters {end!r} do not come within {most} bytes")
    return length if place >= 0 else None


def _by_head(frame: HeadFrame, content: bytes) -> int | None:
    head = _through(content, frame.end, frame.max)
    if head is None or not frame.marker:
        return head
    lower = content[:head].lower()
    place = lower.find(frame.marker.lower())
    if place < 0:
        return head
    digits = lower[place + len(frame.marker) :].lstrip(b" ")
    count = 0
    while count < len(digits) and digits[count : count + 1].isdigit():
        count += 1
    if not 0 < count <= _NUMBER_MAX:
        raise BrokenFrameError(f"no number stands after {frame.marker.decode()!r}")
    return _bounded(head + int(digits[:count]), frame.max)


def _by_resp(frame: RespFrame, content: bytes) -> int | None:
    length = _resp_end(content, 0, frame.max, 0)
    if length is None and len(content) >= frame.max:
        raise BrokenFrameError(f"is longer than {frame.max} bytes")
    return None if length is None else _bounded(length, frame.max)


def _resp_end(content: bytes, at: int, most: int, depth: int) -> int | None:
    """Where the value at `at` ends: lines say their kind, strings and arrays how much follows."""
    if depth > _RESP_DEPTH_MAX:
        raise BrokenFrameError(f"is nested more than {_RESP_DEPTH_MAX} deep")
    end = content.find(_CRLF, at)
    if end < 0:
        return None
    kind, rest = content[at : at + 1], content[at + 1 : end]
    after = end + len(_CRLF)
    if (kind in _RESP_LINES and kind) or (rest == b"-1" and kind in _RESP_COUNTED and kind):
        return after
    if kind not in _RESP_COUNTED or not kind:
        raise BrokenFrameError(f"a value can't begin with {kind!r}")
    if not rest.isdigit() or len(rest) > _NUMBER_MAX or int(rest) > most:
        raise BrokenFrameError(f"{rest!r} is not a length, or is longer than {most} bytes")
    number = int(rest)
    if kind in _RESP_STRINGS:
        string_end = after + number + len(_CRLF)
        if len(content) >= string_end and content[after + number : string_end] != _CRLF:
            raise BrokenFrameError(f"a string of {number} bytes does not end where it says")
        return string_end if depth == 0 or len(content) >= string_end else None
    value: int | None = after
    for _ in range(2 * number if kind == b"%" else number):
        value = None if value is None else _resp_end(content, value, most, depth + 1)
    return value


def _by_fix(frame: FixFrame, content: bytes) -> int | None:
    """8=…, 9=BodyLength, as many bytes, and 10=nnn with its separator."""
    start = content[: len(frame.begin)]
    if start != frame.begin[: len(start)]:
        raise BrokenFrameError(f"does not begin with {frame.begin[:-1].decode()}")
    rest = content[len(frame.begin) :]
    if rest[:2] != b"9="[: len(rest[:2])]:
        raise BrokenFrameError("BodyLength (tag 9) does not come second")
    end = rest.find(_SEPARATOR)
    if end < 0:
        if len(rest) > 2 + _NUMBER_MAX:
            raise BrokenFrameError("BodyLength (tag 9) is not a number")
        return None
    digits = rest[2:end]
    if not digits.isdigit() or len(digits) > _NUMBER_MAX:
        raise BrokenFrameError("BodyLength (tag 9) is not a number")
    body_end = len(frame.begin) + end + 1 + int(digits)
    length = _bounded(body_end + len(b"10=000") + 1, frame.max)
    trailer = content[body_end : body_end + 3]
    if trailer != b"10="[: len(trailer)]:
        raise BrokenFrameError("CheckSum (tag 10) does not stand where BodyLength (tag 9) says")
    if length <= len(content) and content[length - 1 : length] != _SEPARATOR:
        raise BrokenFrameError("CheckSum (tag 10) is not three digits and the separator")
    return length


def _bounded(length: int, most: int) -> int:
    if length > most:
        raise BrokenFrameError(f"would have {length} bytes; {most} are allowed")
    return length
