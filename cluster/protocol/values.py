"""Values as bytes: constants of requests, what must stand in replies, entries of tables."""

import struct
from typing import Final

from cluster.document.path import show_text
from cluster.protocol.field import ByteOrder, Constant, Justify, WireField
from cluster.protocol.mistakes import WrongValueError

DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
UTC_WIDTHS: Final = {"s": 17, "ms": 21, "us": 24, "ns": 27}
UTC_DIGITS: Final = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def is_integer(field: WireField) -> bool:
    """Whether it is a binary whole number."""
    return field.type is not None and field.type[0] in "ui" and field.type[1:].isdigit()


def is_float(field: WireField) -> bool:
    """Whether it is an IEEE 754 number."""
    return field.type in ("f32", "f64")


def is_signed(field: WireField) -> bool:
    """Whether a binary whole number may be below 0."""
    return is_integer(field) and str(field.type)[0] == "i"


def implied_width(field: WireField) -> int | None:
    """The width that the type alone implies."""
    if is_integer(field) or is_float(field):
        return int(str(field.type)[1:]) // 8
    if field.type == "utc_text":
        return UTC_WIDTHS[field.precision or "s"]
    return None


def justify_of(field: WireField) -> Justify:
    """Where text stands in its width."""
    return field.justify or ("right" if field.type == "number" else "left")


def pad_of(field: WireField) -> bytes:
    """What fills the rest of a width."""
    return (field.pad or ("0" if field.type == "number" else " ")).encode()


def integer_range(width: int, *, signed: bool) -> tuple[int, int]:
    """What fits into a binary number of `width` bytes."""
    bits = 8 * width
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


def encode(field: WireField, value: Constant, order: ByteOrder) -> bytes:
    """`value` as the field writes it.

    Raises:
        WrongValueError: it can't be written so; says why.
    """
    if is_integer(field):
        return _integer(field, value, order)
    if is_float(field):
        return _float(field, value, order)
    match field.type:
        case "number":
            return _number(field, value)
        case "bytes":
            return _bytes(field, value)
    return _text(field, value)


def in_base(number: int, base: int) -> str:
    """The digits of a number from 0, upper case above 9."""
    if number == 0:
        return "0"
    digits = ""
    while number:
        number, digit = divmod(number, base)
        digits = DIGITS[digit] + digits
    return digits


def decimal_point(digits: str, decimals: int) -> str:
    """A point before the last `decimals` digits."""
    if not decimals:
        return digits
    digits = digits.rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}"


def fitted(text: bytes, field: WireField) -> bytes:
    """Text in its width, padded; without a width as it is."""
    if field.width is None:
        return text
    if len(text) > field.width:
        raise WrongValueError(
            f"has {len(text)} characters where the width is {field.width}: it does not fit"
        )
    if justify_of(field) == "left":
        return text.ljust(field.width, pad_of(field))
    return text.rjust(field.width, pad_of(field))


def _integer(field: WireField, value: Constant, order: ByteOrder) -> bytes:
    width = implied_width(field) or 1
    if not isinstance(value, int):
        raise WrongValueError(
            f"must be a whole number in a field of type {field.type}, not {_shown(value)}"
        )
    low, high = integer_range(width, signed=is_signed(field))
    if not low <= value <= high:
        raise WrongValueError(f"does not fit: {field.type} holds {low} to {high}, not {value}")
    return value.to_bytes(width, order, signed=is_signed(field))


def _float(field: WireField, value: Constant, order: ByteOrder) -> bytes:
    if isinstance(value, str):
        raise WrongValueError(f"must be a number in a field of type {field.type}")
    code = ("<" if order == "little" else ">") + ("f" if field.type == "f32" else "d")
    try:
        return struct.pack(code, value)
    except OverflowError:
        raise WrongValueError(f"does not fit into {field.type}") from None


def _number(field: WireField, value: Constant) -> bytes:
    if not isinstance(value, int) or value < 0:
        raise WrongValueError(
            f"must be a whole number from 0 in a field of type number, not {_shown(value)}"
        )
    text = decimal_point(in_base(value, field.base or 10), field.decimals or 0)
    return fitted(text.encode(), field)


def _bytes(field: WireField, value: Constant) -> bytes:
    if value == 0 and isinstance(value, int):
        if field.width is None:
            raise WrongValueError("needs `width`: how many bytes of 0")
        return bytes(field.width)
    try:
        if not isinstance(value, str) or not value.lower().startswith("0x"):
            raise ValueError  # noqa: TRY301 - the same sentence
        content = bytes.fromhex(value[2:])
    except ValueError:
        raise WrongValueError(
            'must be 0 or hex text in quotes, such as "0xCAFE", in a field of type bytes'
        ) from None
    if field.width is not None and len(content) != field.width:
        raise WrongValueError(f"has {len(content)} bytes where the width is {field.width}")
    return content


def _text(field: WireField, value: Constant) -> bytes:
    if not isinstance(value, str):
        raise WrongValueError(
            f"must be text in quotes in a field of type {field.type}, not {_shown(value)}"
        )
    try:
        content = value.encode()
    except UnicodeEncodeError:
        raise WrongValueError("holds a character that no text has") from None
    width = implied_width(field)
    if width is not None and len(content) != width:
        raise WrongValueError(f"has {len(content)} characters where the width is {width}")
    if field.tag is not None and b"\x01" in content:
        raise WrongValueError("can't hold the character 0x01, which ends a field of FIX")
    return fitted(content, field)


def _shown(value: Constant) -> str:
    return f"the text `{show_text(value)}`" if isinstance(value, str) else f"`{value}`"
