#include <doctest/doctest.h>

#include "protocol/checksum.h"
#include "tests/protocol/bytes.h"

using namespace cluster::protocol;
using cluster::test::bytes;

TEST_CASE("checksums have their published check values") {
    // "123456789" is the check input of the CRC catalogues; Adler-32's is the one of RFC 1950's
    // common example.
    const auto digits = bytes("123456789");
    CHECK(checksum(ChecksumKind::kCrc32, digits) == 0xCBF43926);
    CHECK(checksum(ChecksumKind::kCrc32c, digits) == 0xE3069283);
    CHECK(checksum(ChecksumKind::kAdler32, bytes("Wikipedia")) == 0x11E60398);
    CHECK(checksum(ChecksumKind::kSum256, digits) ==
          (0x31 + 0x32 + 0x33 + 0x34 + 0x35 + 0x36 + 0x37 + 0x38 + 0x39) % 256);
    CHECK(checksum(ChecksumKind::kXor8, digits) == 0x31);
    CHECK(checksum(ChecksumKind::kCrc32, {}) == 0);
    CHECK(checksum(ChecksumKind::kAdler32, {}) == 1);
}
