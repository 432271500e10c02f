"""The checksums of wire protocols."""

import zlib
from functools import reduce
from operator import xor
from typing import Final

from cluster.protocol.mistakes import WrongValueError

BYTES: Final = {"sum256": 1, "xor8": 1, "crc32": 4, "crc32c": 4, "adler32": 4}

_CASTAGNOLI: Final = 0x82F63B78  # reversed, as its bits are taken from the lowest on


def checksum(kind: str, content: bytes) -> int:
    """The checksum of `content`."""
    match kind:
        case "sum256":
            return sum(content) % 256
        case "xor8":
            return reduce(xor, content, 0)
        case "crc32":
            return zlib.crc32(content)
        case "adler32":
            return zlib.adler32(content)
        case "crc32c":
            return _crc32c(content)
    raise WrongValueError(f"there is no checksum `{kind}`")


def _crc32c(content: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (_CASTAGNOLI if value & 1 else 0)
    return value ^ 0xFFFFFFFF
